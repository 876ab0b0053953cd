package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotTested shows that "make test" ends with what its runs of go test left out, each once, also when one fails, and says nothing
// when there is nothing to say. The runs are a script's.
func TestNotTested(t *testing.T) {
	t.Parallel()
	const note = "echo 'sshd is not installed: apt-get install openssh-server' >>$NOT_TESTED; "
	for name, c := range map[string]struct {
		test, race, want string
		fails            bool
	}{
		"all":         {test: "true"},
		"skipped":     {test: note + note + "echo 'proftpd' >>$NOT_TESTED", want: "  proftpd\n  sshd is not installed: apt-get install openssh-server\n"},
		"failed":      {test: note + "exit 1", want: "  sshd is not installed: apt-get install openssh-server\n", fails: true},
		"no compiler": {test: "true", race: "exit 1", want: "  data races: install a C compiler\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goCommand, temporary := filepath.Join(t.TempDir(), "go"), t.TempDir()
			script := "#!/bin/sh -e\ncase $1 in\ntest) " + c.test + ";;\nbuild) " + c.race + ";;\nesac\n"
			if err := os.WriteFile(goCommand, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "test", "GO="+goCommand)
			cmd.Dir, cmd.Env = "..", append(os.Environ(), "MAKEFLAGS=", "TMPDIR="+temporary)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); (err != nil) != c.fails {
				t.Errorf("error %v\n%s", err, stderr.String())
			}
			if _, said, found := strings.Cut(stdout.String(), "Not tested here:\n"); said != c.want || found != (c.want != "") {
				t.Errorf("says %q, want at its end %q", stdout.String(), c.want)
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
				t.Errorf("left behind %v, error %v", left, err)
			}
		})
	}
}
