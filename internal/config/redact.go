package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxError is how many bytes are shown of an error: a server's words may be as long as it likes.
const maxError = 4 << 10

// Redact returns err as it may be shown: with what it quotes of the secrets masked, and brief. An empty secret and a nil err
// are left alone. All that databases, SFTP servers and Superset say comes through here before it is logged or shown.
func Redact(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "<secret>")
		}
	}
	return &maskedError{Brief(text, maxError), err}
}

// Brief returns foreign text of at most so many bytes, and says how many more there were. Control characters, but the new
// lines between joined errors, and what is not UTF-8 are escaped: they would change what a terminal or a page shows.
func Brief(text string, most int) string {
	var b strings.Builder
	for i, r := range text {
		shown := string(r)
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			shown = fmt.Sprintf(`\x%02x`, text[i])
		case r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			shown = strings.Trim(strconv.QuoteToASCII(shown), `"`)
		}
		if b.Len()+len(shown) > most {
			fmt.Fprintf(&b, "… (%d bytes more)", len(text)-i)
			break
		}
		b.WriteString(shown)
	}
	return b.String()
}

// maskedError prints masked. It answers errors.Is and As, but does not unwrap: what it wraps is not masked.
type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string        { return e.text }
func (e *maskedError) Is(target error) bool { return errors.Is(e.err, target) }
func (e *maskedError) As(target any) bool   { return errors.As(e.err, target) }
