package dropfolder

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// login returns how the user proves who he is. It needs neither an agent nor a terminal.
func login(c config.SFTP) (ssh.AuthMethod, error) {
	if c.PrivateKey == (config.Secret{}) {
		password, err := c.Password.Read()
		if err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
		return ssh.Password(password), nil
	}
	signer, err := signer(c)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return ssh.PublicKeys(signer), nil
}

func signer(c config.SFTP) (ssh.Signer, error) {
	key, err := c.PrivateKey.Read()
	if err != nil {
		return nil, err
	}
	if c.Passphrase == (config.Secret{}) {
		signer, err := ssh.ParsePrivateKey([]byte(key))
		var encrypted *ssh.PassphraseMissingError
		if errors.As(err, &encrypted) {
			return nil, errors.New("it is encrypted, and no passphrase is configured")
		}
		return signer, err
	}
	passphrase, err := c.Passphrase.Read()
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	return ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(passphrase))
}
