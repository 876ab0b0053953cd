package config

import (
	"errors"
	"strings"
)

// Mask returns err with what it quotes of the secrets masked; an empty secret and a nil err are left alone.
func Mask(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "<secret>")
		}
	}
	return &maskedError{text, err}
}

// maskedError prints masked. It answers errors.Is and As, but does not unwrap: what it wraps is not masked.
type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string        { return e.text }
func (e *maskedError) Is(target error) bool { return errors.Is(e.err, target) }
func (e *maskedError) As(target any) bool   { return errors.As(e.err, target) }
