package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// plain says in plain words what went wrong, for people: without secrets, and naming the client.
func (s *Source) plain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("client %s: gave up: %w (%s)", s.client.Name, context.Cause(ctx), s.mask(err).Error())
	}
	return fmt.Errorf("client %s: %w", s.client.Name, s.mask(err))
}

// mask masks what a driver or a server quotes of the secret.
func (s *Source) mask(err error) error {
	dsn, readErr := s.client.Database.DSN.Read()
	if readErr != nil {
		return err
	}
	password := s.dialect.password(dsn)
	return config.Mask(err, password, url.QueryEscape(password), url.PathEscape(password))
}

// lackError says what the database does not have.
type lackError string

func (e lackError) Error() string { return string(e) }

// lookBackError says why there is no history yet.
type lookBackError struct {
	area, progress string
	failed         error
}

func (e lookBackError) Error() string {
	text := fmt.Sprintf("the look back at the history of %s is not complete: %s", e.area, e.progress)
	if e.failed != nil {
		text += ", last attempt: " + e.failed.Error()
	}
	return text
}

func (e lookBackError) Is(target error) bool {
	return target == oms.ErrLookBack || errors.Is(e.failed, target)
}
