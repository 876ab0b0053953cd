package testserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that a healthy server does at once.
const patience = 30 * time.Second

// guard is a shell script that kills a server and all that it has started unless it is told that the server has ended. A
// test process that is killed, or that panics because of its time limit, runs no cleanup; but the kernel closes its pipes.
const guard = `below() { for child in $(cat /proc/"$1"/task/*/children); do echo "$child"; below "$child"; done; }
read -r pid && { read -r ended || kill -KILL "$pid" $(below "$pid"); }`

// daemon is a server process.
type daemon struct {
	name    string
	command []string
	process *os.Process
	log     string          // the file of its output
	life    context.Context // ends with the process; its cause says how
}

// serve starts a server and waits until it is ready. prepare gets a free port and returns the command and a test of
// readiness. After the test the server gets the signal quit.
func serve(
	tb testing.TB, owner *syscall.Credential, dir string, quit syscall.Signal,
	prepare func(port string) (command []string, ready func(context.Context) error),
) *daemon {
	tb.Helper()
	for attempt := 1; ; attempt++ {
		command, ready := prepare(freePort(tb))
		d := start(tb, owner, dir, command)
		tb.Cleanup(func() { d.end(tb, quit) })
		ctx, cancel := context.WithTimeout(d.life, patience)
		err := poll(ctx, func() error { return ready(ctx) })
		cancel()
		if err == nil {
			return d
		}
		// Between the look for a free port and its use somebody else may have taken it.
		output := d.output(tb)
		if attempt == 3 || !strings.Contains(output, "ddress already in use") {
			tb.Fatalf("%s does not start: %v; its output ends with\n%s", d.name, err, output)
		}
	}
}

// freePort returns a port of the loopback interface on which nobody listens.
func freePort(tb testing.TB) string {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	check(tb, err)
	check(tb, listener.Close())
	_, port, err := net.SplitHostPort(listener.Addr().String())
	check(tb, err)
	return port
}

// start starts a server in dir.
func start(tb testing.TB, owner *syscall.Credential, dir string, command []string) *daemon {
	tb.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	check(tb, err)
	defer func() { _ = log.Close() }()

	// Both get process groups of their own: the interrupt from the terminal that ends the test process must not end the
	// guard too.
	forever := context.WithoutCancel(tb.Context())
	watch := exec.CommandContext(forever, "/bin/sh", "-c", guard)
	watch.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := watch.StdinPipe()
	check(tb, err)
	check(tb, watch.Start())
	cmd := exec.CommandContext(forever, command[0], command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: owner}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = environment(dir)
	check(tb, cmd.Start())
	_, err = fmt.Fprintln(leash, cmd.Process.Pid)
	check(tb, err)

	life, ended := context.WithCancelCause(forever)
	go func() {
		_ = cmd.Wait()
		_, _ = fmt.Fprintln(leash, "ended")
		_ = leash.Close()
		_ = watch.Wait()
		ended(fmt.Errorf("it has ended: %v", cmd.ProcessState))
	}()
	return &daemon{name: filepath.Base(cmd.Path), command: command, process: cmd.Process, log: log.Name(), life: life}
}

// end ends the server: at its request with the signal, and by force when it does not heed that.
func (d *daemon) end(tb testing.TB, quit syscall.Signal) {
	tb.Helper()
	d.Thaw()
	_ = d.process.Signal(quit)
	select {
	case <-d.life.Done():
	case <-time.After(patience):
		_ = d.process.Kill()
		<-d.life.Done()
		tb.Errorf("%s had to be killed; its output ends with\n%s", d.name, d.output(tb))
	}
}

// output returns what the server has said.
func (d *daemon) output(tb testing.TB) string {
	tb.Helper()
	output, err := os.ReadFile(d.log)
	check(tb, err)
	return tail(output)
}

// check ends the test on an error.
func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
