// Command oms_exporter is a Prometheus exporter for the order management systems of many clients.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a client's deadlines must not depend on what the host has installed

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	sloggokit "github.com/tjhop/slog-gokit"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/config"
)

const program = "oms_exporter"

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

// options is what the flags say, for the commands that serve.
type options struct {
	configFiles []string // or folders
	web         *web.FlagConfig
	lifecycle   bool
	maxRequests int // for each page and client; 0 is no bound
	maxSeries   int
	collectors  []collector.Collector // those that are enabled
	prometheus  string                // its URL; "" is none
	hangups     <-chan os.Signal      // each asks for a reload
}

// collectorNames lists the enabled collectors.
func (s options) collectorNames() []string {
	var names []string
	for _, c := range s.collectors {
		names = append(names, c.Name())
	}
	return names
}

// run is the program: it returns its exit status once ctx has ended, a SIGTERM or SIGINT has come or all is said.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // before anything takes long: untaken, it would end the program
	defer signal.Stop(hangups)

	exit := -1
	app := kingpin.New(program, "Prometheus exporter for the order management systems (OMS) of many clients.").
		UsageWriter(stdout).ErrorWriter(stderr).Terminate(func(status int) { exit = status }).
		Version(version.Print(program))
	app.HelpFlag.Short('h')

	s := options{hangups: hangups}
	app.Flag("config.file", "Configuration file, or a folder from which all *.yml files are read. Repeatable.").
		Default("oms_exporter.yml").StringsVar(&s.configFiles)
	s.web = kingpinflag.AddFlags(app, ":9942")
	app.Flag("web.enable-lifecycle", "Enable reload with POST /-/reload.").BoolVar(&s.lifecycle)
	app.Flag("web.max-requests", "Maximum number of concurrent scrapes of /metrics, and of /probe for each client. 0 means no limit.").
		Default("40").IntVar(&s.maxRequests)
	app.Flag("prometheus.url", "URL of a Prometheus that has the exporter's rules. The status page shows its check states and alerts, with links for browsers.").
		PlaceHolder("URL").StringVar(&s.prometheus)
	app.Flag("collector.max-series", "Maximum series per metric and client; the worst values are kept.").
		Default("500").IntVar(&s.maxSeries)
	enabled := make(map[string]*bool)
	for _, c := range collector.All() {
		enabled[c.Name()] = app.Flag("collector."+c.Name(), "Enable the "+c.Name()+" collector.").
			Default("true").Bool()
	}
	level := app.Flag("log.level", "Minimum log level: debug, info, warn or error.").
		Default("info").Enum("debug", "info", "warn", "error")
	format := app.Flag("log.format", "Log format: logfmt or json.").Default("logfmt").Enum("logfmt", "json")

	serve := app.Command("serve", "Run the exporter for the configured clients.").Default()
	check := app.Command("check", "Connect to every system in the configuration, and report what is wrong and how to fix it.")
	checked := check.Flag("client", "Check only this client. Repeatable.").PlaceHolder("NAME").Strings()
	output := check.Flag("output", "Output format: text or json.").Default("text").Enum("text", "json")
	sanity := check.Flag("sanity", "Also list what has been seen of each client: jobs, orders, files, messages and charts. For the hours after a migration.").Bool()
	offline := app.Command("check-config", "Validate configuration files, without connecting to any system.")
	syntaxOnly := offline.Flag("syntax-only", "Validate only the files, not the secrets that they refer to.").Bool()
	checkFiles := offline.Arg("file", "Files and folders that together are one configuration. Default: those of --config.file.").Strings()
	discovery := newDiscovery(app.Command("discover", "Connect to a new client's systems, and print a configuration entry for it, with comments."))
	reports := newReporting(app.Command("report", "Write a client's service levels of a month, from a Prometheus that has the exporter's rules, to send to the client."))
	queries := app.Command("queries", "Print every SQL statement that the exporter can send to a client's database, for review.")
	drivers := []string{string(config.MySQL), string(config.Postgres), string(config.SQLite)}
	driver := queries.Flag("driver", "Print only the statements for this driver: "+strings.Join(drivers, ", ")+".").Enum(drivers...)
	demo := app.Command("demo", "Run the exporter with four simulated clients; no server and no configuration needed.")
	faults := demo.Flag("fault", "Inject this fault at the start, as CLIENT:NAME. Repeatable.").Strings()

	command, err := app.Parse(args)
	if exit >= 0 { // --help or --version
		return exit
	}
	if err != nil {
		app.Errorf("%s, try --help", err)
		return 1
	}
	if s.maxSeries < 1 {
		app.Errorf("--collector.max-series must be at least 1, it is %d", s.maxSeries)
		return 1
	}
	if s.maxRequests < 0 {
		app.Errorf("--web.max-requests must not be negative, it is %d", s.maxRequests)
		return 1
	}
	if s.prometheus != "" {
		if s.prometheus, err = prometheusURL("--prometheus.url", s.prometheus); err != nil {
			app.Errorf("%s", err)
			return 1
		}
	}
	for _, c := range collector.All() {
		if *enabled[c.Name()] {
			s.collectors = append(s.collectors, c)
		}
	}
	logger := newLogger(stderr, *level, *format)

	// Garbage is collected as often as the limit of the container or service requires, unless GOMEMLIMIT is set.
	if _, err := memlimit.Set(); err != nil {
		logger.Debug("no limit of the memory was found", "err", err)
	}

	switch command {
	case serve.FullCommand():
		signal.Ignore(syscall.SIGPIPE) // that nobody reads the log any more ends no scrape
		err = s.serve(ctx, logger)
	case demo.FullCommand():
		signal.Ignore(syscall.SIGPIPE)
		err = s.demo(ctx, logger, stdout, *faults)
	case check.FullCommand():
		err = s.check(ctx, newLogger(stderr, "error", *format), *checked, *output, *sanity, stdout, stderr)
	case offline.FullCommand():
		err = s.checkConfig(ctx, *checkFiles, *syntaxOnly, stdout, stderr)
	case discovery.command.FullCommand():
		err = discovery.run(ctx, newLogger(stderr, "error", *format), stdout, stderr)
	case reports.command.FullCommand():
		err = reports.run(ctx, s.prometheus, time.Now(), stdout, stderr)
	case queries.FullCommand():
		if *driver != "" {
			drivers = []string{*driver}
		}
		err = printQueries(drivers, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err) // there is nowhere else to say it
		return 1
	}
	return 0
}

// newLogger returns a logger whose lines are written by go-kit/log.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		panic(err) // the flag allows slog's names only
	}
	lines := log.NewLogfmtLogger
	if format == "json" {
		lines = log.NewJSONLogger
	}
	return slog.New(sloggokit.NewGoKitHandler(lines(log.NewSyncWriter(w)), least))
}
