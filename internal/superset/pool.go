package superset

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// parallel is how many requests a Superset gets at a time, of all clients together: a browser that opens a dashboard
// sends twice as many.
const parallel = 3

// Pool shares logins and connections among the clients: one login for each account, and few requests at a time to each
// server. It is safe for concurrent use.
type Pool struct {
	now      func() time.Time
	timeouts timeouts

	mu       sync.Mutex
	accounts []*account // those in use
}

// timeouts are how long a Superset may take to answer.
type timeouts struct{ page, data time.Duration }

// NewPool returns a pool without logins. now is the clock by which a refused login is tried again.
func NewPool(now func() time.Time) *Pool {
	// A dashboard in a browser gives a chart up after a minute (Superset's SUPERSET_WEBSERVER_TIMEOUT).
	return &Pool{now: now, timeouts: timeouts{page: 30 * time.Second, data: time.Minute}}
}

// Open returns the reports of a client that has dashboards. It asks nothing yet.
func (p *Pool) Open(logger *slog.Logger, client config.Client) (*Reports, error) {
	if len(client.Superset.Dashboards) == 0 {
		return nil, fmt.Errorf("client %s: no dashboards are configured", client.Name)
	}
	return newReports(logger, client, p.acquire(client.Superset.Account), p), nil
}

// Dashboards lists the dashboards that a user sees, the first 100. The error says in plain words why it cannot.
func (p *Pool) Dashboards(ctx context.Context, c config.SupersetAccount) ([]oms.SeenDashboard, error) {
	a := p.acquire(c)
	defer p.release(a)
	listed, err := a.dashboards(ctx)
	seen := make([]oms.SeenDashboard, len(listed))
	for i, b := range listed {
		seen[i] = oms.SeenDashboard{Name: b.name(), Title: b.Title}
	}
	return seen, err
}

// acquire returns the account as it is known already, or a new one. The caller must release it.
func (p *Pool) acquire(c config.SupersetAccount) *account {
	p.mu.Lock()
	defer p.mu.Unlock()
	slots := make(chan struct{}, parallel)
	for _, a := range p.accounts {
		if a.config.Equal(c) {
			a.users++
			return a
		}
		if a.config.URL == c.URL {
			slots = a.slots
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // net/http says so
	transport.MaxIdleConnsPerHost = parallel
	if server, err := url.Parse(c.URL); err == nil && c.TLS != nil {
		transport.TLSClientConfig = c.TLS.Client(server.Hostname())
		transport.ForceAttemptHTTP2 = false // it loses the words of a server that refuses the client's certificate
	}
	a := &account{
		config: c, now: p.now, timeout: p.timeouts.page, users: 1, slots: slots, loginSem: make(chan struct{}, 1),
		// The token belongs to this server alone, and an API has no reason to send one elsewhere.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	p.accounts = append(p.accounts, a)
	return a
}

// release gives an account back. The last user has ended its requests.
func (p *Pool) release(a *account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.users--; a.users == 0 {
		p.accounts = slices.DeleteFunc(p.accounts, func(other *account) bool { return other == a })
		a.http.CloseIdleConnections()
	}
}
