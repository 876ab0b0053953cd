package dropfolder

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// attributes are a file's as they are sent.
type attributes []byte

func attrs(size uint64, modified uint32) attributes {
	return marshal(uint32(1|4|8), size, uint32(0o100644), modified, modified)
}

// scripted is an SFTP server with one folder that holds whatever it says.
type scripted struct {
	names map[string]attributes
	more  func() (attributes, bool) // further names, each numbered
	sent  bool
	// endless: it never comes to the end of the folder.
	endless bool
	n       int
	words   string // what it says to a request to open a file
	stat    attributes
}

func (s *scripted) serve(rw io.ReadWriter) {
	for {
		var length [4]byte
		if _, err := io.ReadFull(rw, length[:]); err != nil {
			return
		}
		packet := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(rw, packet); err != nil {
			return
		}
		p := parser{rest: packet[1:]}
		if packet[0] == fxInit {
			send(rw, fxVersion, marshal(uint32(sftpVersion)))
			continue
		}
		kind, body := s.answer(packet[0])
		send(rw, kind, slices.Concat(marshal(p.uint32()), body))
	}
}

func send(w io.Writer, kind byte, body []byte) {
	_, _ = w.Write(slices.Concat(marshal(uint32(1+len(body))), []byte{kind}, body))
}

func (s *scripted) answer(kind byte) (byte, []byte) {
	switch kind {
	case fxOpendir:
		s.sent, s.n = false, 0
		return fxHandle, marshal("h")
	case fxReaddir:
		return s.list()
	case fxClose:
		return fxStatus, marshal(uint32(0), "", "")
	case fxStat, fxFstat:
		return fxAttrs, s.stat
	case fxOpen:
		if s.words != "" {
			return fxStatus, marshal(uint32(4), s.words, "")
		}
		return fxHandle, marshal("h")
	}
	return fxStatus, marshal(uint32(1), "", "") // nothing can be read
}

func (s *scripted) list() (byte, []byte) {
	const most = 1000
	var names []byte
	n := uint32(0)
	if !s.sent {
		for name, a := range s.names {
			names = slices.Concat(names, marshal(name, "-rw-r--r--"), a)
			n++
		}
	}
	s.sent = !s.endless
	for s.more != nil && n < most {
		a, ok := s.more()
		if !ok {
			break
		}
		s.n++
		n++
		names = append(append(names, marshal(fmt.Sprintf("inventory_reset_20260302_%07d.csv", s.n), "-rw-r--r--")...), a...)
	}
	if n == 0 {
		return fxStatus, marshal(uint32(1), "", "")
	}
	return fxName, slices.Concat(marshal(n), names)
}

// TestAbsurd has a server that lists what cannot be. It costs nobody else anything, and what cannot be judged is told.
func TestAbsurd(t *testing.T) {
	const never = math.MaxUint32 // -1, or the year 2106
	odd := &scripted{stat: marshal(uint32(0)), names: map[string]attributes{
		"2^63": attrs(1<<63, never), "2^64-1": attrs(math.MaxUint64, 0), "2^63-1": attrs(math.MaxInt64, 1), "long": attrs(1<<40, never),
		"no size": marshal(uint32(4|8), uint32(0o100644), uint32(never), uint32(never)), "nothing": marshal(uint32(0)),
		"": attrs(1, 1), ".": attrs(1, 1), "..": attrs(1, 1), "../a": attrs(1, 1), "/etc/passwd": attrs(1, 1), "a\x00b\n": attrs(1, 1),
		strings.Repeat("n", 100<<10): attrs(1, 1), "no mode": marshal(uint32(1), uint64(0)),
		"owner and more": marshal(uint32(1|2|4|8|1<<31), uint64(0), never32, never32, uint32(0o100644), never32, never32, uint32(1), "a", "b"),
	}}
	s := testserver.SSHD(t)
	put(t, s, "in/a.csv", stock, time.Hour)
	l := testserver.ScriptedSSH(t, &ssh.ServerConfig{}, odd.serve)
	l.CheckFormat = true
	f := open(t, l, inboxOf(s, "well", "in"))
	for i := range 3 {
		found, err := look(t, f, time.Duration(i)*time.Minute)
		if i == 0 {
			must(t, err)
		} else {
			mention(t, err, "location odd: the file ", "cannot be judged, because the server does not tell a size that it can have: ")
		}
		if got := found[0].Folders[0]; got.Files != 10 || got.Unmatched != 2 || got.Newest.After(start) {
			t.Errorf("look %d: %+v", i, got)
		}
		if n := found[0].Invalid; len(n) == 0 || n["partial"]+n["empty"]+n["not_csv"] > 0 {
			t.Errorf("look %d: judged %v", i, n)
		}
		if got := found[1].Folders[0].Files; got != 1 {
			t.Errorf("look %d: %d files on the other server", i, got)
		}
	}
}

