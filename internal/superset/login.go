package superset

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

const (
	// refusedFor is how long no login is tried with a password that was refused: the account might be locked.
	refusedFor = 5 * time.Minute
	// failedFor is the same of a login that failed otherwise, so that each chart of a dashboard does not try it again.
	failedFor = 30 * time.Second
	// freshFor: a token that is refused so soon after it was given would be no better for another login.
	freshFor = time.Minute
)

// access returns an access token that is another than the refused one.
func (a *account) access(ctx context.Context, refused string) (string, error) {
	select {
	case a.loginSem <- struct{}{}:
		defer func() { <-a.loginSem }()
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
	password, err := a.config.Password.Read()
	if err != nil {
		return "", a.fail(oms.ReportLogin, "password: %v", err)
	}
	switch wait := held.retry.Sub(a.now()); {
	case held.failed != nil && held.password == password && 0 < wait && wait <= refusedFor: // else the clock was set back
		return "", held.failed
	case refused != "" && a.now().Sub(held.since) < freshFor:
		return "", a.fail(oms.ReportLogin, "%s rejects the token that it has just issued to %s", a.config.URL, a.user())
	}
	next, err := a.renew(ctx, held.refresh, password)
	if err == nil {
		next.since = a.now()
	} else {
		next.failed, next.password, next.retry = err, password, a.now().Add(pause(ctx, err))
	}
	a.hold(next)
	return next.access, err
}

// pause returns for how long no login is tried after one that failed. Zero is for what is not the login's fault.
func pause(ctx context.Context, err error) time.Duration {
	f, ok := errors.AsType[*failure](err)
	switch {
	case !ok:
		return 0
	case f.Reason == oms.ReportLogin:
		return refusedFor
	case f.wait > 0:
		return min(f.wait, refusedFor)
	}
	if deadline, ok := ctx.Deadline(); ok { // the run's: the next one is due then, and should see that all is well again
		return min(failedFor, time.Until(deadline))
	}
	return failedFor
}

// readToken returns the ready token as its file has it now.
func (a *account) readToken(refused string) (string, error) {
	token, err := a.config.Token.Read()
	if err != nil {
		return "", a.fail(oms.ReportLogin, "token: %v", err)
	}
	if token == refused {
		return "", a.fail(oms.ReportLogin, "%s rejects the token, put a new one into token_file", a.config.URL)
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
		err = a.fail(oms.ReportLogin, "%s rejects the login of %s, check the username, the password and the provider %s: %v",
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
