package superset

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// account is a user's account on a Superset, and what is held of the login there.
type account struct {
	config  config.SupersetAccount
	http    *http.Client
	now     func() time.Time
	timeout time.Duration // with what is not a chart's data
	slots   chan struct{} // a caller that has put something in may send a request to that server
	users   int           // guarded by the pool

	loginSem chan struct{} // the caller that fills it may log in
	mu       sync.Mutex
	login    login
}

// login is what a Superset has given to a user. Each part is a secret.
type login struct {
	access, refresh string
	since           time.Time      // when access was given
	csrf            string         // empty until a request is refused for want of one
	cookies         []*http.Cookie // which came with it
	failed          error          // of the last attempt, with the password, until retry
	password        string
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

func (a *account) holdCSRF(token string, cookies []*http.Cookie) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.login.csrf, a.login.cookies = token, cookies
}

// errToken: the access token is not accepted (any more).
var errToken = errors.New("the token is refused")

// errCSRF: the request needs a CSRF token. By default those that are sent here do not, but an installation may wish so.
var errCSRF = errors.New("a CSRF token is wanted")

// call sends a request with what is held of the login, and once again when that has to be renewed. read gets the answer.
func (a *account) call(ctx context.Context, q request, read reader) (time.Duration, error) {
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
		err = a.fail(oms.ReportLogin, "%s rejects the login of %s: %v", a.config.URL, a.user(), err)
	case errors.Is(err, errCSRF):
		err = a.fail(oms.ReportBadAnswer, "%s accepts none of its own CSRF tokens: %v", a.config.URL, err)
	}
	return took, err
}

// fetchCSRF gets a CSRF token, which counts together with the session in the cookies that come with it. A load balancer
// may add its own, by which it finds the server that knows the session.
func (a *account) fetchCSRF(ctx context.Context, bearer string) error {
	var given struct{ Result string }
	var cookies []*http.Cookie
	_, err := a.send(ctx, request{
		method: http.MethodGet, path: "/api/v1/security/csrf_token/", bearer: bearer, cookies: &cookies,
	}, decode(&given))
	if err == nil {
		a.holdCSRF(given.Result, cookies)
	}
	return err
}

// user names the user that logs in.
func (a *account) user() string {
	if a.config.Username == "" {
		return "the token"
	}
	return fmt.Sprintf("user %s", a.config.Username)
}
