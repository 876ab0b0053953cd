package quartz

import (
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

func benchmarked() []string {
	return []string{"0 0/15 * * * ?", "0 30 2 * * ?", "0 0 6 ? * MON-FRI", "0 15 3 1 * ?", "0 0 12 LW * ?", "0 0 0 1 1 ?"}
}

// BenchmarkParse reads six usual expressions.
func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		for _, expression := range benchmarked() {
			if _, err := Parse(expression); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkAfter asks each of them for the next occurrence.
func BenchmarkAfter(b *testing.B) {
	zone := testserver.Zone(b, "America/New_York")
	last := walltime.Wall(time.Date(2026, 11, 18, 11, 45, 2, 0, time.UTC), zone)
	var schedules []*Schedule
	for _, expression := range benchmarked() {
		s, err := Parse(expression)
		if err != nil {
			b.Fatal(err)
		}
		schedules = append(schedules, s)
	}
	for b.Loop() {
		for _, s := range schedules {
			if s.After(last, zone).IsZero() {
				b.Fatal("never")
			}
		}
	}
}
