package config

import (
	"crypto/x509"
	"errors"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// credentials reads the one way by which a user of an SFTP server logs in.
func (r *reader) credentials(n *yaml.Node, s *SFTP, nodes map[string]*yaml.Node) {
	const keyMend = "the path of a file that holds the private key"
	var found string
	for _, key := range []string{"private_key_file", "password_file", "password"} {
		switch {
		case nodes[key] == nil:
		case found != "":
			r.fail(nodes[key].Line, "sftp.%s and sftp.%s are both there: remove one of the two", found, key)
			return
		default:
			found = key
		}
	}
	if passphrase := nodes["passphrase_file"]; passphrase != nil && found != "private_key_file" {
		r.fail(passphrase.Line, "sftp.passphrase_file is there without a sftp.private_key_file: remove it")
	}
	switch found {
	case "private_key_file":
		r.privateKey(s, nodes["private_key_file"], nodes["passphrase_file"])
	case "password_file":
		s.Password, _ = r.fileSecret(nodes[found], "sftp.password_file", "the password")
	case "password":
		s.Password = r.envPassword(nodes[found], "sftp.password")
	default:
		r.fail(n.Line, "sftp.private_key_file is missing: write %s, or as sftp.password_file one that holds the password, "+
			"or as sftp.password %s", keyMend, variableMend)
	}
}

const variableMend = "the ${NAME} of the environment variable that holds the password"

// envPassword reads a password that comes from the environment: it must not stand in the file, not even in part.
func (r *reader) envPassword(n *yaml.Node, what string) Secret {
	template, ok := r.text(n, what, variableMend)
	if !ok {
		return Secret{}
	}
	if variable.ReplaceAllLiteralString(template, "") != "" {
		r.fail(n.Line, "%s holds a password: write ${NAME} and set that environment variable, "+
			"or move the password to a file and name it as password_file", what)
		return Secret{}
	}
	value, _ := r.secret(n.Line, what, "", EnvSecret(template))
	return EnvSecret(template).as(value)
}

// fileSecret returns the secret with a note of what it holds, and that; content says what should be in the file.
func (r *reader) fileSecret(n *yaml.Node, what, content string) (Secret, string) {
	path, ok := r.text(n, what, "the path of a file that holds "+content)
	if !ok {
		return Secret{}, ""
	}
	s := FileSecret(r.path(path))
	value, _ := r.secret(n.Line, what, content, s)
	return s.as(value), value
}

// privateKey reads the key as the connection will, with the passphrase or without one.
func (r *reader) privateKey(s *SFTP, keyNode, passphraseNode *yaml.Node) {
	var key, passphrase string
	s.PrivateKey, key = r.fileSecret(keyNode, "sftp.private_key_file", "the private key")
	if passphraseNode != nil {
		s.Passphrase, passphrase = r.fileSecret(passphraseNode, "sftp.passphrase_file", "the passphrase")
	}
	if key == "" || passphraseNode != nil && passphrase == "" {
		return // noted already
	}
	_, err := ssh.ParsePrivateKey([]byte(key))
	var encrypted *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &encrypted) && passphraseNode == nil:
		r.fail(keyNode.Line, "sftp.private_key_file is encrypted: write the path of a file that holds its passphrase "+
			"as passphrase_file")
		return
	case errors.As(err, &encrypted):
		_, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(passphrase))
	case err == nil && passphraseNode != nil:
		r.fail(passphraseNode.Line, "sftp.passphrase_file is there and the private key is not encrypted: remove it")
	}
	if errors.Is(err, x509.IncorrectPasswordError) {
		r.fail(passphraseNode.Line, "sftp.passphrase_file does not hold the passphrase of the private key: write that into it")
	} else if err != nil {
		r.fail(keyNode.Line, "sftp.private_key_file does not hold a private key: write the path of one that ssh-keygen made")
	}
}

// badKnownHost matches where an error of knownhosts.New says the line.
var badKnownHost = regexp.MustCompile(`^:(\d+): `)

// knownHosts reads the host keys as the connection will. The error quotes what it cannot parse, so only its line is
// passed on.
func (r *reader) knownHosts(line int, s *SFTP) {
	const what = "sftp.known_hosts_file"
	s.KnownHostsFile = r.path(s.KnownHostsFile)
	file := FileSecret(s.KnownHostsFile)
	value, ok := r.secret(line, what, "the server's host key", file)
	if !ok {
		return
	}
	s.knownHosts = file.as(value).held
	if _, err := knownhosts.New(s.KnownHostsFile); err != nil {
		where := "a line"
		if match := badKnownHost.FindStringSubmatch(strings.TrimPrefix(err.Error(), "knownhosts: "+s.KnownHostsFile)); match != nil {
			where = "line " + match[1]
		}
		r.fail(line, "%s: %s of the file does not hold a host key: write it as ssh-keyscan prints it, once its fingerprint "+
			"is confirmed", what, where)
	}
}
