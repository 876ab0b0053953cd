package dropfolder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// The methods by which a user logs in (RFC 4252 and 4256).
const (
	byKey      = "publickey"
	byPassword = "password"
	byPrompts  = "keyboard-interactive"
)

// certificate is what OpenSSH's client adds to the path of a private key.
const certificate = "-cert.pub"

// maxPrompts is how many questions of a server are answered at a login.
const maxPrompts = 10

// login is how the user proves who he is, and what became of it. It needs neither an agent nor a terminal.
type login struct {
	methods  []ssh.AuthMethod
	password string
	signers  int
	remark   string // about the certificate of the key

	offered, accepted, refused []string // methods: what the server wants next, and what it said to those that were tried
	prompts                    []string
	fault                      error // why a prompt has no answer
}

func newLogin(c config.SFTP) (*login, error) {
	l := &login{}
	if c.PrivateKey != (config.Secret{}) {
		signers, err := l.keys(c)
		if err != nil {
			return nil, fmt.Errorf("private key: %w", err)
		}
		l.signers = len(signers)
		l.methods = append(l.methods, ssh.PublicKeys(signers...))
		if c.Password == (config.Secret{}) {
			return l, nil
		}
	}
	var err error
	if l.password, err = c.Password.Read(); err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	l.methods = append(l.methods, ssh.Password(l.password), ssh.KeyboardInteractive(l.answer))
	return l, nil
}

// keys returns the private key, and before it what certifies it, if it is beside it as OpenSSH's client expects it.
func (l *login) keys(c config.SFTP) ([]ssh.Signer, error) {
	key, err := signer(c)
	if err != nil {
		return nil, err
	}
	text, err := c.PrivateKey.Beside(certificate).Read()
	if errors.Is(err, fs.ErrNotExist) {
		return []ssh.Signer{key}, nil
	}
	var certified ssh.Signer
	if err == nil {
		certified, err = certify(key, text)
	}
	if err != nil { // as OpenSSH does, the key is tried without it
		l.remark = fmt.Sprintf("; the certificate beside the private key is not used: %v", err)
		return []ssh.Signer{key}, nil
	}
	return []ssh.Signer{certified, key}, nil
}

func certify(key ssh.Signer, text string) (ssh.Signer, error) {
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return nil, err
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("it is a plain public key")
	}
	return ssh.NewCertSigner(certificate, key)
}

func signer(c config.SFTP) (ssh.Signer, error) {
	key, err := parseKey(c)
	if err != nil || key.PublicKey().Type() != ssh.KeyAlgoRSA || c.LegacyAlgorithms {
		return key, err
	}
	all, ok := key.(ssh.AlgorithmSigner)
	if !ok {
		return key, nil
	}
	return ssh.NewSignerWithAlgorithms(all, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
}

func parseKey(c config.SFTP) (ssh.Signer, error) {
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

// next is a ssh.ClientAuthCallback. It notes how the login goes, and leaves the choice of the next method to the library: the
// first one that the server takes and has not refused.
func (l *login) next(state *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.offered, l.accepted = state.AllowedMethods, state.PartialSuccessMethods
	l.refused = slices.DeleteFunc(state.TriedMethods, func(method string) bool { return method == "none" })
	return nil, nil
}

// answer is a ssh.KeyboardInteractiveChallenge. It gives the password to whatever is to be typed unseen.
func (l *login) answer(_, _ string, prompts []string, echoed []bool) ([]string, error) {
	answers := make([]string, len(prompts))
	for i, prompt := range prompts {
		shown := config.Brief(strings.Join(strings.Fields(prompt), " "), maxWords)
		words := strings.ToLower(shown)
		switch {
		case len(l.prompts) == maxPrompts:
			l.fault = fmt.Errorf("the server asks for more than %d answers", maxPrompts)
		case echoed[i]:
			l.fault = fmt.Errorf(`the server asks "%s", which is not for a password`, shown)
		case strings.Contains(words, "new ") && strings.Contains(words, "password"):
			l.fault = fmt.Errorf(`the server asks "%s": the password has expired, change it`, shown)
		default:
			answers[i] = l.password
			l.prompts = append(l.prompts, `"`+shown+`"`)
			continue
		}
		return nil, l.fault
	}
	return answers, nil
}

// has says what the configuration has.
func (l *login) has() string {
	switch {
	case l.signers == 0:
		return "a password"
	case l.password == "":
		return "a private key"
	default:
		return "a private key and a password"
	}
}

// missing says what to write for one of the methods that the server takes.
func (l *login) missing() string {
	switch {
	case l.signers == 0 && slices.Contains(l.offered, byKey):
		return "write private_key_file"
	case l.password == "" && (slices.Contains(l.offered, byPassword) || slices.Contains(l.offered, byPrompts)):
		return "write password_file"
	default:
		return "ask the server's owner to let the user log in by private key or password"
	}
}

// failure says why a server does not let the user in, or is nil where the attempt did not fail of that.
func (l *login) failure(c config.SFTP, err error) error {
	takes, accepts, refuses := strings.Join(l.offered, ", "), strings.Join(l.accepted, ", "), strings.Join(l.refused, ", ")
	exhausted := strings.Contains(err.Error(), "unable to authenticate") // the library has no type for it, nor for the next
	switch {
	case l.fault != nil:
		return fmt.Errorf("%s refuses the login of user %s: %w", c.Address, c.Username, l.fault)
	case strings.Contains(err.Error(), "no common public key signature algorithm"):
		return fmt.Errorf("%s does not say that it takes newer signatures by RSA keys than SHA-1: use a key of type ed25519, "+
			"or write legacy_algorithms: true: %w", c.Address, err)
	case takes == "" || isNetwork(err):
		return nil
	case exhausted && refuses == "" && accepts != "":
		return fmt.Errorf("%s accepts %s of user %s and also requires %s, but the configuration has only %s: %s",
			c.Address, accepts, c.Username, takes, l.has(), l.missing())
	case exhausted && refuses == "":
		return fmt.Errorf("%s accepts only %s from user %s, but the configuration has only %s: %s",
			c.Address, takes, c.Username, l.has(), l.missing())
	}
	var said []string
	for _, part := range []struct{ does, what string }{
		{"takes", takes}, {"accepts", accepts}, {"refuses", refuses}, {"asks", strings.Join(l.prompts, ", ")},
	} {
		if part.what != "" {
			said = append(said, "it "+part.does+" "+part.what)
		}
	}
	text := fmt.Sprintf("%s refuses the login of user %s, check the username and the password or key: %s%s",
		c.Address, c.Username, strings.Join(said, "; "), l.remark)
	if exhausted || refuses != "" {
		return errors.New(text)
	}
	return fmt.Errorf("%s: %w", text, err)
}

// isNetwork reports whether the connection failed, and not what went over it.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}
