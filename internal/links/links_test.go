package links

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for content, want := range map[string]string{
		"runbooks: https://wiki.example.com/oms\ngrafana: http://grafana:3000\n": "",
		"runbooks: https://wiki.example.com/oms/\ngrafana: http://grafana:3000":  "deploy/links.yml: runbooks is not an address: write one such as ",
		"runbooks: https://wiki.example.com/oms\ngrafana: grafana:3000":          "deploy/links.yml: grafana is not an address: write one such as ",
		"runbooks: https://wiki.example.com/oms":                                 "deploy/links.yml: grafana is not an address: write one such as ",
		"runbook: https://wiki.example.com/oms":                                  "deploy/links.yml: ",
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "deploy"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, File), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Read(dir)
		switch {
		case want == "" && (err != nil || l.Runbook("OMSJobStuck") != "https://wiki.example.com/oms/OMSJobStuck.md"):
			t.Errorf("%q: %s, %v", content, l.Runbook("OMSJobStuck"), err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("%q: %v, want %s", content, err, want)
		}
	}
}
