package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/collector"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/oms/omstest"
)

// largeClient is what is known of a large client: 300 jobs, 30 configurations of files, 50 channels of orders. As from a
// real source, they are in no order.
func largeClient(now time.Time) omstest.Facts {
	ago := func(d time.Duration, i int) time.Time { return now.Add(-d - time.Duration(i*7919)*time.Millisecond) }
	var f omstest.Facts
	for i := range 50 {
		// 17 has no divisor in common with these numbers: each is there once.
		c := oms.Channel{ProductStore: fmt.Sprintf("STORE_%d", i*17%50), Channel: "WEB_SALES_CHANNEL"}
		f.Orders.Open = oms.Known(append(f.Orders.Open.All, oms.OpenOrders{Channel: c, Status: oms.OrderCreated, Count: i},
			oms.OpenOrders{Channel: c, Status: oms.OrderApproved, Count: 100 + i}))
		f.Orders.Created = oms.Known(append(f.Orders.Created.All, oms.CreatedOrders{Channel: c, Oldest: ago(2*time.Hour, i), OlderThan: []int{i, 0, 0, 0, 0}}))
		f.Orders.Imports = append(f.Orders.Imports, oms.Import{Channel: c, Last: ago(time.Minute, i), Seen: uint64(1000 * i)})
	}
	f.Jobs.History = &oms.JobHistory{Activity: map[string]time.Time{"oms1": ago(time.Second, 0)}}
	for i := range 300 {
		f.Jobs.History.Jobs = append(f.Jobs.History.Jobs, oms.JobRuns{
			JobName:     fmt.Sprintf("JOB_IMP_ORD/STORE_%d/SHOP_1", i*17%300),
			LastSuccess: ago(time.Hour, i), LastDuration: new(time.Duration(i*i) * time.Millisecond),
		})
	}
	for i := range 15 {
		f.Jobs.Runs = oms.Known(append(f.Jobs.Runs.All, oms.Run{
			JobName: f.Jobs.History.Jobs[i].JobName, JobID: fmt.Sprint(100000 + i), Instance: "oms1", Start: ago(time.Minute, 100*i),
		}))
	}
	f.Jobs.Pools = []oms.Pool{{Name: "pool", LastStart: ago(time.Second, 0)}}
	f.DataManager.History = &oms.FileHistory{}
	for i := range 30 {
		config := fmt.Sprintf("IMPORT_CONFIGURATION_%d", i*17%30)
		f.DataManager.Open = oms.Known(append(f.DataManager.Open.All, oms.OpenFiles{Config: config, Status: oms.FilePending, Count: i, Oldest: ago(time.Minute, i)}))
		f.DataManager.History.Configs = append(f.DataManager.History.Configs, oms.FileRuns{
			Config: config, LastSuccess: ago(time.Minute, i), LastFailure: ago(time.Hour, i),
			Recent: map[oms.FileOutcome]int{oms.FileFinished: i, oms.FileFailed: 1}, RecentFailedRecords: i,
		})
	}
	for i := range 10 {
		f.SystemMessages = oms.Known(append(f.SystemMessages.All, oms.OpenMessages{
			Type: fmt.Sprintf("MessageType%d", i), Direction: oms.MessageIn, Status: oms.MessageReceived, Count: i, Oldest: ago(time.Minute, i),
		}))
	}
	return f
}

// BenchmarkScrape tells what a scrape of a large client costs beyond its database: as metrics, as text, compressed, and
// together with the metrics of the exporter itself.
func BenchmarkScrape(b *testing.B) {
	large := newFake()
	large.Facts = largeClient(time.Now())
	bench := newBench(b, options{maxSeries: 500}, map[string]*omstest.Fake{"KREWE": large}, "KREWE")

	b.Run("metrics", func(b *testing.B) {
		ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
		defer cancel()
		b.ReportAllocs()
		series := 0
		for b.Loop() {
			families, err := collector.Gather(ctx, bench.clients.current.measured(), nil).Gather()
			if err != nil {
				b.Fatal(err)
			}
			series = 0
			for _, f := range families {
				series += len(f.Metric)
			}
		}
		b.ReportMetric(float64(series), "series")
	})
	handler := bench.handler()
	for _, page := range []struct{ name, target, encoding string }{
		{"text", "/probe?client=KREWE", "identity"},
		{"gzip", "/probe?client=KREWE", "gzip"},
		{"everything", "/metrics", "gzip"},
	} {
		b.Run(page.name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), "GET", page.target, nil)
			r.Header.Set("Accept-Encoding", page.encoding)
			var body bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				body.Reset()
				w := httptest.ResponseRecorder{Body: &body}
				handler.ServeHTTP(&w, r)
			}
			b.ReportMetric(float64(body.Len()), "B/answer")
		})
	}
}
