package superset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// refusedFor is how long no login is tried after one was refused: the account might be locked.
	refusedFor = 5 * time.Minute
	// freshFor: a token that is refused so soon after it was given would be no better for another login.
	freshFor = time.Minute
)

// account is a user's account on a Superset, and what is held of the login there.
type account struct {
	config   config.SupersetAccount
	http     *http.Client
	now      func() time.Time
	patience time.Duration // with what is not a chart's data
	slots    chan struct{} // whoever has put something in may send a request to that server
	users    int           // guarded by the pool

	gate  chan struct{} // whoever fills it may log in
	mu    sync.Mutex
	login login
}

// login is what a Superset has given to a user. Each part is a secret.
type login struct {
	access, refresh string
	since           time.Time
	csrf, cookie    string // empty until a request is refused for want of them
	failed          error  // of the last attempt, if that was refused
	retry           time.Time
}

func (a *account) held() login {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.login
}

func (a *account) hold(l login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.login = l
}

// errToken: the access token is not accepted (any more).
var errToken = errors.New("the token is refused")

// errCSRF: the request needs a CSRF token. By default those that are sent here do not, but an installation may wish so.
var errCSRF = errors.New("a CSRF token is wanted")

// ask sends a request with what is held of the login, and once again when that has to be renewed. read gets the answer.
func (a *account) ask(ctx context.Context, q request, read reader) (time.Duration, error) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	access, err := a.access(ctx, "")
	if err != nil {
		return 0, err
	}
	q.bearer = access
	took, err := a.send(ctx, q, read)
	if errors.Is(err, errToken) {
		if q.bearer, err = a.access(ctx, access); err != nil {
			return took, err
		}
		took, err = a.send(ctx, q, read)
	}
	if errors.Is(err, errCSRF) {
		if err := a.fetchCSRF(ctx, q.bearer); err != nil {
			return took, err
		}
		took, err = a.send(ctx, q, read)
	}
	switch {
	case errors.Is(err, errToken):
		err = a.fail(oms.ReportLogin, "%s refuses the login of %s: %v", a.config.URL, a.user(), err)
	case errors.Is(err, errCSRF):
		err = a.fail(oms.ReportBadAnswer, "%s accepts none of its own CSRF tokens: %v", a.config.URL, err)
	}
	return took, err
}

// access returns an access token that is another than the refused one.
func (a *account) access(ctx context.Context, refused string) (string, error) {
	select {
	case a.gate <- struct{}{}:
		defer func() { <-a.gate }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	held := a.held()
	if held.access != "" && held.access != refused {
		return held.access, nil
	}
	if a.config.Username == "" {
		return a.readToken(refused)
	}
	now := a.now()
	switch wait := held.retry.Sub(now); {
	case held.failed != nil && 0 < wait && wait <= refusedFor: // else the clock was set back
		return "", held.failed
	case refused != "" && now.Sub(held.since) < freshFor:
		return "", a.fail(oms.ReportLogin, "%s refuses the token that it has just given to %s", a.config.URL, a.user())
	}
	password, err := a.config.Password.Read()
	if err != nil {
		return "", a.fail(oms.ReportLogin, "password: %v", err)
	}
	next, err := a.renew(ctx, held.refresh, password)
	if reason(err) == oms.ReportLogin {
		next.failed, next.retry = err, now.Add(refusedFor)
	}
	next.since = now
	a.hold(next)
	return next.access, err
}

// readToken returns the ready token as its file has it now.
func (a *account) readToken(refused string) (string, error) {
	token, err := a.config.Token.Read()
	if err != nil {
		return "", a.fail(oms.ReportLogin, "token: %v", err)
	}
	if token == refused {
		return "", a.fail(oms.ReportLogin, "%s refuses the token, put a new one into token_file", a.config.URL)
	}
	a.hold(login{access: token})
	return token, nil
}

// renew gets an access token for the refresh token, if there is one, or else for the password.
func (a *account) renew(ctx context.Context, refresh, password string) (login, error) {
	if refresh != "" {
		got, err := a.tokens(ctx, request{method: http.MethodPost, path: "/api/v1/security/refresh", bearer: refresh})
		if err == nil {
			return login{access: got.access, refresh: refresh}, nil
		}
		if !errors.Is(err, errToken) {
			return login{refresh: refresh}, err
		}
	}
	body, err := json.Marshal(map[string]any{
		"username": a.config.Username, "password": password, "provider": a.config.Provider, "refresh": true,
	})
	if err != nil {
		return login{}, err
	}
	got, err := a.tokens(ctx, request{method: http.MethodPost, path: "/api/v1/security/login", body: body, login: true})
	if errors.Is(err, errToken) {
		err = a.fail(oms.ReportLogin, "%s refuses the login of %s, check the username, the password and the provider %s: %v",
			a.config.URL, a.user(), a.config.Provider, err)
	}
	return got, err
}

// tokens sends a request for tokens.
func (a *account) tokens(ctx context.Context, q request) (login, error) {
	var given struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	_, err := a.send(ctx, q, decode(&given))
	if err == nil && given.Access == "" {
		err = a.fail(oms.ReportBadAnswer, "%s answers a login without a token", a.config.URL)
	}
	return login{access: given.Access, refresh: given.Refresh}, err
}

// fetchCSRF gets a CSRF token, which counts together with the cookie that comes with it.
func (a *account) fetchCSRF(ctx context.Context, bearer string) error {
	var given struct{ Result string }
	q := request{method: http.MethodGet, path: "/api/v1/security/csrf_token/", bearer: bearer}
	q.cookie = func(c *http.Cookie) {
		l := a.held()
		l.cookie = c.Name + "=" + c.Value
		a.hold(l)
	}
	_, err := a.send(ctx, q, decode(&given))
	if err == nil {
		l := a.held()
		l.csrf = given.Result
		a.hold(l)
	}
	return err
}

// user names whoever logs in.
func (a *account) user() string {
	if a.config.Username == "" {
		return "the token"
	}
	return fmt.Sprintf("user %s", a.config.Username)
}
