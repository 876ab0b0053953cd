package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Secret is a setting that comes from a file or from the environment and is read again at each use, so that it can be
// rotated without a restart. It never prints, whatever it is formatted, marshalled or logged with.
type Secret struct {
	// text is a pointer because fmt cannot call the methods of a value in an unexported field of another struct: it
	// prints what the fields hold, and of a pointer to text only the address.
	text  *string // a path when file is set, else a template with each ${NAME} to be replaced by the environment
	file  bool
	lines bool               // the lines of the file are counted: blank ones at its beginning stay
	held  *[sha256.Size]byte // the digest of what it held when the configuration was loaded
	files *files             // by which a file is read
	judge *outside           // says whether what is held can be used; nil for anything can
}

// FileSecret is the content of a file, without the white space around it and a byte order mark.
func FileSecret(path string) Secret { return Secret{text: &path, file: true} }

// FileLines is FileSecret of a text whose lines are counted: the white space around it stays.
func FileLines(path string) Secret { return Secret{text: &path, file: true, lines: true} }

// EnvSecret is the template with each ${NAME} replaced by that variable of the environment, as it is: in a URL the
// variable must hold percent-encoded text.
func EnvSecret(template string) Secret { return Secret{text: &template} }

// Read returns the secret as it is now. Its errors name the file or the variable, and never hold any of the secret. One of a
// wrong form is an error too: what it is given to would quote it.
func (s Secret) Read() (string, error) {
	value, err := s.read()
	if err == nil && s.judge != nil {
		if wrong := s.judge.judge(value); wrong != "" {
			return "", formError(s.judge.what + wrong)
		}
	}
	return value, err
}

// A formError says which setting holds something of a wrong form, and what to do about it.
type formError string

func (e formError) Error() string { return string(e) }

// read is Read without a look at the form.
func (s Secret) read() (string, error) {
	switch {
	case s.text == nil:
		return "", errors.New("the secret is not set")
	case s.file:
		return s.readFile()
	default:
		return expand(*s.text)
	}
}

// Path is that of the secret's file, empty where it comes from the environment.
func (s Secret) Path() string {
	if !s.file {
		return ""
	}
	return *s.text
}

// Beside is the file that has the same path with a suffix, if the secret is a file.
func (s Secret) Beside(suffix string) Secret {
	if s.file {
		path := *s.text + suffix
		return Secret{text: &path, file: true, files: s.files}
	}
	return Secret{}
}

var (
	errEmptyFile = errors.New("the file is empty")
	errUTF16     = errors.New("the file is encoded in UTF-16: save it as UTF-8")
)

const byteOrderMark = "\ufeff" // some editors begin each file of UTF-8 with it

func (s Secret) readFile() (string, error) {
	read := s.files
	if read == nil {
		read = new(files)
	}
	content, err := read.read(*s.text, secretPatience)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return "", fmt.Errorf("read secret: %s: %w", *s.text, errUTF16)
	}
	text := strings.TrimPrefix(string(content), byteOrderMark)
	value := strings.TrimSpace(text)
	switch {
	case value == "":
		return "", fmt.Errorf("read secret: %s: %w", *s.text, errEmptyFile)
	case s.lines:
		return text, nil
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

// set reports whether there is a secret at all.
func (s Secret) set() bool { return s.text != nil }

// exposed reports whether everybody on the machine may read the secret's file. Its group may: that is the exporter's.
func (s Secret) exposed() bool {
	if !s.file {
		return false
	}
	info, err := os.Stat(*s.text)
	return err == nil && info.Mode().Perm()&0o004 != 0
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

// sameHeld compares what a file or variable held with what it holds now. What cannot be read now is no change: what is in
// force goes on with what it has. What could not be read then is one.
func sameHeld(then, now *[sha256.Size]byte) bool { return now == nil || then != nil && *then == *now }

// Digest tells apart what secrets hold at a time. What cannot be read is taken for empty.
func Digest(secrets ...Secret) [sha256.Size]byte {
	held := sha256.New()
	for _, s := range secrets {
		value, _ := s.Read()
		_, _ = held.Write([]byte(value + "\x00"))
	}
	return [sha256.Size]byte(held.Sum(nil))
}

// written says that what is wrong with the secret stands in the configuration file itself: it is all there, or a variable is
// not written as one.
func (s Secret) written() bool {
	variables := variable.FindAllStringSubmatch(*s.text, -1)
	return !s.file && (len(variables) == 0 || slices.ContainsFunc(variables, func(v []string) bool { return v[1] == "" }))
}

const hidden = "<secret>"

// String hides the secret.
func (Secret) String() string { return hidden }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from json, yaml and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
