package deploy_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
		{"security", "--offline=true", "--threshold=12", unit},
	} {
		if output, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, output)
		}
	}
}

// Every line of the unit, and why it is there. The score alone would not notice most of them missing.
func TestSystemdDirectives(t *testing.T) {
	t.Parallel()
	const config = "/etc/oms_exporter/oms_exporter.yml"
	const program = "/usr/local/bin/oms_exporter"
	want := []string{
		"[Unit]",
		"Description=Prometheus exporter for order management systems",
		"Documentation=https://github.com/oms-exporter/oms_exporter",
		"Wants=network-online.target",                  // databases are elsewhere,
		"After=network-online.target time-sync.target", // and ages are wrong by a wrong clock

		"[Service]",
		"Type=exec", // a start without the program fails
		"ExecStartPre=" + program + " check-config --syntax-only " + config,
		"ExecStart=" + program + " --config.file=" + config,
		"ExecReload=" + program + " check-config --syntax-only " + config, // before the signal, or a bad file goes unnoticed
		"ExecReload=/bin/kill -HUP $MAINPID",
		"Restart=always",         // also after a clean end: nobody else watches
		"RestartSec=5s",          // too slow for systemd to give up
		"TimeoutStopSec=30s",     // scrapes take 25 s at most
		"User=" + account,        // not root
		"Group=" + account,       // reads the secrets
		"UMask=0077",             // what it writes is its own
		"CapabilityBoundingSet=", // empty: it needs no right of root,
		"AmbientCapabilities=",
		"NoNewPrivileges=true", // and may get none
		"ProtectSystem=strict", // it writes no file,
		"ProtectHome=true",     // reads none of people
		"PrivateTmp=true",      // or of other services,
		"PrivateDevices=true",  // and uses no device
		"DevicePolicy=closed",
		"PrivateUsers=true", // other users, processes and messages are none of its business
		"PrivateIPC=true",
		"ProtectProc=invisible",
		"ProtectHostname=true", // nor are the host's name, clock and kernel
		"ProtectClock=true",
		"ProtectKernelTunables=true",
		"ProtectKernelModules=true",
		"ProtectKernelLogs=true",
		"ProtectControlGroups=true",
		"LockPersonality=true", // what exploits use, and Go does not
		"MemoryDenyWriteExecute=true",
		"RemoveIPC=true",
		"RestrictNamespaces=true",
		"RestrictRealtime=true",
		"RestrictSUIDSGID=true",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", // databases by TCP, or by a socket on this machine
		"SystemCallArchitectures=native",
		"SystemCallFilter=@system-service", // first what is allowed, then what of that is not
		"SystemCallFilter=~@privileged @resources",
		"SystemCallErrorNumber=EPERM", // an error rather than the end

		"[Install]",
		"WantedBy=multi-user.target", // starts with the machine
	}
	var got []string
	for line := range strings.Lines(read(t, unitFile)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			got = append(got, line)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has the lines\n%s\nwant\n%s", unitFile, strings.Join(got, "\n"), strings.Join(want, "\n"))
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
	ca, err := os.ReadFile(testserver.NewAuthority(t).File)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "oms_exporter.yml", read(t, "systemd/oms_exporter.yml"))
	for name, content := range map[string]string{
		"krewe.dsn":    "exporter:PASSWORD@tcp(db.example.com:3306)/krewe",
		"krewe-ca.pem": string(ca),
		"krewe.key":    string(pem.EncodeToMemory(key)),
		"known_hosts":  knownhosts.Line([]string{"sftp.example.com:22"}, host),
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := config.Check(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Warnings) > 0 {
		t.Errorf("the example has risks: %q", loaded.Warnings)
	}
}
