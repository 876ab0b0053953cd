package sqlread

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// mysqlTLS has the settings prevail over what the DSN says, which may have changed since it was checked.
func mysqlTLS(cfg *mysql.Config, settings *config.TLS) {
	if settings == nil {
		return
	}
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil || cfg.Net == "unix" {
		host = ""
	}
	cfg.TLS = settings.Client(host)
	cfg.AllowFallbackToPlaintext = false
}

// postgresTLS does the same, also over the environment. Pgx lists a host twice where it may be reached without TLS too.
func postgresTLS(cfg *pgx.ConnConfig, settings *config.TLS) {
	if settings == nil {
		return
	}
	hosts := append([]*pgconn.FallbackConfig{{Host: cfg.Host, Port: cfg.Port}}, cfg.Fallbacks...)
	hosts = slices.CompactFunc(hosts, func(a, b *pgconn.FallbackConfig) bool { return a.Host == b.Host && a.Port == b.Port })
	for _, h := range hosts {
		h.TLSConfig = settings.Client(h.Host)
		if cfg.SSLNegotiation == "direct" {
			h.TLSConfig.NextProtos = []string{"postgresql"}
		}
	}
	cfg.TLSConfig, cfg.Fallbacks = hosts[0].TLSConfig, hosts[1:]
	cfg.SSLCertMode = "allow"
}

// brokenOff says what a connection that broke at its beginning may mean: in TLS 1.3 the server looks at the client's
// certificate when the client already goes on, so its refusal may come too late to be read.
func brokenOff(settings *config.TLS, err error) error {
	if settings != nil && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		return fmt.Errorf("the server broke off the connection, maybe because it requires another client certificate: "+
			"check cert_file and key_file in database.tls: %w", err)
	}
	return err
}

// lostError keeps what MySQL's driver logs and does not return: why a connection broke while it was made. In TLS 1.3 that
// is how a server says that it does not accept the client's certificate.
type lostError struct {
	mu  sync.Mutex
	err error
}

// Print implements mysql.Logger.
func (l *lostError) Print(values ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range values {
		if err, ok := v.(error); ok {
			l.err = err
		}
	}
}

// with returns err with what is behind it.
func (l *lostError) with(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, said := errors.AsType[*mysql.MySQLError](err); said || l.err == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, l.err)
}
