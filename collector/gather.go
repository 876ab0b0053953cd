package collector

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/flight"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	collectorSuccess = newMetric(greatest, "oms_collector_success",
		"1 if the collector measured everything before the scrape timed out.", "collector")
	collectorDuration = newMetric(greatest, "oms_collector_duration_seconds",
		"Duration of the collector's run, or how long the scrape waited for it.", "collector")
	collectorLastSuccess = newMetric(newest, "oms_collector_last_success_timestamp_seconds",
		"Start of the collector's last run that measured everything, as Unix time.", "collector")
	collectorDataAge = newMetric(greatest, "oms_collector_data_age_seconds",
		"Age of the oldest data in this result; 0 if all was measured in this scrape.", "collector")
	// Also 1 during the first run of the reports collector. oms_collector_success is 0 during that time.
	collectorLookingBack = newMetric(greatest, "oms_collector_looking_back",
		"1 while the collector's history is missing because its backfill is not complete.", "collector")
	clientUTCOffset = newMetric(greatest, "oms_client_utc_offset_seconds",
		"Current UTC offset of the client's time zone, including daylight saving time.")
	// From the configuration file. `folder` is inbox, archive or failed.
	sftpFolder = newMetric(greatest, "oms_sftp_folder_info",
		"1 for every SFTP folder that is watched for files of a reset-inventory source.",
		"location", "source", "folder")
	// From the configuration file.
	resetConfig = newMetric(greatest, "oms_reset_inventory_config_info",
		"1 for every data-manager configuration that imports the files of a reset-inventory source.", "source", "config")
)

// Gather returns a gatherer of the clients' metrics, good for one scrape. Of the collectors that a client has it runs the
// named ones, or all if names is nil, all at once, and shares each run with callers that want the same at that time. What is
// not ready when ctx ends is reported as oms_collector_success 0; ctx must have a deadline.
func Gather(ctx context.Context, clients []*Client, names []string) prometheus.Gatherer {
	ctx = oms.WithScrape(ctx)
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		answers := make([][]*dto.MetricFamily, len(clients))
		var wg sync.WaitGroup
		for i, c := range clients {
			wg.Go(func() { c.protect(func() { answers[i] = c.gather(ctx, names) }) })
		}
		wg.Wait()
		return merge(slices.Concat(answers...)), nil
	})
}

// gather returns what the named collectors measure, their health, and what is known of the client without asking it,
// which comes last to have the generation that was just found.
func (c *Client) gather(ctx context.Context, names []string) []*dto.MetricFamily {
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex // guards the two below
		families []*dto.MetricFamily
		known    = newBatch(c.cfg, c.opts.Now())
	)
	wg.Go(func() { c.lookAtSecrets(ctx) })
	for _, t := range c.named(names) {
		wg.Go(func() {
			c.protect(func() {
				out := c.await(ctx, &t.flight, func(ctx context.Context) outcome { return c.run(ctx, t.Collector) })
				if errors.Is(ctx.Err(), context.Canceled) {
					return // the scraper hung up: nobody listens, and it says nothing about the OMS
				}
				status := c.record(t, out)
				mu.Lock()
				defer mu.Unlock()
				families = append(families, out.families...)
				known.setHealth(t.Name(), out, status)
			})
		})
	}
	wg.Wait()
	c.describe(known)
	return append(families, known.families(0)...)
}

// protect runs fn, the last part of a scrape. Where it panics the answer lacks what fn adds, and the other clients have theirs.
func (c *Client) protect(fn func()) {
	if err := flight.Run(func() error { fn(); return nil }); err != nil {
		c.opts.Logger.Error("part of a scrape is missing", "client", c.cfg.Name, "err", err.Error()+flight.Stack(err))
	}
}

// setHealth leaves out the age of the data where there are none.
func (b *batch) setHealth(collector string, out outcome, status Status) {
	b.set(collectorSuccess, boolFloat(out.err == nil), collector)
	b.set(collectorLookingBack, boolFloat(errors.Is(out.err, oms.ErrIncomplete)), collector)
	b.set(collectorDuration, out.duration.Seconds(), collector)
	b.setTime(collectorLastSuccess, status.LastSuccess, collector)
	if out.err == nil || len(out.families) > 0 {
		b.set(collectorDataAge, out.age.Seconds(), collector)
	}
}

// describe puts into the batch what is there for every configured client, also when nothing of it can be reached.
func (c *Client) describe(b *batch) {
	c.mu.Lock()
	generation, loaded := c.instance.Generation, c.loaded
	c.mu.Unlock()
	labels := []string{c.cfg.Timezone.String(), string(generation)}
	for _, name := range ownLabels(c.cfg) {
		labels = append(labels, c.cfg.Labels[name])
	}
	b.set(c.info, 1, labels...)
	b.set(clientUTCOffset, utcOffset(c.opts.Now(), b.zone))
	for _, f := range c.SecretFaults() {
		b.set(clientConfigurationError, 1, string(f.Reason))
	}
	b.setClock(c.src.OMS.Clock(c.opts.Now()), c.cfg.Database.Timezone.String())
	for _, s := range c.cfg.ResetInventory {
		for _, id := range s.ConfigIDs {
			b.set(resetConfig, 1, s.Source, id)
		}
	}
	b.setCalendar(loaded, c.opts.Now())
	for _, l := range c.cfg.SFTP {
		for folder, path := range map[oms.Folder]string{
			oms.FolderInbox: l.Path, oms.FolderArchive: l.Archive, oms.FolderFailed: l.Failed,
		} {
			if path != "" {
				b.set(sftpFolder, 1, l.Location, l.Source, string(folder))
			}
		}
	}
}

// newInfo declares oms_client_info, which has the client's own labels too.
func newInfo(cfg config.Client) *metric {
	// Present even if nothing of the client can be reached.
	return newMetric(greatest, "oms_client_info", "1 for every configured client, with the labels from its configuration.",
		append([]string{"timezone", "generation"}, ownLabels(cfg)...)...)
}

func ownLabels(cfg config.Client) []string { return slices.Sorted(maps.Keys(cfg.Labels)) }
