package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/backoff"
	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// inboxOf is a location without other folders.
func inboxOf(s *testserver.SSHServer, name, folder string) config.SFTP {
	l := s.Location(name, folder)
	l.Archive, l.Failed = "", ""
	return l
}

// TestFrozen shows that a silent server costs no more than the time there is, and only itself.
func TestFrozen(t *testing.T) {
	frozen, well := testserver.SSHD(t), testserver.SSHD(t)
	f := open(t, inboxOf(frozen, "frozen", ""), inboxOf(frozen, "too", ""), inboxOf(well, "well", ""))
	see(t, f, 0)
	brief := func(after time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		found, err := f.Inspect(ctx, start.Add(after))
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the look takes %s", took)
		}
		expect(t, found, "frozen of frozen, age 0s\ntoo of too, age 0s\nwell of well, age 0s; inbox 0 -..-\n")
		return err
	}
	frozen.Freeze(t)
	err := brief(time.Minute) // with a connection
	mention(t, err, "location frozen: ", "location too: ")
	if f.servers[0].conn != nil {
		t.Error("the connection is kept")
	}
	err = brief(2 * time.Minute) // without one
	mention(t, err, "location frozen: gave up: context deadline exceeded", "location too: gave up")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v does not tell of the deadline", err)
	}
	before := f.servers[0].backoff
	mention(t, brief(2*time.Minute+5*time.Second), "location frozen: "+frozen.Address+" is reached", "the next attempt is at ")
	if f.servers[0].backoff != before {
		t.Error("there was an attempt before its time")
	}
	frozen.Thaw()
	see(t, f, 2*time.Minute+10*time.Second)
}

// endless is a context that has a deadline, but does not end by it: that of a shared run is such.
type endless struct {
	context.Context
	deadline time.Time
}

func (e endless) Deadline() (time.Time, bool) { return e.deadline, true }

// TestGiveUp shows that a look ends when its time is over, and at once when its caller goes or with Close. Nothing stays
// under way, though the server is still silent.
func TestGiveUp(t *testing.T) {
	s := testserver.SSHD(t)
	ends := map[string]struct {
		wait time.Duration
		want error
	}{
		"cancel": {10 * time.Minute, context.Canceled}, "close": {10 * time.Minute, errClosed}, "deadline": {time.Second, context.DeadlineExceeded},
	}
	for name, end := range ends {
		// lookAway looks until the end, which comes when the look has begun.
		lookAway := func(t *testing.T, f *Folders, begun <-chan struct{}) {
			t.Helper()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				_, err := f.Inspect(endless{ctx, time.Now().Add(end.wait)}, start)
				done <- err
			}()
			<-begun
			switch name {
			case "cancel":
				cancel()
			case "close":
				must(t, f.Close())
			}
			select {
			case err := <-done:
				if !errors.Is(err, end.want) {
					t.Errorf("error %v, want %v", err, end.want)
				}
			case <-time.After(10 * time.Second):
				t.Error("the look does not end")
			}
			if f.servers[0].conn != nil {
				t.Error("the connection is kept")
			}
		}
		t.Run(name+" while listing", func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			f := open(t, inboxOf(s, "in", ""))
			see(t, f, 0)
			s.Freeze(t)
			begun := make(chan struct{})
			go func() {
				defer close(begun)
				for len(f.servers[0].slot) == 0 {
					<-time.After(time.Millisecond)
				}
			}()
			lookAway(t, f, begun)
			goleak.VerifyNone(t, before)
		})
		t.Run(name+" while connecting", func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			address, begun := silent(t)
			l := inboxOf(s, "in", "")
			l.Address = address
			f := open(t, l)
			lookAway(t, f, begun)
			if failed := f.servers[0].backoff != (backoff.Backoff{}); failed != (name == "deadline") {
				t.Errorf("whether the server is held to have failed: %v", failed)
			}
			goleak.VerifyNone(t, before)
		})
	}
}

// TestHaste has looks that wait for a second, and others that have longer: they are not told to wait because of those.
func TestHaste(t *testing.T) {
	address, _ := silent(t)
	l := inboxOf(testserver.SSHD(t), "in", "")
	l.Address = address
	f := open(t, l)
	for i, look := range []struct {
		within  time.Duration
		attempt bool
	}{{time.Second, true}, {time.Second, false}, {4 * time.Second, true}, {4 * time.Second, false}, {time.Second, false}} {
		before := f.servers[0].backoff
		ctx, cancel := context.WithTimeout(t.Context(), look.within)
		_, err := f.Inspect(ctx, start)
		cancel()
		if attempt := f.servers[0].backoff != before; err == nil || attempt != look.attempt {
			t.Errorf("look %d: whether there was an attempt: %v, want %v; %v", i, attempt, look.attempt, err)
		}
	}
}

// silent is the address of a server that says nothing. The channel is closed when a client has said something.
func silent(tb testing.TB) (address string, begun <-chan struct{}) {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	must(tb, err)
	tb.Cleanup(func() { _ = listener.Close() }) // nobody may come
	said := make(chan struct{})
	go func() {
		defer close(said)
		defer func() { _ = listener.Close() }()
		if conn, err := listener.Accept(); err == nil {
			tb.Cleanup(func() { _ = conn.Close() })
			_, _ = conn.Read(make([]byte, 1))
		}
	}()
	return listener.Addr().String(), said
}

// lost waits until it is known that the first server has gone.
func lost(t *testing.T, f *Folders) {
	t.Helper()
	testserver.Eventually(t, 10*time.Second, func() error {
		if !f.servers[0].conn.isLost() {
			return errors.New("the connection is not lost")
		}
		return nil
	})
}

