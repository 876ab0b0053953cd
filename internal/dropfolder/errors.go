package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// plain says in plain words what went wrong at a location, for people: without secrets, and naming client and location.
func plain(ctx context.Context, client string, l *location, err error) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf("client %s: location %s", client, l.config.Location)
	err = mask(l.config.Password, err)
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

// mask removes what a server quotes of the password. It never gets to see the key and its passphrase.
func mask(password config.Secret, err error) error {
	secret, readErr := password.Read()
	if readErr != nil {
		return err
	}
	return config.Mask(err, secret)
}

// handshakeError says why there is no SSH connection.
func handshakeError(c config.SFTP, err error) error {
	var key hostKeyError
	switch {
	case errors.As(err, &key):
		return key
	case strings.Contains(err.Error(), "unable to authenticate"): // the library has no type for it
		return fmt.Errorf("%s refuses the login of user %s, check the username and the password or key: %w", c.Address, c.Username, err)
	default:
		return fmt.Errorf("%s is reached, but there is no SSH connection: %w", c.Address, err)
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
