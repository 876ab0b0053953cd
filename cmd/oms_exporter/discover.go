package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/discover"
	"github.com/oms-exporter/oms_exporter/internal/dropfolder"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/sqldb"
	"github.com/oms-exporter/oms_exporter/internal/superset"
)

// discovery is the command discover, with its flags.
type discovery struct {
	command *kingpin.CmdClause
	to      discover.Connections
	timeout time.Duration
}

func newDiscovery(command *kingpin.CmdClause) *discovery {
	d := &discovery{command: command}
	flag := func(to *string, name, help string) *kingpin.FlagClause {
		f := command.Flag(name, help)
		f.StringVar(to)
		return f
	}
	flag(&d.to.Name, "name", "The client's name.").Default("CLIENT")
	command.Flag("driver", "Database driver: mysql (also for MariaDB), postgres or sqlite.").Required().
		EnumVar(&d.to.Driver, string(config.MySQL), string(config.Postgres), string(config.SQLite))
	flag(&d.to.DSNFile, "dsn-file", "File that contains the DSN.")
	flag(&d.to.DSN, "dsn", "DSN, instead of a file. Write its password as ${NAME}, which is taken from the environment.")
	flag(&d.to.SFTP.Address, "sftp.address", "SFTP server with the drop folders, as host:port.")
	flag(&d.to.SFTP.Username, "sftp.username", "SFTP user.")
	flag(&d.to.SFTP.PasswordFile, "sftp.password-file", "File that contains the SFTP user's password.")
	flag(&d.to.SFTP.PrivateKeyFile, "sftp.private-key-file", "File that contains the SFTP user's private key.")
	flag(&d.to.SFTP.KnownHostsFile, "sftp.known-hosts-file", "File that contains the SFTP server's host key (known_hosts).")
	flag(&d.to.Superset.URL, "superset.url", "Base URL of Superset.")
	flag(&d.to.Superset.Username, "superset.username", "Superset user.")
	flag(&d.to.Superset.PasswordFile, "superset.password-file", "File that contains the Superset user's password.")
	command.Flag("timeout", "Maximum duration of the command.").Default("30s").DurationVar(&d.timeout)
	return d
}

// run prints an entry for the client, with comments, and reports the progress on stderr. It fails where the flags do not suffice
// or the database does not let the account in.
func (d *discovery) run(ctx context.Context, logger *slog.Logger, stdout, stderr io.Writer) error {
	for _, file := range []*string{
		&d.to.DSNFile, &d.to.SFTP.PasswordFile, &d.to.SFTP.PrivateKeyFile, &d.to.SFTP.KnownHostsFile, &d.to.Superset.PasswordFile,
	} {
		if *file == "" {
			continue
		}
		path, err := filepath.Abs(*file) // the configuration may be put into any folder
		if err != nil {
			return err
		}
		*file = path
	}
	cfg, err := heeding(ctx, func() (*config.Config, error) { return config.Parse(d.to.Draft()) })
	if err != nil {
		return err
	}
	if err := writeWarnings(stderr, cfg); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	client, began := cfg.Clients[0], time.Now()
	entry, err := discover.Entry(ctx, d.to, client, lookAt(logger, client), func(progress string) {
		_, _ = fmt.Fprintf(stderr, "%.1fs %s\n", time.Since(began).Seconds(), progress) // the entry says it, too
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, entry)
	return err
}

// lookAt opens what the client's connections lead to, for a look.
func lookAt(logger *slog.Logger, client config.Client) discover.Sources {
	src := discover.Sources{Now: time.Now, OMS: func(zone *time.Location) (oms.Source, error) {
		read := client
		read.Timezone, read.Database.Timezone, read.ResetInventory, read.SFTP = zone, zone, nil, nil
		return sqldb.Open(logger, read)
	}}
	if len(client.SFTP) > 0 {
		src.DropFolders = func(ctx context.Context, locations []config.SFTP) ([]oms.DropLocation, error) {
			folders, err := dropfolder.Open(logger, config.Client{Name: client.Name, SFTP: locations})
			if err != nil {
				return nil, err
			}
			defer func() { _ = folders.Close() }() // it only read
			return folders.Inspect(ctx, time.Now())
		}
	}
	if len(client.Superset.Dashboards) > 0 {
		src.Dashboards = func(ctx context.Context) ([]oms.SeenDashboard, error) {
			return superset.NewPool(time.Now).Dashboards(ctx, client.Superset.Account)
		}
	}
	return src
}
