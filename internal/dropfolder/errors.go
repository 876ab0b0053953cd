package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// plain says in plain words what went wrong at a location, for people: without secrets, and naming client and location.
func plain(ctx context.Context, client string, l *location, err error) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf("client %s: location %s", client, l.config.Location)
	err = redact(l.config.Password, err)
	if cause := ended(ctx); cause != nil {
		return fmt.Errorf("%s: gave up: %w (%w)", what, cause, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// ended returns why the context ends, also when the connection's own deadline came a moment before it.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ctx.Err() == nil && ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return context.Cause(ctx)
}

// redact removes what a server quotes of the password. It never gets to see the key and its passphrase.
func redact(password config.Secret, err error) error {
	secret, _ := password.Read() // without it there is nothing to mask
	return config.Redact(err, secret)
}

// handshakeError says why there is no SSH connection.
func handshakeError(c config.SFTP, l *login, err error) error {
	var key hostKeyError
	var algorithms *ssh.AlgorithmNegotiationError
	switch {
	case errors.As(err, &key):
		return key
	case errors.As(err, &algorithms):
		return algorithmError(c, algorithms)
	}
	if refusal := l.failure(c, err); refusal != nil {
		return refusal
	}
	return fmt.Errorf("%s is reached, but there is no SSH connection: %w", c.Address, err)
}

// algorithmError says what a server offers that has nothing in common with the exporter, and whether to allow it.
func algorithmError(c config.SFTP, err *ssh.AlgorithmNegotiationError) error {
	offer := config.Brief(strings.Join(err.RequestedAlgorithms, ", "), maxWords)
	old := ssh.InsecureAlgorithms()
	known := slices.Concat(old.KeyExchanges, old.HostKeys, old.Ciphers, old.MACs)
	if !slices.ContainsFunc(err.RequestedAlgorithms, func(offered string) bool { return slices.Contains(known, offered) }) {
		return fmt.Errorf("%s offers for %s only %s, none of which the exporter knows: ask its owner for others", c.Address, err.What, offer)
	}
	return fmt.Errorf("%s offers for %s only old algorithms (%s): ask its owner for newer ones, or write legacy_algorithms: true "+
		"to allow algorithms that are known to be weak", c.Address, err.What, offer)
}

// clientConfig returns how the connection is made. What is known to be weak is offered last, and only where the configuration
// allows it.
func clientConfig(c config.SFTP, hosts *knownHosts) *ssh.ClientConfig {
	good := ssh.SupportedAlgorithms()
	if c.LegacyAlgorithms {
		old := ssh.InsecureAlgorithms()
		good.KeyExchanges = append(good.KeyExchanges, old.KeyExchanges...)
		good.Ciphers = append(good.Ciphers, old.Ciphers...)
		good.MACs = append(good.MACs, old.MACs...)
	}
	return &ssh.ClientConfig{
		Config: ssh.Config{KeyExchanges: good.KeyExchanges, Ciphers: good.Ciphers, MACs: good.MACs},
		User:   c.Username, HostKeyCallback: hosts.check, HostKeyAlgorithms: hosts.algorithms(c.Address, c.LegacyAlgorithms),
	}
}

// pathError says what to do about a folder or file that cannot be read.
func pathError(c config.SFTP, what, path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %q does not exist, make it or correct the path: %w", what, path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s %q may not be read by user %s, grant it: %w", what, path, c.Username, err)
	default:
		return fmt.Errorf("%s %q cannot be read: %w", what, path, err)
	}
}
