package config_test

import (
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// FuzzLoad checks that any file gives either a valid Config or mistakes with their lines.
func FuzzLoad(f *testing.F) {
	setEnv(f)
	const knownHosts = "known_hosts_file: known_hosts"
	for _, file := range append(glob(f, "testdata/bad/*.yml"), "testdata/good.yml") {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		// Some seeds are good only with secrets that do not depend on where the file is.
		seed := regexp.MustCompile(`dsn_file: .*`).ReplaceAllString(string(content), "dsn: krewe@tcp(db)/ofbiz")
		seed = regexp.MustCompile(`token_file: .*`).ReplaceAllString(seed, "username: u\n      password: ${KREWE_PASSWORD}")
		seed = regexp.MustCompile(`passphrase_file: .*`).ReplaceAllString(seed, "")
		seed = regexp.MustCompile(`(private_key|password)_file: .*`).ReplaceAllString(seed, "password: ${KREWE_PASSWORD}")
		f.Add(regexp.MustCompile(`known_hosts_file: .*`).ReplaceAllString(seed, knownHosts))
	}
	file := filepath.Join(f.TempDir(), "krewe.yml")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "known_hosts"), []byte("host "+publicKey), 0o600); err != nil {
		f.Fatal(err)
	}
	line := regexp.MustCompile(`^[^\n]+\.yml:[1-9]\d*: `)
	f.Fuzz(func(t *testing.T, content string) {
		if strings.Contains(strings.ReplaceAll(content, knownHosts+"\n", ""), "_file") {
			return // it may name a device or a pipe, which can block
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Check(file)
		if err != nil {
			for message := range strings.SplitSeq(err.Error(), "\n") {
				if !line.MatchString(message) || !strings.HasPrefix(message, file) {
					t.Errorf("a message without its line: %q", message)
				}
			}
			return
		}
		again, err := config.Check(file)
		if err != nil || len(again.Clients) != len(c.Clients) {
			t.Fatalf("the second time: %v", err)
		}
		if len(c.Clients) == 0 || c.TimeoutOffset <= 0 || c.TimeoutOffset >= 10*time.Second {
			t.Errorf("got %+v", c)
		}
		names := map[string]bool{}
		for i, client := range c.Clients {
			dsn, err := client.Database.DSN.Read()
			if names[client.Name] || client.Name == "" || client.Timezone == nil || client.Database.Timezone == nil ||
				client.Database.MaxConnections < 1 || client.Database.Driver == "" || dsn == "" || err != nil ||
				!client.Equal(again.Clients[i]) {
				t.Errorf("got %+v", client)
			}
			names[client.Name] = true
			if s := client.Superset; len(s.Dashboards) > 0 {
				password, err := s.Account.Password.Read()
				if s.Account.URL == "" || s.Account.Username == "" || password == "" || err != nil || s.Interval < time.Minute || s.Interval > 12*time.Hour {
					t.Errorf("got %+v", s)
				}
			}
			for _, s := range client.SFTP {
				password, err := s.Password.Read()
				_, port, split := net.SplitHostPort(s.Address)
				_, pattern := path.Match(s.Pattern, "")
				if s.Location == "" || s.Username == "" || password == "" || err != nil || port == "" || split != nil ||
					pattern != nil || !path.IsAbs(s.Path) || !slices.ContainsFunc(client.ResetInventory, feeds(s)) {
					t.Errorf("got %+v", s)
				}
			}
		}
	})
}

func feeds(s config.SFTP) func(config.ResetSource) bool {
	return func(source config.ResetSource) bool { return source.Source == s.Source }
}
