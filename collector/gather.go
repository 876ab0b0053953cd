package collector

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	collectorSuccess = newMetric(greatest, "oms_collector_success",
		"1 if the collector measured everything in time.", "collector")
	collectorDuration = newMetric(greatest, "oms_collector_duration_seconds",
		"How long the collector took, or was waited for.", "collector")
	collectorLastSuccess = newMetric(newest, "oms_collector_last_success_timestamp_seconds",
		"When the collector last began a run that measured everything, as Unix time.", "collector")
	collectorDataAge = newMetric(greatest, "oms_collector_data_age_seconds",
		"0 when everything was measured in this scrape, else how old the oldest part of the answer is.", "collector")
	collectorLookingBack = newMetric(greatest, "oms_collector_looking_back",
		"1 while the collector's history is missing because the first look back is not complete.", "collector")
	clientUTCOffset = newMetric(greatest, "oms_client_utc_offset_seconds",
		"The client's wall clock minus UTC, now, daylight saving included.")
	sftpFolder = newMetric(greatest, "oms_sftp_folder_info",
		"1 for every folder on an SFTP server in which the files of a reset-inventory source are looked for.",
		"location", "source", "folder")
	resetConfig = newMetric(greatest, "oms_reset_inventory_config_info",
		"1 for every data-manager configuration by which the files of a reset-inventory source come.", "source", "config")
)

// Gather returns a gatherer of the clients' metrics, good for one scrape. Of the collectors that a client has it runs the
// named ones, or all if names is nil, all at once, and shares each run with whoever wants the same at that time. What is
// not ready when ctx ends is reported as oms_collector_success 0; ctx must have a deadline.
func Gather(ctx context.Context, clients []*Client, names []string) prometheus.Gatherer {
	ctx = oms.WithScrape(ctx)
	reg := prometheus.NewRegistry()
	reg.MustRegister(unchecked(func(ch chan<- prometheus.Metric) {
		var wg sync.WaitGroup
		for _, c := range clients {
			wg.Go(func() { c.collect(ctx, names, ch) })
		}
		wg.Wait()
	}))
	return reg
}

// unchecked is a Prometheus collector that does not say beforehand what it will collect: each client has its own labels.
type unchecked func(chan<- prometheus.Metric)

func (unchecked) Describe(chan<- *prometheus.Desc) {}

func (u unchecked) Collect(ch chan<- prometheus.Metric) { u(ch) }

// collect sends the metrics of the named collectors and what is known of the client without asking it, which comes
// last to have the generation that was just found.
func (c *Client) collect(ctx context.Context, names []string, ch chan<- prometheus.Metric) {
	var wg sync.WaitGroup
	for _, t := range c.named(names) {
		wg.Go(func() { c.measure(ctx, t, ch) })
	}
	wg.Wait()
	ch <- c.info()
	ch <- clientUTCOffset.sample(utcOffset(c.opts.Now(), c.cfg.Timezone), c.cfg.Name)
	for _, s := range c.cfg.ResetInventory {
		for _, id := range s.ConfigIDs {
			ch <- resetConfig.sample(1, c.cfg.Name, s.Source, id)
		}
	}
	for _, l := range c.cfg.SFTP {
		for folder, path := range map[oms.Folder]string{
			oms.FolderInbox: l.Path, oms.FolderArchive: l.Archive, oms.FolderFailed: l.Failed,
		} {
			if path != "" {
				ch <- sftpFolder.sample(1, c.cfg.Name, l.Location, l.Source, string(folder))
			}
		}
	}
}

// measure sends what one collector measures, and its health. The age of the data is left out where there are none.
func (c *Client) measure(ctx context.Context, t *task, ch chan<- prometheus.Metric) {
	out := c.await(ctx, &t.flight, t.Collector)
	if errors.Is(ctx.Err(), context.Canceled) {
		return // the scraper hung up: nobody listens, and it says nothing about the OMS
	}
	status := c.record(t, out)
	for _, m := range out.metrics {
		ch <- m
	}
	labels := []string{c.cfg.Name, t.Name()}
	ch <- collectorSuccess.sample(truth(out.err == nil), labels...)
	ch <- collectorLookingBack.sample(truth(errors.Is(out.err, oms.ErrLookBack)), labels...)
	ch <- collectorDuration.sample(out.duration.Seconds(), labels...)
	if !status.LastSuccess.IsZero() {
		ch <- collectorLastSuccess.sample(seconds(status.LastSuccess), labels...)
	}
	if out.err == nil || len(out.metrics) > 0 {
		ch <- collectorDataAge.sample(out.age.Seconds(), labels...)
	}
}

// info is there for every configured client, also when nothing of it can be reached.
func (c *Client) info() prometheus.Metric {
	c.mu.Lock()
	generation := c.instance.Generation
	c.mu.Unlock()
	labels := prometheus.Labels{}
	maps.Copy(labels, c.cfg.Labels)
	labels["client"], labels["timezone"], labels["generation"] = c.cfg.Name, c.cfg.Timezone.String(), string(generation)
	return prometheus.MustNewConstMetric(
		prometheus.NewDesc("oms_client_info", "1 for every configured client, with its own labels.", nil, labels),
		prometheus.GaugeValue, 1)
}
