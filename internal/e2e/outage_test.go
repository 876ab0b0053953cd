//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// longEnough is how many evaluations an outage lasts: a good deal longer than an alert lingers.
const longEnough = 15

// databaseHangs makes a database hang while an alert fires that only the database can clear: nobody is told that it is
// resolved before it is.
func (s *stack) databaseHangs(t *testing.T) {
	const client, stuck, hung = "UCG", "OMSJobStuck", "OMSDatabaseUnreachable"
	s.begin(t, client, "job-stuck", stuck)
	s.begin(t, client, "db-hung", hung)
	s.lasts(t, client, hung)
	s.fault(t, client, "db-hung", false)
	s.eventually(t, client, func() error {
		_, err := first(s.of(client), "pager", hung, "resolved")
		return err
	})
	s.stillFires(t, client, stuck)
	s.fault(t, client, "job-stuck", false)
	s.eventually(t, client, func() error { return s.quiet(client) })
	judge(t, s.take(client), client, stuck, hung)
}

// exporterKilled kills the exporter while an alert fires, and starts it without the fault: one page for all clients, and
// the alert is resolved only when the exporter says so again.
func (s *stack) exporterKilled(t *testing.T) {
	const client, stuck, down = "KREWE", "OMSOrderStuckInCreated", "OMSExporterDown"
	s.begin(t, client, "order-stuck", stuck)
	s.kill()
	s.eventually(t, "all", func() error {
		_, err := first(s.of("all"), "pager", down, "firing")
		return err
	})
	s.lasts(t, "all", down)
	s.stillFires(t, client, stuck)
	back := time.Now()
	s.start(t)
	s.eventually(t, "all", func() error { return s.quiet("all") })
	s.eventually(t, client, func() error { return s.quiet(client) })
	notices := s.take(client)
	judge(t, notices, client, stuck)
	judge(t, s.take("all"), "all", down)
	if resolved, err := first(notices, "pager", stuck, "resolved"); err != nil || resolved.at.Before(back) {
		t.Errorf("%v: %s", err, resolved)
	}
}

// lasts waits until an alert has fired for longer than any lingers.
func (s *stack) lasts(t *testing.T, client, alert string) {
	t.Helper()
	s.eventually(t, client, func() error {
		return s.holds(fmt.Sprintf(`count_over_time(ALERTS{alertname=%q, client=%q, alertstate="firing"}[1m]) >= %d`,
			alert, client, longEnough))
	})
}

// stillFires fails when anybody was told that an alert is resolved.
func (s *stack) stillFires(t *testing.T, client, alert string) {
	t.Helper()
	for _, n := range s.of(client) {
		if n.name() == alert && n.Status == "resolved" {
			t.Errorf("told as resolved while nothing is known: %s%s", n, s.situation(client))
		}
	}
	if err := s.holds(fmt.Sprintf(`ALERTS{alertname=%q, client=%q, alertstate="firing"}`, alert, client)); err != nil {
		t.Error(err)
	}
}
