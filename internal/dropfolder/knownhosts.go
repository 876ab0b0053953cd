package dropfolder

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/hostkeys"
)

// knownHosts is a known_hosts file.
type knownHosts struct {
	path string
	*hostkeys.File
}

func readKnownHosts(file config.Secret) (*knownHosts, error) {
	content, err := file.Read()
	if err != nil {
		return nil, fmt.Errorf("known_hosts file: %w", err)
	}
	return &knownHosts{file.Path(), hostkeys.Parse([]byte(content))}, nil
}

// unreadable names the lines that say nothing, or is empty.
func (k *knownHosts) unreadable() string {
	const most = 10
	if len(k.Unreadable) == 0 {
		return ""
	}
	text := strings.Trim(fmt.Sprint(k.Unreadable[:min(most, len(k.Unreadable))]), "[]")
	if len(k.Unreadable) > most {
		text += fmt.Sprintf(" and %d more", len(k.Unreadable)-most)
	}
	return text
}

// hostKeyError says why a server's host key is not good. It is fit to be shown.
type hostKeyError string

func (e hostKeyError) Error() string { return string(e) }

// check is a ssh.HostKeyCallback that says what to do. The library calls it in a goroutine of its own.
func (k *knownHosts) check(address string, remote net.Addr, key ssh.PublicKey) error {
	return flight.Run(func() error { return k.judge(address, remote, key) })
}

func (k *knownHosts) judge(address string, remote net.Addr, key ssh.PublicKey) error {
	err := k.Check(address, remote, key)
	if err == nil {
		return nil
	}
	offer := fmt.Sprintf("%s offers the host key %s %s", address, key.Type(), ssh.FingerprintSHA256(key))
	if !errors.Is(err, hostkeys.ErrUnknown) {
		return hostKeyError(fmt.Sprintf("%s, which %s rules out: %v", offer, k.path, err))
	}
	var known []string
	for _, want := range k.For(address) {
		known = append(known, fmt.Sprintf("%s %s in line %d", want.Key.Type(), ssh.FingerprintSHA256(want.Key), want.Line))
	}
	if len(known) > 0 {
		return hostKeyError(fmt.Sprintf("%s, but %s has %s: it is another server, or it has a new key: ask its owner before correcting the file",
			offer, k.path, strings.Join(known, ", ")))
	}
	but := ""
	if lines := k.unreadable(); lines != "" {
		but = " (what cannot be read apart: line " + lines + ")"
	}
	host, port, _ := net.SplitHostPort(address) // it comes from the configuration, which has both
	return hostKeyError(fmt.Sprintf("%s, and %s has none for it%s: ask the server's owner whether it is right, then add what "+
		"\"ssh-keyscan -p %s %s\" prints there", offer, k.path, but, port, host))
}

// algorithms returns the algorithms of host keys, first those of the keys that are known of the server: of its several keys
// it shall offer one that can be compared. The others follow, so that the key that it has instead can be told, and last the
// certificates, which are no good without a known authority.
func (k *knownHosts) algorithms(address string, legacy bool) []string {
	all := ssh.SupportedAlgorithms().HostKeys
	if legacy {
		all = append(all, ssh.InsecureAlgorithms().HostKeys...)
	}
	first := map[string]bool{}
	for _, known := range k.For(address) {
		for _, algorithm := range all {
			if serves(algorithm, known) {
				first[algorithm] = true
			}
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
	slices.SortStableFunc(all, func(a, b string) int { return rank(a) - rank(b) })
	return all
}

// serves reports whether a server that uses the algorithm may prove that it has the key. An authority may sign keys of every kind.
func serves(algorithm string, known hostkeys.Known) bool {
	switch {
	case known.Authority:
		return isCertificate(algorithm)
	case known.Key.Type() == ssh.KeyAlgoRSA:
		return slices.Contains([]string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}, algorithm)
	default:
		return algorithm == known.Key.Type()
	}
}

func isCertificate(algorithm string) bool { return strings.Contains(algorithm, "-cert-") }
