package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Secret is a setting that comes from a file or from the environment and is read anew at each use, so that it can be
// rotated without a restart. It never prints, whatever it is formatted, marshalled or logged with.
type Secret struct {
	// text is a pointer because fmt cannot call the methods of a value in an unexported field of another struct: it
	// prints what the fields hold, and of a pointer to text only the address.
	text *string // a path when file is set, else a template with each ${NAME} to be replaced by the environment
	file bool
	held *[sha256.Size]byte // the digest of what it held when the configuration was loaded
}

// FileSecret is the content of a file, without the white space around it.
func FileSecret(path string) Secret { return Secret{text: &path, file: true} }

// EnvSecret is the template with each ${NAME} replaced by that variable of the environment, as it is: in a URL the
// variable must hold percent-encoded text.
func EnvSecret(template string) Secret { return Secret{text: &template} }

// Read returns the secret as it is now. Its errors name the file or the variable, and never hold any of the secret.
func (s Secret) Read() (string, error) {
	switch {
	case s.text == nil:
		return "", errors.New("the secret is not set")
	case s.file:
		return readFile(*s.text)
	default:
		return expand(*s.text)
	}
}

var errEmptyFile = errors.New("the file is empty")

func readFile(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	value := strings.TrimSpace(string(content))
	if value == "" {
		return "", fmt.Errorf("read secret: %s: %w", path, errEmptyFile)
	}
	return value, nil
}

// variable matches ${NAME} and, without a name in its group, whatever else begins with ${.
var variable = regexp.MustCompile(`\$\{(?:([A-Za-z_][A-Za-z0-9_]*)\}|[^}]*\}?)`)

// expand takes an empty variable for a mistake, as readFile does an empty file.
func expand(template string) (string, error) {
	var err error
	value := variable.ReplaceAllStringFunc(template, func(match string) string {
		name := variable.FindStringSubmatch(match)[1]
		value := os.Getenv(name)
		switch {
		case err != nil:
		case name == "":
			err = errors.New("a ${ does not begin a ${NAME}")
		case value == "":
			err = fmt.Errorf("the environment variable %s is unset or empty", name)
		}
		return value
	})
	if err != nil {
		return "", err
	}
	return value, nil
}

// as notes what the secret holds now, so that a reload can tell whether that has changed.
func (s Secret) as(value string) Secret {
	held := sha256.Sum256([]byte(value))
	s.held = &held
	return s
}

// same tells whether two secrets come from one place.
func (s Secret) same(other Secret) bool {
	if s.text == nil || other.text == nil {
		return s.text == other.text
	}
	return s.file == other.file && *s.text == *other.text
}

// equal tells whether they also held the same.
func (s Secret) equal(other Secret) bool { return s.same(other) && sameHeld(s.held, other.held) }

// sameHeld compares what two files or variables held. What was not loaded holds nothing that could differ.
func sameHeld(a, b *[sha256.Size]byte) bool { return a == nil || b == nil || *a == *b }

const hidden = "<secret>"

// String hides the secret.
func (Secret) String() string { return hidden }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from json, yaml and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
