package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// plain says in plain words what went wrong, for people: without secrets, and naming the client.
func (s *Source) plain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("client %s: gave up: %w (%s)", s.client.Name, context.Cause(ctx), s.mask(err.Error()))
	}
	return &plainError{text: fmt.Sprintf("client %s: %s", s.client.Name, s.mask(err.Error())), err: err}
}

// plainError prints masked. It answers errors.Is and As, but does not unwrap: what it wraps is not masked.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string        { return e.text }
func (e *plainError) Is(target error) bool { return errors.Is(e.err, target) }
func (e *plainError) As(target any) bool   { return errors.As(e.err, target) }

// mask removes what a driver or a server quotes of the secret.
func (s *Source) mask(text string) string {
	dsn, err := s.client.Database.DSN.Read()
	if err != nil {
		return text
	}
	password := s.dialect.password(dsn)
	for _, secret := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "<secret>")
		}
	}
	return text
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
