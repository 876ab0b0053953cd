package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// A SecretFault is what is wrong with a secret, or another file, that a client's entry names. It is that client's trouble: the
// others are watched, and so is whatever of the client does not need it.
type SecretFault struct {
	Reason FaultReason
	// Text is for people: file, line, client and what to do about it. It never repeats the secret.
	Text string
}

// FaultReason is what cannot be reached for want of a secret.
type FaultReason string

// The reasons.
const (
	DatabaseSecret FaultReason = "database_secret"
	SFTPSecret     FaultReason = "sftp_secret" // or the server's host key
	SupersetSecret FaultReason = "superset_secret"
)

// SecretFaults reads the client's secrets as they are now, and tells what is wrong with them. It is safe for concurrent use.
func (c Client) SecretFaults() []SecretFault {
	var faults []SecretFault
	for _, o := range c.outside {
		if f, _ := o.look(); f != nil {
			faults = append(faults, *f)
		}
	}
	return faults
}

// outside is a secret of a client as its entry names it.
type outside struct {
	where  string // file, line and client, for the message
	what   string // the setting
	holds  string // what it should hold, in words
	secret Secret
	also   []Secret // others on which the judgement depends
	// fault says what is wrong with what the secret holds, if anything, behind the name of the setting.
	fault func(value string) string

	mu     sync.Mutex
	judged [sha256.Size]byte // what was held when fault was asked last: to decrypt a key takes long
	last   string            // and its answer
}

// look reads the secret, and returns its fault, or nil and what it holds.
func (o *outside) look() (*SecretFault, string) {
	value, err := o.secret.read()
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable): // a path that cannot be read may be a misplaced secret, so it is not repeated
		return o.found("%s cannot be read (%s): write the path of a readable file", o.what, unreadable.Err), ""
	case errors.Is(err, errUTF16):
		return o.found("%s names a file in UTF-16: save it as UTF-8", o.what), ""
	case errors.Is(err, errEmptyFile):
		return o.found("%s names an empty file: write %s into it", o.what, o.holds), ""
	case err != nil:
		return o.found("%s: %s: write the ${NAME} of a variable that is set for the exporter, or %s_file instead",
			o.what, err, o.what[strings.LastIndex(o.what, ".")+1:]), ""
	}
	if wrong := o.judge(value); wrong != "" {
		return o.found("%s%s", o.what, wrong), ""
	}
	return nil, value
}

func (o *outside) judge(value string) string {
	held := sha256.New()
	_, _ = held.Write([]byte(value))
	for _, other := range o.also {
		text, _ := other.Read() // what is wrong with it is its own fault
		_, _ = held.Write([]byte("\x00" + text))
	}
	digest := [sha256.Size]byte(held.Sum(nil))
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.judged != digest {
		o.judged, o.last = digest, o.fault(value)
	}
	return o.last
}

func (o *outside) found(format string, args ...any) *SecretFault {
	reason := DatabaseSecret
	switch section, _, _ := strings.Cut(o.what, "."); section {
	case "sftp":
		reason = SFTPSecret
	case "superset":
		reason = SupersetSecret
	}
	return &SecretFault{reason, o.where + fmt.Sprintf(format, args...)}
}

// outside takes in a secret. It returns it with a note of what it holds, if it is good. A fault of it is no mistake in the
// file, unless all of it stands there.
func (r *reader) outside(line int, what, holds string, s Secret, fault func(string) string, also ...Secret) Secret {
	o := &outside{where: r.where(line, r.client, 0), what: what, holds: holds, secret: s, also: also, fault: fault}
	f, value := o.look()
	s.judge = o
	switch {
	case f == nil:
		s = s.as(value)
	case s.written():
		r.mistakes.add(line, r.client, strings.TrimPrefix(f.Text, o.where), "")
		return s
	default:
		r.faults.add(line, r.client, strings.TrimPrefix(f.Text, o.where), *s.text)
	}
	r.secrets = append(r.secrets, o)
	return s
}

// anything finds no fault with what a secret holds.
func anything(string) string { return "" }