const never32 = uint32(math.MaxUint32)

// TestBounds has a folder of a million files, of which so many are counted and none is kept by name.
func TestBounds(t *testing.T) {
	const files = 1_000_000
	left := files
	many := &scripted{}
	many.more = func() (attributes, bool) { left--; return attrs(1, uint32(start.Unix())-60), left >= 0 }
	l := testserver.ScriptedSSH(t, &ssh.ServerConfig{}, many.serve)
	l.CheckFormat = true
	f := open(t, l)
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	for range 2 {
		left = files
		if got := see(t, f, 0)[0].Folders[0]; got.Files != maxNames || !got.Truncated {
			t.Errorf("%+v, want the first %d files", got, maxNames)
		}
		if left < files-maxNames-2000 {
			t.Errorf("%d names were sent", files-left)
		}
	}
	if grown := int64(held()) - int64(before); grown > 12<<20 {
		t.Errorf("%d MiB are kept of the folder", grown>>20)
	}
	left = maxNames
	if got := see(t, f, 0)[0].Folders[0]; got.Files != maxNames || got.Truncated {
		t.Errorf("%+v, want all of the files", got)
	}
	long := &scripted{endless: true, names: map[string]attributes{strings.Repeat("n", 200<<10): attrs(1, 1)}}
	if got := see(t, open(t, testserver.ScriptedSSH(t, &ssh.ServerConfig{}, long.serve)), 0)[0].Folders[0]; !got.Truncated || got.Files > 2*maxListing/(200<<10) {
		t.Errorf("%+v, want what fits into %d bytes", got, maxListing)
	}
}

// TestWords has a server that says too much, and what a terminal would obey.
func TestWords(t *testing.T) {
	odd := &scripted{words: "no\x1b[2J\r\n\u202e" + strings.Repeat("\x00", 200<<10), names: map[string]attributes{"a.csv": attrs(1, 1)}}
	l := testserver.ScriptedSSH(t, &ssh.ServerConfig{}, odd.serve)
	l.CheckFormat = true
	f := open(t, l)
	see(t, f, 0)
	_, err := look(t, f, time.Minute)
	mention(t, err, `the file "/in/a.csv" cannot be read: the server answers "no\x1b[2J`, "bytes more)", "(SFTP status 4)")
	if text := err.Error(); len(text) > 2000 || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		t.Errorf("%d bytes: %.400q", len(text), text)
	}
	if f.servers[0].conn == nil {
		t.Error("the connection is given up because of one file")
	}
}

