// Package demo simulates the OMS of four clients, so that the exporter can be tried without any server. Each client's
// tables lie in an SQLite database of its own and its drop folder on an SFTP server of its own, one Superset shows the
// dashboards of all, orders and files arrive and jobs run by a clock that the caller moves, and every fault of the operations
// guide can be switched on and off.
//
// The simulated world is plain values in memory. An event changes them, and what has changed is written and shown when the
// clock stops: the same rows and files come out however far it is moved at once.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// past is how much history a new demo has: more than the 7 days that the exporter looks back.
const past = 8 * 24 * time.Hour

// Demo is a running simulation. Its methods are safe for concurrent use.
type Demo struct {
	logger     *slog.Logger
	configFile string
	superset   *supersetServer

	mu      sync.Mutex // guards what is inside the clients
	clients []*client
}

// New creates the databases of all clients, their SFTP servers and Superset on ports of this machine, and a configuration
// file for them in dir, with a healthy past that ends at start. Nothing in dir is overwritten: a database that is already
// there is an error. The same seed gives the same rows and uploads.
func New(ctx context.Context, logger *slog.Logger, dir string, start time.Time, seed uint64) (*Demo, error) {
	all, err := profiles()
	if err != nil {
		return nil, err
	}
	return newDemo(ctx, logger, dir, all, start.Truncate(time.Second), seed, past)
}

func newDemo(
	ctx context.Context, logger *slog.Logger, dir string, all []profile, start time.Time, seed uint64, past time.Duration,
) (*Demo, error) {
	d := &Demo{logger: logger, clients: make([]*client, len(all))}
	for i, p := range all {
		if err := p.claim(dir); err != nil {
			return nil, err
		}
		d.clients[i] = newClient(p, start.Add(-past), seed+uint64(i))
	}
	password := rand.Text()
	err := d.each(func(c *client) error {
		err := c.create(ctx, dir, start)
		if err == nil {
			c.server, err = newSFTPServer(ctx, c.account(), password, files{importPath(resetConfig), &c.shown})
		}
		return err
	})
	if err == nil {
		d.superset, err = newSupersetServer(ctx, d.clients)
	}
	if err == nil {
		d.configFile, err = writeConfig(dir, d.clients, password, d.superset)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// ConfigFile is the path of a configuration of the exporter for the simulated clients.
func (d *Demo) ConfigFile() string { return d.configFile }

// Advance makes everything happen that is due until now, to every client. A now before the last one changes nothing.
// What an error kept from being written is written by the next call.
func (d *Demo) Advance(ctx context.Context, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.each(func(c *client) error { return c.advance(ctx, now.Truncate(time.Second)) })
}

// Close closes the databases, the SFTP servers and Superset. Their files stay.
func (d *Demo) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	if d.superset != nil {
		err = d.superset.close()
	}
	return errors.Join(err, d.each((*client).close))
}

// each does something for all clients at once.
func (d *Demo) each(do func(*client) error) error {
	errs := make([]error, len(d.clients))
	var all sync.WaitGroup
	for i, c := range d.clients {
		all.Go(func() {
			if err := do(c); err != nil {
				errs[i] = fmt.Errorf("%s: %w", c.name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// SetFault switches a fault of a client on or off, and its effects are to be seen when it returns. Switching off fixes the
// fault as people would. A fault that is already as wanted is left alone.
func (d *Demo) SetFault(ctx context.Context, clientName, name string, on bool) error {
	c, f, err := d.find(clientName, name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.on[name] != on {
		c.on[name] = on
		f.set(c, on)
		d.logger.Info("fault switched", "client", c.name, "fault", name, "on", on)
	}
	if err := c.flush(ctx); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// Hang waits until ctx ends while the client's fault db-hung is on, and returns at once while it is off. An unknown client
// is never hung.
func (d *Demo) Hang(ctx context.Context, clientName string) error {
	c, err := d.client(clientName)
	if err != nil || !c.hung.Load() {
		return nil //nolint:nilerr // somebody else's client
	}
	<-ctx.Done()
	return fmt.Errorf("%s: the database does not answer (demo fault db-hung): %w", c.name, context.Cause(ctx))
}

// FaultHandler switches faults by POST ?client=…&name=…&on=true|false, and lists them with their state by GET.
func (d *Demo) FaultHandler() http.Handler { return http.HandlerFunc(d.serveFault) }

func (d *Demo) client(name string) (*client, error) {
	var names []string
	for _, c := range d.clients {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return nil, fmt.Errorf("unknown client %q: use one of %s", name, strings.Join(names, ", "))
}

// find names what there is when it does not find it.
func (d *Demo) find(clientName, name string) (*client, fault, error) {
	c, err := d.client(clientName)
	if err != nil {
		return nil, fault{}, err
	}
	var names []string
	for _, f := range faults() {
		if f.Name == name {
			return c, f, nil
		}
		names = append(names, f.Name)
	}
	return nil, fault{}, fmt.Errorf("unknown fault %q: use one of %s", name, strings.Join(names, ", "))
}
