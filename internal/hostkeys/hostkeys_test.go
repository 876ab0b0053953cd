package hostkeys_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/oms-exporter/oms_exporter/internal/hostkeys"
)

func newSigner(tb testing.TB) ssh.Signer {
	tb.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

// text is a key as it stands in a file.
func text(key ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) }

// TestNames has lines of every form, and the addresses that each is for.
func TestNames(t *testing.T) {
	key := newSigner(t).PublicKey()
	addresses := []string{"sftp.example.com:22", "sftp.example.com:2222", "a.example.com:22", "192.0.2.7:22", "[2001:db8::7]:22"}
	hidden := func(name string) string { return knownhosts.HashHostname(name) }
	for names, want := range map[string][]string{
		"sftp.example.com":                    addresses[:2],
		"SFTP.Example.com":                    addresses[:2],
		"[sftp.example.com]:2222":             addresses[1:2],
		"sftp.example.com:2222":               addresses[1:2],
		"other,sftp.example.com,192.0.2.7":    {addresses[0], addresses[1], addresses[3]},
		"*.example.com":                       addresses[:3],
		"*.example.com,!a.example.com":        addresses[:2],
		"[*.example.com]:2222":                addresses[1:2],
		"?.example.com":                       addresses[2:3],
		"a.example.co":                        nil,
		"a?example.com.":                      nil,
		"*":                                   addresses,
		"*,!*":                                nil,
		"2001:db8::7":                         addresses[4:],
		hidden("sftp.example.com"):            addresses[:2],
		hidden("[sftp.example.com]:2222"):     addresses[1:2],
		"@cert-authority *.example.com":       addresses[:3],
		"@revoked sftp.example.com":           nil,
		strings.Repeat("*a", 1000) + ".never": nil,
	} {
		f := hostkeys.Parse([]byte("# of all\n\n  " + names + "\t" + text(key) + " a comment\r\n"))
		var got []string
		for _, address := range addresses {
			for _, known := range f.For(address) {
				got = append(got, address)
				if known.Line != 3 || known.Authority != strings.HasPrefix(names, "@cert") || string(known.Key.Marshal()) != string(key.Marshal()) {
					t.Errorf("%.40s: %+v", names, known)
				}
			}
		}
		if !slices.Equal(got, want) || len(f.Unreadable) > 0 || f.Empty() {
			t.Errorf("%.40s is for %v, want %v; unreadable %v", names, got, want, f.Unreadable)
		}
	}
}

// TestUnreadable has lines that say nothing among others that are taken all the same.
func TestUnreadable(t *testing.T) {
	key := text(newSigner(t).PublicKey())
	kind, blob, _ := strings.Cut(key, " ")
	for _, line := range []string{
		"nonsense", "host", "host " + kind, "host ssh-future AAAAC3NzaC1mdXR1cmU=", "host ssh-rsa " + blob, "host " + kind + " !" + blob,
		"host " + kind + " " + blob[:20], "old 1024 35 12345678901234567890", "@unknown host " + key, "@revoked", "@cert-authority @revoked host " + key,
		"|1|nonsense " + key, "|2|" + blob[:4] + "|" + blob[:4] + " " + key, "\x00\xff\xfe", strings.Repeat("x", 1<<20),
	} {
		f := hostkeys.Parse([]byte(line + "\nhost " + key + "\n" + line))
		if !slices.Equal(f.Unreadable, []int{1, 3}) || len(f.For("host:22")) != 1 {
			t.Errorf("%.60q: unreadable %v, known %v", line, f.Unreadable, f.For("host:22"))
		}
		if !hostkeys.Parse([]byte(line)).Empty() {
			t.Errorf("%.60q alone is no empty file", line)
		}
	}
	if f := hostkeys.Parse([]byte("# nothing\n")); f.Empty() || f.Unreadable != nil {
		t.Errorf("of comments: %+v", f)
	}
}

func TestCheck(t *testing.T) {
	host, other, authority := newSigner(t), newSigner(t), newSigner(t)
	certificate := func(by ssh.Signer, name string) ssh.PublicKey {
		c := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{name}, ValidBefore: ssh.CertTimeInfinity}
		if err := c.SignCert(rand.Reader, by); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for content, want := range map[string]error{
		"host " + text(host.PublicKey()) + "\n@cert-authority * " + text(authority.PublicKey()) + "\n": nil,
		"host " + text(host.PublicKey()) + "\n[host]:2222 " + text(authority.PublicKey()) + "\n":       hostkeys.ErrUnknown,
	} {
		if err := hostkeys.Parse([]byte(content)).Check("host:2222", nil, host.PublicKey()); !errors.Is(err, want) {
			t.Errorf("on another port: got %v, want %v with\n%s", err, want, content)
		}
	}
	known := "host " + text(host.PublicKey()) + "\n"
	certified := "@cert-authority host " + text(authority.PublicKey()) + "\n"
	revoked := func(s ssh.Signer) string { return "@revoked elsewhere " + text(s.PublicKey()) + "\n" }
	refused := errors.New("anything else")
	for i, test := range []struct {
		content string
		key     ssh.PublicKey
		want    error
	}{
		{known, host.PublicKey(), nil},
		{known, other.PublicKey(), hostkeys.ErrUnknown},
		{known + revoked(host), host.PublicKey(), hostkeys.ErrRevoked},
		{certified, certificate(authority, "host"), nil},
		{certified, certificate(authority, "another"), refused},
		{certified, certificate(other, "host"), refused},
		{certified, authority.PublicKey(), hostkeys.ErrUnknown},
		{known, certificate(authority, "host"), nil}, // by its key, as without a certificate
		{known + certified, certificate(other, "host"), nil},
		{known + certified, certificate(authority, "another"), nil},
		{known + revoked(authority), certificate(authority, "host"), refused},
		{known + revoked(host), certificate(authority, "host"), refused},
		{certified + revoked(authority), certificate(authority, "host"), refused},
		{certified + revoked(host), certificate(authority, "host"), refused},
	} {
		err := hostkeys.Parse([]byte(test.content)).Check("host:22", nil, test.key)
		if test.want == refused && err != nil && !errors.Is(err, hostkeys.ErrUnknown) { //nolint:errorlint // it is the very one
			continue
		}
		if !errors.Is(err, test.want) || fmt.Sprint(err) != fmt.Sprint(test.want) {
			t.Errorf("%d: got %v, want %v", i, err, test.want)
		}
	}
}
