// Package hostkeys reads known_hosts files as OpenSSH's client does: a line that it cannot read, of whatever host, is no reason
// to trust none of the others. (knownhosts of x/crypto refuses such a file.)
package hostkeys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // OpenSSH hides the names of hosts with it, and nothing else hangs on it
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// A File is a known_hosts file.
type File struct {
	keys    []line
	revoked []line
	// Unreadable are the numbers of the lines that say nothing.
	Unreadable []int
}

// A Known is a host key, or the key of an authority that certifies host keys.
type Known struct {
	Line      int
	Key       ssh.PublicKey
	Authority bool
}

type line struct {
	Known
	hosts []string // patterns, or one that begins with | and hides a name
}

// ErrRevoked says that the file revokes the key.
var ErrRevoked = errors.New("the key is revoked")

// ErrUnknown says that the file does not have the key for the host.
var ErrUnknown = errors.New("the key is not known")

// Parse reads the content of a file.
func Parse(content []byte) *File {
	f := &File{}
	for i, text := range bytes.Split(content, []byte("\n")) {
		text = bytes.TrimSpace(text)
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		marker, hosts, key, _, _, err := ssh.ParseKnownHosts(text)
		l := line{Known{Line: i + 1, Key: key, Authority: marker == "cert-authority"}, hosts}
		switch {
		case err != nil, strings.HasPrefix(hosts[0], "@"), strings.HasPrefix(hosts[0], "|") && !isHidden(hosts[0]):
			f.Unreadable = append(f.Unreadable, l.Line)
		case marker == "revoked":
			f.revoked = append(f.revoked, l)
		case marker == "", l.Authority:
			f.keys = append(f.keys, l)
		default:
			f.Unreadable = append(f.Unreadable, l.Line)
		}
	}
	return f
}

// Empty reports whether nothing in the file says anything, though it has lines that should.
func (f *File) Empty() bool { return len(f.keys)+len(f.revoked) == 0 && len(f.Unreadable) > 0 }

// For returns the keys that the file has for an address (host:port) and, where it has none of the server itself, for the host without the port.
func (f *File) For(address string) []Known {
	names := names(address)
	known := f.named(names)
	host, _, err := net.SplitHostPort(address)
	if err != nil || slices.ContainsFunc(known, func(k Known) bool { return !k.Authority }) {
		return known
	}
	return f.named(append(names, strings.ToLower(host)))
}

func (f *File) named(names []string) []Known {
	var known []Known
	for _, l := range f.keys {
		if l.matches(names) {
			known = append(known, l.Known)
		}
	}
	return known
}

// Check is an ssh.HostKeyCallback.
func (f *File) Check(address string, remote net.Addr, key ssh.PublicKey) error {
	checker := ssh.CertChecker{
		IsHostAuthority: func(authority ssh.PublicKey, address string) bool { return f.has(address, authority, true) },
		IsRevoked:       func(c *ssh.Certificate) bool { return f.revokes(c.Key) || f.revokes(c.SignatureKey) },
		HostKeyFallback: func(address string, _ net.Addr, key ssh.PublicKey) error {
			switch {
			case f.revokes(key):
				return ErrRevoked
			case !f.has(address, key, false):
				return ErrUnknown
			}
			return nil
		},
	}
	err := checker.CheckHostKey(address, remote, key)
	if cert, is := key.(*ssh.Certificate); is && err != nil && !checker.IsRevoked(cert) {
		// Of another authority, or expired: then its key may be known all the same.
		if checker.HostKeyFallback(address, remote, cert.Key) == nil {
			return nil
		}
	}
	return err
}

func (f *File) has(address string, key ssh.PublicKey, authority bool) bool {
	return slices.ContainsFunc(f.For(address), func(k Known) bool { return k.Authority == authority && same(k.Key, key) })
}

// revokes holds for every host: who has the key of one can pretend to be another.
func (f *File) revokes(key ssh.PublicKey) bool {
	return slices.ContainsFunc(f.revoked, func(l line) bool { return same(l.Key, key) })
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// matches reports whether one of the patterns matches, and none that begins with ! does.
func (l line) matches(names []string) bool {
	matched := false
	for _, pattern := range l.hosts {
		pattern, not := strings.CutPrefix(pattern, "!")
		if slices.ContainsFunc(names, func(name string) bool { return matches(pattern, name) }) {
			if not {
				return false
			}
			matched = true
		}
	}
	return matched
}

// names returns how the file may name an address: as OpenSSH does, or with the port where it need not be there.
func names(address string) []string {
	address = strings.ToLower(address)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return []string{address}
	}
	return []string{knownhosts.Normalize(address), "[" + host + "]:" + port, host + ":" + port}
}

func matches(pattern, name string) bool {
	if strings.HasPrefix(pattern, "|") {
		salt, hash, ok := hidden(pattern)
		mac := hmac.New(sha1.New, salt)
		mac.Write([]byte(name))
		return ok && hmac.Equal(mac.Sum(nil), hash)
	}
	expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(strings.ToLower(pattern)))
	found, err := regexp.MatchString(fmt.Sprintf(`^(?s:%s)$`, expression), name)
	return err == nil && found
}

func isHidden(pattern string) bool {
	_, _, ok := hidden(pattern)
	return ok
}

// hidden returns the salt and the hash of a name that ssh-keygen -H has hidden.
func hidden(pattern string) (salt, hash []byte, ok bool) {
	parts := strings.Split(pattern, "|")
	if len(parts) != 4 || parts[0] != "" || parts[1] != "1" {
		return nil, nil, false
	}
	salt, saltErr := base64.StdEncoding.DecodeString(parts[2])
	hash, hashErr := base64.StdEncoding.DecodeString(parts[3])
	return salt, hash, saltErr == nil && hashErr == nil
}
