package deploy_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

const (
	unitFile = "systemd/oms_exporter.service"
	account  = "oms_exporter"
)

// systemd understands every line of the unit, and finds it hardened: of 10 points of exposure, 1.2 are left, for the network.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	analyze := testserver.Systemd(t, "systemd-analyze")
	self, err := os.Executable() // for systemd looks whether there is a program
	if err != nil {
		t.Fatal(err)
	}
	unit := write(t, filepath.Base(unitFile), strings.ReplaceAll(read(t, unitFile), "/usr/local/bin/oms_exporter", self))
	for _, args := range [][]string{
		{"verify", "--recursive-errors=no", unit}, // what it also says of the machine's own units is no matter of ours
		{"security", "--offline=true", "--threshold=15", unit},
	} {
		if output, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, output)
		}
	}
}

// The account that the unit runs as is the one that is made.
func TestSystemdAccount(t *testing.T) {
	t.Parallel()
	file := write(t, "oms_exporter.conf", read(t, "systemd/oms_exporter.sysusers"))
	root := filepath.Dir(file)
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	sysusers := exec.CommandContext(t.Context(), testserver.Systemd(t, "systemd-sysusers"), "--root="+root, file)
	if output, err := sysusers.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, file := range []string{"etc/passwd", "etc/group"} {
		if content := read(t, filepath.Join(root, file)); !strings.HasPrefix(content, account+":") {
			t.Errorf("%s says %s", file, content)
		}
	}
	for _, line := range []string{"\nUser=" + account + "\n", "\nGroup=" + account + "\n"} {
		if !strings.Contains(read(t, unitFile), line) {
			t.Errorf("the unit lacks %q", line)
		}
	}
}

// The example is valid once the files that it names are beside it.
func TestSystemdExample(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	host, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "oms_exporter.yml", read(t, "systemd/oms_exporter.yml"))
	for name, content := range map[string]string{
		"krewe.dsn":   "exporter:PASSWORD@tcp(db.example.com:3306)/krewe",
		"krewe.key":   string(pem.EncodeToMemory(key)),
		"known_hosts": knownhosts.Line([]string{"sftp.example.com:22"}, host),
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := config.Load(file); err != nil {
		t.Error(err)
	}
}