// TestPanic shows that a server's look that panics is that server's failure, and over with the next look.
func TestPanic(t *testing.T) {
	one, other := testserver.SSHD(t), testserver.SSHD(t)
	put(t, one, "in/a.csv", stock, time.Hour)
	put(t, other, "in/a.csv", stock, time.Hour)
	f := open(t, inboxOf(one, "one", "in"), inboxOf(other, "other", "in"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	found, err := f.Inspect(trace.With(ctx, func(what string, _ time.Duration, _ int, _ error) {
		if what == "list inbox of one" {
			panic("boom")
		}
	}), start)
	mention(t, err, "client KREWE: location one: panic: boom")
	if stack := flight.Stack(err); !strings.Contains(stack, "server_test.go") {
		t.Errorf("the stack is not kept: %s", stack)
	}
	expect(t, found, "one of one, age 0s\nother of other, age 0s; inbox 1 1h0m0s..1h0m0s\n")
	see(t, f, 0)
}

// TestPrompts logs in where a server takes passwords by keyboard-interactive only, and asks in several ways.
func TestPrompts(t *testing.T) {
	for name, c := range map[string]struct {
		asks   func(ssh.KeyboardInteractiveChallenge) error
		wants  string
		shared bool
	}{
		"one":      {asks: asks("", "Password: ")},
		"several":  {asks: asks("Welcome", "Password: ", "Password again: ")},
		"none":     {asks: asks("Welcome to the machine")},
		"rounds":   {asks: twice},
		"another":  {asks: asks("", "Verification \x1b[2Jcode: "), wants: `it asks "Verification \x1b[2Jcode:"`},
		"echoed":   {asks: echoed, wants: `the server asks "Which realm?", which is not for a password`},
		"expired":  {asks: asks("", "New password: "), wants: `the server asks "New password:": the password has expired, change it`},
		"endless":  {asks: endlessly, wants: "the server asks for more than 10 answers"},
		"refusing": {asks: refusing, wants: "check the username and the password or key: it takes keyboard-interactive; it refuses keyboard-interactive"},
	} {
		t.Run(name, func(t *testing.T) {
			server := &ssh.ServerConfig{KeyboardInteractiveCallback: func(
				_ ssh.ConnMetadata, challenge ssh.KeyboardInteractiveChallenge,
			) (*ssh.Permissions, error) {
				return nil, c.asks(challenge)
			}}
			_, err := look(t, open(t, testserver.ScriptedSSH(t, server, new(scripted).serve)), 0)
			if c.wants == "" {
				must(t, err)
				return
			}
			mention(t, err, "location odd: ", " refuses the login of user exporter", c.wants)
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%q", err)
			}
		})
	}
}

// asks wants the password as the answer to each prompt, unless a prompt is about something else.
func asks(instruction string, prompts ...string) func(ssh.KeyboardInteractiveChallenge) error {
	return func(challenge ssh.KeyboardInteractiveChallenge) error {
		answers, err := challenge("", instruction, prompts, make([]bool, len(prompts)))
		for i, answer := range answers {
			if answer != testserver.Password || !strings.HasPrefix(prompts[i], "Password") {
				err = errors.Join(err, errors.New("wrong"))
			}
		}
		return err
	}
}

func twice(challenge ssh.KeyboardInteractiveChallenge) error {
	return errors.Join(asks("", "Password: ")(challenge), asks("", "Password: ")(challenge), asks("Done")(challenge))
}

func echoed(challenge ssh.KeyboardInteractiveChallenge) error {
	_, err := challenge("", "", []string{"Which realm?"}, []bool{true})
	return err
}

func endlessly(challenge ssh.KeyboardInteractiveChallenge) error {
	for {
		if err := asks("", "Password: ")(challenge); err != nil {
			return err
		}
	}
}

func refusing(ssh.KeyboardInteractiveChallenge) error { return errors.New("no") }

// TestUnreadableHosts has lines in a known_hosts file that nobody can read. They are warned of once, and refuse nothing.
func TestUnreadableHosts(t *testing.T) {
	l := testserver.ScriptedSSH(t, &ssh.ServerConfig{}, new(scripted).serve)
	content, err := os.ReadFile(l.KnownHosts.Path())
	must(t, err)
	foreign := "other.example.com ssh-future AAAA\nother.example.com ssh-rsa =AAA\nold.example.com 1024 35 12345\n|1|a|b ssh-rsa AAAA\n"
	must(t, os.WriteFile(l.KnownHosts.Path(), append([]byte(foreign), content...), 0o600))
	var log bytes.Buffer
	f, err := Open(slog.New(slog.NewTextHandler(&log, nil)), config.Client{Name: "KREWE", SFTP: []config.SFTP{l}})
	must(t, err)
	defer func() { must(t, f.Close()) }()
	for range 3 {
		see(t, f, 0)
		f.servers[0].drop()
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, `lines="1 2 3 4"`) || !strings.Contains(text, l.KnownHosts.Path()) {
		t.Errorf("logged\n%s", text)
	}
}

// FuzzAnswers has a server answer anything. A look ends, and with no more than an error.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{})
	f.Add(slices.Concat(marshal(uint32(5)), []byte{fxVersion}, marshal(uint32(3), uint32(10)), []byte{fxHandle}, marshal(uint32(1), "h")))
	f.Add(slices.Concat(marshal(uint32(5)), []byte{fxVersion}, marshal(uint32(3), uint32(9)), []byte{fxName}, marshal(uint32(1), never32)))
	f.Fuzz(func(t *testing.T, answers []byte) {
		s, err := newSession(bytes.NewReader(answers), io.Discard)
		if err != nil {
			return
		}
		handle, _ := s.openFolder("/")
		for s.broken == nil {
			if _, err := s.readFolder(handle, func(entry) {}); err != nil {
				break
			}
		}
		_, _ = s.stat("/a")
		_ = s.readAt(handle, make([]byte, 10), 0)
		_ = s.close(handle)
		if context.Cause(t.Context()) != nil {
			t.Error("no end")
		}
	})
}
