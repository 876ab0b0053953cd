package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// FuzzLoad checks that any file gives either a valid Config or mistakes with their lines.
func FuzzLoad(f *testing.F) {
	setEnv(f)
	for _, file := range append(glob(f, "testdata/bad/*.yml"), "testdata/good.yml") {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		// Some seeds are good only with a DSN that does not depend on where the file is.
		f.Add(regexp.MustCompile(`dsn_file: .*`).ReplaceAllString(string(content), "dsn: krewe@tcp(db)/ofbiz"))
	}
	path := filepath.Join(f.TempDir(), "krewe.yml")
	line := regexp.MustCompile(`^[^\n]+\.yml:[1-9]\d*: `)
	f.Fuzz(func(t *testing.T, content string) {
		if strings.Contains(content, "dsn_file") {
			t.Skip() // a device or a pipe can block
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err != nil {
			for message := range strings.SplitSeq(err.Error(), "\n") {
				if !line.MatchString(message) || !strings.HasPrefix(message, path) {
					t.Errorf("a message without its line: %q", message)
				}
			}
			return
		}
		again, err := config.Load(path)
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
		}
	})
}