func TestRestart(t *testing.T) {
	s := testserver.SSHD(t)
	f := open(t, inboxOf(s, "in", ""))
	see(t, f, 0)
	s.Stop(t)
	lost(t, f)
	after, steps := time.Minute, []time.Duration{10, 20, 40, 80, 160, 300, 300}
	for _, step := range steps {
		_, err := look(t, f, after)
		mention(t, err, "location in: "+s.Address+" cannot be reached, check the address and the firewalls",
			"the next attempt is at "+start.Add(after+step*time.Second).Format(time.TimeOnly)+" UTC")
		before := f.servers[0].backoff
		after += step * time.Second
		_, again := look(t, f, after-time.Second)
		if f.servers[0].backoff != before || again.Error() != err.Error() {
			t.Errorf("%s later: an attempt, or another error:\n%v\nthan\n%v", step*time.Second-time.Second, again, err)
		}
	}
	s.Start(t)
	see(t, f, after)
	s.Stop(t)
	s.Start(t)
	lost(t, f)
	see(t, f, after) // nothing has failed, so nothing has to wait
	s.Stop(t)
	lost(t, f)
	_, err := look(t, f, after)
	mention(t, err, "cannot be reached")
	before := f.servers[0].backoff
	_, err = look(t, f, after-time.Hour)
	if mention(t, err, "cannot be reached"); f.servers[0].backoff == before {
		t.Error("no attempt when the clock is set back")
	}
}

// TestTruncated shows that a folder is read as far as the time allows, and of its links some.
func TestTruncated(t *testing.T) {
	s := testserver.SSHD(t)
	const files = 3000
	for i := range files {
		put(t, s, fmt.Sprintf("big/%d.csv", i), "", time.Hour)
	}
	for i := range maxLinks + 1 {
		must(t, os.MkdirAll(filepath.Join(s.Root, "links"), 0o755))
		must(t, os.Symlink("../big/0.csv", filepath.Join(s.Root, "links", fmt.Sprint(i))))
	}
	big, links := inboxOf(s, "big", "big"), inboxOf(s, "links", "links")
	big.Address = passedOn(t, s.Address, "", 50*time.Millisecond)
	big.KnownHosts = knownElsewhere(t, s, big.Address)
	f := open(t, big, links)
	if got := see(t, f, 0)[0].Folders[0]; got.Files != files || got.Truncated {
		t.Errorf("%+v, want all of the files", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	found, err := f.Inspect(ctx, start)
	must(t, err)
	if got := found[0].Folders[0]; !got.Truncated || got.Files < 100 || got.Files > files-100 || !got.Oldest.Equal(start.Add(-time.Hour)) {
		t.Errorf("%+v, want some of the files", got)
	}
	if got := found[1].Folders[0]; !got.Truncated || got.Files != maxLinks {
		t.Errorf("%+v, want %d links followed", got, maxLinks)
	}
}

// knownElsewhere is a known_hosts file that has the server's key for another address.
func knownElsewhere(tb testing.TB, s *testserver.SSHServer, address string) config.Secret {
	tb.Helper()
	content, err := os.ReadFile(s.KnownHosts)
	must(tb, err)
	_, _, key, _, _, err := ssh.ParseKnownHosts(content)
	must(tb, err)
	path := filepath.Join(tb.TempDir(), "known_hosts")
	must(tb, os.WriteFile(path, []byte(knownhosts.Line([]string{address}, key)), 0o600))
	return config.FileLines(path)
}

// TestGreeting has servers that send something before the version string.
func TestGreeting(t *testing.T) {
	s := testserver.SSHD(t)
	put(t, s, "in/a.csv", "", time.Hour)
	long := strings.Repeat("a", maxGreetingLine-1) + "\n"
	for name, test := range map[string]struct {
		greeting string
		good     bool
	}{
		"a long line":       {long, true},
		"empty lines":       {"\n\r\n", true},
		"as many as may be": {strings.Repeat(long, maxGreetingLines), true},
		"one more":          {strings.Repeat("a\n", maxGreetingLines+1), false},
		"too long a line":   {"a" + long, false},
		"never a line":      {strings.Repeat("a", 1<<20), false},
	} {
		t.Run(name, func(t *testing.T) {
			l := inboxOf(s, "in", "in")
			l.Address = passedOn(t, s.Address, test.greeting, 0)
			l.KnownHosts = knownElsewhere(t, s, l.Address)
			f := open(t, l)
			if test.good {
				if got := see(t, f, 0)[0].Folders[0]; got.Files != 1 {
					t.Errorf("%+v, want one file", got)
				}
				return
			}
			_, err := look(t, f, 0)
			mention(t, err, l.Address+" is reached, but there is no SSH connection: ", errNoVersion.Error())
		})
	}
}

// passedOn passes on what goes to and from a server, which greets its visitors and of which each answer takes a while.
func passedOn(tb testing.TB, address, greeting string, delay time.Duration) string {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	must(tb, err)
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(tb.Context(), "tcp", address)
			if err != nil {
				_ = near.Close()
				continue
			}
			go pass(far, near, 0)
			go func() {
				_, _ = io.WriteString(near, greeting)
				pass(near, far, delay)
			}()
		}
	}()
	return listener.Addr().String()
}

func pass(to, from net.Conn, delay time.Duration) {
	defer func() { _, _ = to.Close(), from.Close() }()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		<-time.After(delay)
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
