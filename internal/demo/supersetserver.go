package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// supersetServer is as much of an Apache Superset as the exporter asks for, with the dashboards of all clients. Each has an
// account there that sees only its own.
type supersetServer struct {
	password string
	accounts map[string]*reports // by username
	tokens   map[string]*reports // by what comes with a request
	listener net.Listener
	server   http.Server
	serving  sync.WaitGroup
}

// newSupersetServer listens on a port of this machine.
func newSupersetServer(ctx context.Context, clients []*client) (*supersetServer, error) {
	s := &supersetServer{password: rand.Text(), accounts: map[string]*reports{}, tokens: map[string]*reports{}}
	for _, c := range clients {
		c.reports = newReports(c)
		s.accounts[c.reports.account], s.tokens["Bearer "+c.reports.token] = c.reports, c.reports
	}
	pages := http.NewServeMux()
	pages.HandleFunc("POST /api/v1/security/login", s.login)
	pages.Handle("GET /api/v1/dashboard/{$}", s.page((*reports).boards))
	pages.Handle("GET /api/v1/dashboard/{dashboard}", s.page((*reports).board))
	pages.Handle("GET /api/v1/dashboard/{dashboard}/charts", s.page((*reports).charts))
	pages.Handle("GET /api/v1/dashboard/{dashboard}/datasets", s.page((*reports).datasets))
	pages.Handle("GET /api/v1/chart/{chart}", s.page((*reports).chart))
	pages.Handle("POST /api/v1/chart/data", s.page((*reports).data))
	s.server = http.Server{Handler: pages, ReadHeaderTimeout: 10 * time.Second}
	var err error
	if s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start Superset: %w", err)
	}
	s.serving.Go(func() { _ = s.server.Serve(s.listener) }) // until it is closed
	return s, nil
}

func (s *supersetServer) url() string { return "http://" + s.listener.Addr().String() }

// close ends every connection.
func (s *supersetServer) close() error {
	err := s.server.Close()
	s.serving.Wait()
	return err
}

// login returns an account's token for its password.
func (s *supersetServer) login(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Username, Password, Provider string }
	err := json.NewDecoder(r.Body).Decode(&asked)
	account := s.accounts[asked.Username]
	switch {
	case account != nil && account.down.Load():
		unavailable(w)
	case err != nil || account == nil || asked.Password != s.password || asked.Provider != "db":
		reply(w, http.StatusUnauthorized, object{"message": "Not authorized"})
	default:
		reply(w, http.StatusOK, object{"access_token": account.token})
	}
}

// page answers a request with a token with what the token's account sees.
func (s *supersetServer) page(ask func(*reports, *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account := s.tokens[r.Header.Get("Authorization")]
		if account == nil {
			reply(w, http.StatusUnauthorized, object{"msg": "Missing Authorization Header"})
			return
		}
		if account.down.Load() {
			unavailable(w)
			return
		}
		result, err := ask(account, r)
		switch {
		case err == nil:
			reply(w, http.StatusOK, object{"result": result})
		case errors.Is(err, errNotFound):
			reply(w, http.StatusNotFound, object{"message": "Not found"})
		default:
			reply(w, http.StatusBadRequest, object{"message": "Error: " + err.Error()})
		}
	})
}

// unavailable is what the proxy before a Superset answers that is down.
func unavailable(w http.ResponseWriter) {
	http.Error(w, "no server is available to handle this request", http.StatusServiceUnavailable)
}

func reply(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller may have gone
}
