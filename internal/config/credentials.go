package config

import (
	"crypto/x509"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/hostkeys"
)

// credentials reads by what a user of an SFTP server logs in: a private key, a password, or both where the server wants both.
func (r *reader) credentials(n *yaml.Node, s *SFTP, nodes map[string]*yaml.Node) {
	const keyHint = "the path of a file that contains the private key"
	key, passphrase, password, file := nodes["private_key_file"], nodes["passphrase_file"], nodes["password"], nodes["password_file"]
	if passphrase != nil && key == nil {
		r.fail(passphrase.Line, "sftp.passphrase_file is set without a sftp.private_key_file: remove it")
	}
	if key != nil {
		r.privateKey(s, key, passphrase)
	}
	switch {
	case file != nil && password != nil:
		r.fail(password.Line, "sftp.password_file and sftp.password are both set: remove one of the two")
	case file != nil:
		s.Password = r.fileSecret(file, "sftp.password_file", "the password", anything)
	case password != nil:
		s.Password = r.envPassword(password, "sftp.password")
	case key == nil:
		r.fail(n.Line, "sftp.private_key_file is missing: write %s, or as sftp.password_file one that contains the password, "+
			"or as sftp.password %s", keyHint, variableHint)
	}
}

const variableHint = "the ${NAME} of the environment variable that contains the password"

// envPassword reads a password that comes from the environment: it must not stand in the file, not even in part.
func (r *reader) envPassword(n *yaml.Node, what string) Secret {
	template, ok := r.text(n, what, variableHint)
	if !ok {
		return Secret{}
	}
	if variable.ReplaceAllLiteralString(template, "") != "" {
		r.fail(n.Line, "%s contains a password: write ${NAME} and set that environment variable, "+
			"or move the password to a file and name it as password_file", what)
		return Secret{}
	}
	return r.outside(n.Line, what, "the password", EnvSecret(template), anything)
}

// fileSecret is what nobody else may know of what a file holds, and fault says what is wrong with it.
func (r *reader) fileSecret(n *yaml.Node, what, content string, fault func(string) string) Secret {
	held, ok := r.heldBy(n, what, content)
	if !ok {
		return Secret{}
	}
	s := r.outside(n.Line, what, content, held, fault)
	r.warnExposed(n.Line, what, s)
	return s
}

// warnExposed warns of a secret in a file that everybody may read.
func (r *reader) warnExposed(line int, what string, s Secret) {
	if s.exposed() {
		r.warnings.add(line, r.client, what+" names a file that every user of the machine can read: run chmod o-r on it", *s.text)
	}
}

// heldBy is the content of the file that a node names, for outside to judge.
func (r *reader) heldBy(n *yaml.Node, what, content string) (Secret, bool) {
	path, ok := r.text(n, what, "the path of a file that contains "+content)
	return r.held(n, path), ok
}

// held is the content of a file that the configuration names.
func (r *reader) held(n *yaml.Node, path string) Secret {
	s := FileSecret(r.path(n, path))
	s.files = r.files
	return s
}

// privateKey reads the key as the connection will, with the passphrase or without one.
func (r *reader) privateKey(s *SFTP, keyNode, passphraseNode *yaml.Node) {
	const what = "sftp.private_key_file"
	path, ok := r.text(keyNode, what, "the path of a file that contains the private key")
	if !ok {
		return
	}
	key := r.held(keyNode, path)
	var passphrase Secret
	if passphraseNode != nil {
		path, ok := r.text(passphraseNode, "sftp.passphrase_file", "the path of a file that contains the passphrase")
		if !ok {
			return
		}
		passphrase = r.held(passphraseNode, path)
		s.Passphrase = r.outside(passphraseNode.Line, "sftp.passphrase_file", "the passphrase", passphrase, func(text string) string {
			return passphraseFault(key, text)
		}, key)
		r.warnExposed(passphraseNode.Line, "sftp.passphrase_file", passphrase)
	}
	s.PrivateKey = r.outside(keyNode.Line, what, "the private key", key, func(text string) string {
		return keyFault(text, passphrase)
	}, passphrase)
	r.warnExposed(keyNode.Line, what, key)
}

const (
	noKey        = " does not contain a private key: write the path of one that ssh-keygen made"
	otherCiphers = " is encrypted in a way that the exporter cannot read: execute ssh-keygen -p -Z aes256-ctr -f with its path"
)

// keyFault says what is wrong with a private key.
func keyFault(key string, passphrase Secret) string {
	_, err := ssh.ParsePrivateKey([]byte(key))
	var encrypted *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return ""
	case strings.Contains(key, "BEGIN ENCRYPTED PRIVATE KEY"): // PKCS #8
		return otherCiphers
	case !errors.As(err, &encrypted):
		return noKey
	case passphrase == (Secret{}):
		return " is encrypted: write the path of a file that contains its passphrase as passphrase_file"
	}
	text, err := passphrase.Read()
	if err != nil {
		return "" // that is the passphrase's fault
	}
	switch _, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(text)); {
	case err == nil || errors.Is(err, x509.IncorrectPasswordError):
		return ""
	case strings.Contains(err.Error(), "unknown cipher"):
		return otherCiphers
	}
	return noKey
}

// passphraseFault says what is wrong with the passphrase of a private key.
func passphraseFault(key Secret, passphrase string) string {
	text, err := key.Read()
	if err != nil {
		return ""
	}
	_, err = ssh.ParsePrivateKey([]byte(text))
	var encrypted *ssh.PassphraseMissingError
	if err == nil {
		return " is set, but the private key is not encrypted: remove it"
	}
	if errors.As(err, &encrypted) {
		_, err = ssh.ParsePrivateKeyWithPassphrase([]byte(text), []byte(passphrase))
	}
	if errors.Is(err, x509.IncorrectPasswordError) {
		return " does not contain the passphrase of the private key: write that into it"
	}
	return ""
}

// knownHosts looks whether the file has a host key at all. Lines that say nothing are left out, as OpenSSH does, and the
// connection warns of them: they may be of hosts that are none of this client's.
func (r *reader) knownHosts(n *yaml.Node) Secret {
	const what, holds = "sftp.known_hosts_file", "the server's host key"
	file, ok := r.heldBy(n, what, holds)
	if !ok {
		return Secret{}
	}
	file.lines = true
	return r.outside(n.Line, what, holds, file, knownHostsFault)
}

// knownHostsFault says what is wrong with a file of host keys.
func knownHostsFault(text string) string {
	if hostkeys.Parse([]byte(text)).Empty() {
		return ": no line of the file contains a host key: write one as ssh-keyscan prints it, once its fingerprint is confirmed"
	}
	return ""
}
