package dropfolder

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// knownHosts is a known_hosts file.
type knownHosts struct {
	file   string
	lines  [][]byte
	lookup ssh.HostKeyCallback
}

func readKnownHosts(file string) (*knownHosts, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("known_hosts file: %w", err)
	}
	lookup, err := knownhosts.New(file)
	if err != nil {
		return nil, fmt.Errorf("known_hosts file %s: %w", file, err)
	}
	return &knownHosts{file, bytes.Split(content, []byte("\n")), lookup}, nil
}

// hostKeyError says why a server's host key is not good. It is fit to be shown.
type hostKeyError string

func (e hostKeyError) Error() string { return string(e) }

// check is a ssh.HostKeyCallback that says what to do.
func (k *knownHosts) check(address string, remote net.Addr, key ssh.PublicKey) error {
	err := k.lookup(address, remote, key)
	if err == nil {
		return nil
	}
	offer := fmt.Sprintf("%s offers the host key %s %s", address, key.Type(), ssh.FingerprintSHA256(key))
	var differs *knownhosts.KeyError
	if !errors.As(err, &differs) {
		return hostKeyError(fmt.Sprintf("%s, which %s rules out: %v", offer, k.file, err))
	}
	if len(differs.Want) == 0 {
		return hostKeyError(fmt.Sprintf("%s, and %s has none for it: ask the server's owner whether it is right, then add it there",
			offer, k.file))
	}
	var known []string
	for _, want := range differs.Want {
		known = append(known, fmt.Sprintf("%s %s in line %d", want.Key.Type(), ssh.FingerprintSHA256(want.Key), want.Line))
	}
	return hostKeyError(fmt.Sprintf("%s, but %s has %s: it is another server, or it has a new key: ask its owner before correcting the file",
		offer, k.file, strings.Join(known, ", ")))
}

// algorithms returns the algorithms of host keys, first those of the keys that are known of the server: of its several keys
// it shall offer one that can be compared. The others follow, so that the key that it has instead can be told, and last the
// certificates, which are no good without a known authority.
func (k *knownHosts) algorithms(address string, remote net.Addr) []string {
	first := map[string]bool{}
	for _, known := range k.of(address, remote) {
		for _, algorithm := range k.algorithmsOf(known) {
			first[algorithm] = true
		}
	}
	rank := func(algorithm string) int {
		switch {
		case first[algorithm]:
			return 0
		case !isCertificate(algorithm):
			return 1
		default:
			return 2
		}
	}
	all := ssh.SupportedAlgorithms().HostKeys
	slices.SortStableFunc(all, func(a, b string) int { return rank(a) - rank(b) })
	return all
}

func isCertificate(algorithm string) bool { return strings.Contains(algorithm, "-cert-") }

// of returns the keys that are known of a server: those that the complaint about a key that nobody has names.
func (k *knownHosts) of(address string, remote net.Addr) []knownhosts.KnownKey {
	nobodys, err := ssh.NewPublicKey(make(ed25519.PublicKey, ed25519.PublicKeySize))
	if err != nil {
		return nil
	}
	var differs *knownhosts.KeyError
	errors.As(k.lookup(address, remote, nobodys), &differs)
	if differs == nil {
		return nil
	}
	return differs.Want
}

func (k *knownHosts) algorithmsOf(known knownhosts.KnownKey) []string {
	switch {
	case k.isAuthority(known.Line): // it may sign keys of every kind
		plain := func(algorithm string) bool { return !isCertificate(algorithm) }
		return slices.DeleteFunc(ssh.SupportedAlgorithms().HostKeys, plain)
	case known.Key.Type() == ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	default:
		return []string{known.Key.Type()}
	}
}

func (k *knownHosts) isAuthority(line int) bool {
	if line > len(k.lines) { // the file changes while it is read
		return false
	}
	marker, _, _, _, _, err := ssh.ParseKnownHosts(k.lines[line-1])
	return err == nil && marker == "cert-authority"
}
