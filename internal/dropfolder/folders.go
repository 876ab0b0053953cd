// Package dropfolder is an oms.DropFolders over SFTP.
//
// It opens files for reading only, and reads a bounded amount of each file and folder. One
// connection is kept for each server and user, and what goes over it one location after another.
package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"path"
	"sync"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var errClosed = errors.New("the drop folders are closed")

// Folders looks into one client's drop folders. It implements oms.DropFolders.
type Folders struct {
	client    string
	locations []*location // in the order of the configuration
	servers   []*server

	closing context.Context
	stop    context.CancelFunc
	closed  sync.Once
}

var _ oms.DropFolders = (*Folders)(nil)

// Open returns the drop folders of the client. It does not connect: that is done, with the secrets and the known_hosts file
// read again, when a connection is first needed.
func Open(logger *slog.Logger, client config.Client) (*Folders, error) {
	f := &Folders{client: client.Name}
	f.closing, f.stop = context.WithCancel(context.Background())
	type account struct{ address, username string }
	servers := map[account]*server{}
	for _, c := range client.SFTP {
		if _, err := path.Match(c.Pattern, ""); err != nil {
			return nil, fmt.Errorf("client %s: location %s: pattern %q: %w", client.Name, c.Location, c.Pattern, err)
		}
		l := &location{config: c, seed: maphash.MakeSeed()}
		key := account{c.Address, c.Username}
		s := servers[key]
		if s == nil {
			s = newServer(logger.With("client", client.Name, "address", c.Address, "username", c.Username), c)
			servers[key] = s
			f.servers = append(f.servers, s)
		}
		s.locations = append(s.locations, l)
		f.locations = append(f.locations, l)
	}
	return f, nil
}

// Inspect implements oms.DropFolders.
func (f *Folders) Inspect(ctx context.Context, now time.Time) ([]oms.DropLocation, error) {
	if f.closing.Err() != nil {
		return nil, fmt.Errorf("client %s: %w", f.client, errClosed)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(f.closing, func() { cancel(errClosed) })()

	sights := make([]map[*location]observation, len(f.servers))
	var wg sync.WaitGroup
	for i, s := range f.servers {
		wg.Go(func() { sights[i] = s.look(ctx, now) })
	}
	wg.Wait()
	all := map[*location]observation{}
	for _, of := range sights {
		for l, s := range of {
			all[l] = s
		}
	}
	found := make([]oms.DropLocation, len(f.locations))
	errs := make([]error, len(f.locations))
	for i, l := range f.locations {
		found[i] = all[l].found
		errs[i] = plain(ctx, f.client, l, all[l].err)
		found[i].Err = errs[i]
	}
	return found, errors.Join(errs...)
}

// Close implements oms.DropFolders.
func (f *Folders) Close() error {
	f.stop()
	f.closed.Do(func() {
		for _, s := range f.servers {
			s.close()
		}
	})
	return nil
}
