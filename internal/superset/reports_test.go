package superset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

// TestSharedAccount shows that clients share a login and the few requests at a time, and what remains of that.
func TestSharedAccount(t *testing.T) {
	var list strings.Builder
	pages := map[string]http.HandlerFunc{dataPage: func(w http.ResponseWriter, r *http.Request) {
		answerJSON(200, `{"result":[{"data":[]}]}`)(w, r)
		_ = http.NewResponseController(w).Flush()
		<-time.After(20 * time.Millisecond) // what is left of the answer comes late
	}}
	for id := range 12 {
		fmt.Fprintf(&list, `,{"id":%d,"slice_name":"c%d"}`, 100+id, id)
		pages[fmt.Sprint("GET /api/v1/chart/", 100+id)] = answerJSON(200, `{"result":{"query_context":"{}"}}`)
	}
	pages[listPage] = answerJSON(200, `{"result":[`+list.String()[1:]+`]}`)
	f, p := newFake(t, pages), NewPool(time.Now)
	account, another := by(t, f.URL, testserver.User), by(t, f.URL, "another")
	var all []*Reports
	for _, a := range []config.SupersetAccount{account, account, another} {
		all = append(all, open(t, p, a, "d"))
	}
	for _, r := range all {
		_, _ = r.Latest(ended(t), start)
	}
	for _, r := range all {
		run, err := look(t, r, 0)
		must(t, err)
		if len(failed(run)) != 12 {
			t.Errorf("%+v", run)
		}
	}
	if f.logins.Load() != 2 || f.most.Load() != parallel {
		t.Errorf("%d logins, want one of each account; %d requests at a time, want %d", f.logins.Load(), f.most.Load(), parallel)
	}
	if n := f.opened.Load(); n > 4*parallel { // now and then one is opened while another gets free
		t.Errorf("%d connections, want %d for each account", n, parallel)
	}
	// Closing one takes the login from no other.
	must(t, all[0].Close())
	must(t, all[0].Close())
	must(t, open(t, p, by(t, f.URL, "third"), "d").Close())
	for _, a := range []config.SupersetAccount{account, another} {
		r := open(t, p, a, "d")
		if _, err := look(t, r, 0); err != nil || f.logins.Load() != 2 {
			t.Errorf("%d logins, %v", f.logins.Load(), err)
		}
		must(t, r.Close())
	}
	must(t, all[2].Close())
	// As in a reload: the new one is opened before the old one is closed.
	next := open(t, p, account, "d")
	for _, r := range all {
		must(t, r.Close())
	}
	if _, err := look(t, next, 0); err != nil || f.logins.Load() != 2 {
		t.Errorf("%d logins, %v", f.logins.Load(), err)
	}
	must(t, next.Close())
	testserver.Eventually(t, 10*time.Second, func() error {
		if opened, closed := f.opened.Load(), f.closed.Load(); opened != closed {
			return fmt.Errorf("%d connections of %d are closed", closed, opened)
		}
		return nil
	})
	if _, err := next.Latest(t.Context(), start); err == nil || !strings.Contains(err.Error(), "client KREWE: the reports are closed") {
		t.Errorf("error %v", err)
	}
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestDetached shows when a caller waits, and for what.
func TestDetached(t *testing.T) {
	release := make(chan struct{})
	var slow atomic.Bool
	slow.Store(true)
	f := newFake(t, map[string]http.HandlerFunc{
		listPage: answerJSON(200, `{"result":[{"id":7,"slice_name":"quick"},{"id":8,"slice_name":"slow"}]}`),
		"GET /api/v1/chart/8": func(w http.ResponseWriter, r *http.Request) {
			if slow.Load() {
				<-release
			}
			answerJSON(200, `{"result":{"query_context":null}}`)(w, r)
		},
	})
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d")
	brief, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	run, err := r.Latest(brief, start) // the first waits for what it can
	if !errors.Is(err, oms.ErrIncomplete) || !strings.Contains(err.Error(), "the first run is in progress") {
		t.Errorf("error %v", err)
	}
	compare(t, failed(run), map[string]string{"quick": "ok"})
	close(release)
	run, err = look(t, r, time.Minute)
	must(t, err)
	compare(t, failed(run), map[string]string{"quick": "ok", "slow": "no_query_context"})
	if run.Age != time.Minute {
		t.Errorf("age %s", run.Age)
	}
	release = make(chan struct{})
	for _, step := range []time.Duration{5 * time.Minute, 10 * time.Minute} { // begins one, and meets it
		run, err = r.Latest(ended(t), start.Add(step))
		must(t, err)
		if run.Age != step || failed(run)["slow"] == "" {
			t.Errorf("%+v", run)
		}
	}
	var asked []string
	ctx := trace.With(ended(t), func(what string, _ time.Duration, rows int, _ error) {
		asked = append(asked, fmt.Sprint(what, " ", rows))
	})
	_, _ = r.Latest(ctx, start.Add(10*time.Minute))
	if text := strings.Join(asked, "\n"); !strings.Contains(text, dataPage+" (quick) 1") || !strings.Contains(text, "GET /api/v1/dashboard/1/charts 0") {
		t.Errorf("the trace is\n%s", text)
	}
	began := time.Now()
	must(t, r.Close()) // ends the run under way, though the server does not
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("closing takes %s", took)
	}
	select {
	case <-r.current.done:
	default:
		t.Error("the run goes on after the end")
	}
	close(release)
}

// TestRunIsOver has charts that the run cannot come to.
func TestRunIsOver(t *testing.T) {
	f := newFake(t, map[string]http.HandlerFunc{
		dataPage: hang, listPage: answerJSON(200, `{"result":[{"id":7,"slice_name":"a"},{"id":7,"slice_name":"b"}]}`),
	})
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d", "e")
	r.interval = 200 * time.Millisecond
	run, err := look(t, r, 0)
	if err == nil || !strings.Contains(err.Error(), "the run was stopped after 200ms before 3 dashboards or charts were queried: increase superset.interval") {
		t.Errorf("error %v", err)
	}
	compare(t, failed(run), nil)
}

// TestClock shows when a run is due, also by a clock that is set back.
func TestClock(t *testing.T) {
	f, runs := newFake(t, nil), 0
	good := f.pages[boardPage]
	f.pages[boardPage] = func(w http.ResponseWriter, r *http.Request) {
		runs++
		good(w, r)
	}
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d")
	for _, step := range []struct {
		at   time.Duration
		runs int
	}{{0, 1}, {5*time.Minute - 1, 1}, {5 * time.Minute, 2}, {4 * time.Minute, 3}, {9*time.Minute - 1, 3}, {9 * time.Minute, 4}} {
		if _, err := look(t, r, step.at); err != nil || runs != step.runs {
			t.Errorf("%s: %d runs, want %d, %v", step.at, runs, step.runs, err)
		}
	}
	if run, err := r.Latest(t.Context(), start); err != nil || run.Age != 0 {
		t.Errorf("age %s of what is from the future, %v", run.Age, err)
	}
}

// TestPanic has the exporter itself be at fault for a chart, which costs no other anything.
func TestPanic(t *testing.T) {
	f := newFake(t, map[string]http.HandlerFunc{
		listPage:                  answerJSON(200, `{"result":[{"id":7,"slice_name":"good"},{"id":8,"slice_name":"bad"}]}`),
		"GET /api/v1/chart/8":     answerJSON(200, `{"result":{}}`),
		"GET /api/v1/dashboard/e": answerJSON(404, `{}`),
	})
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d", "e")
	r.streaks.failing = nil // so that it cannot be written
	run, err := look(t, r, 0)
	compare(t, failed(run), map[string]string{"good": "ok", "bad": "bad_answer", "e": "bad_answer"}) // none goes missing
	if n := strings.Count(fmt.Sprint(err), "panic: assignment to entry in nil map"); n != 2 {
		t.Errorf("%d panics, want one of a chart and one of a dashboard: %v", n, err)
	}
}

// TestLog shows that a failure is logged once, and its end too.
func TestLog(t *testing.T) {
	f := newFake(t, nil)
	var log bytes.Buffer
	r, err := NewPool(time.Now).Open(slog.New(slog.NewTextHandler(&log, nil)), config.Client{Name: "KREWE", Superset: config.Superset{
		Account: by(t, f.URL, testserver.User), Dashboards: []string{"d"}, Interval: 5 * time.Minute,
	}})
	must(t, err)
	good := f.pages[dataPage]
	for i, handler := range []http.HandlerFunc{
		good, answerJSON(400, `{"message":"Error: a"}`), answerJSON(400, `{"message":"Error: a"}`), answerJSON(400, `{"message":"Error: b"}`), good, good,
	} {
		f.pages[dataPage] = handler
		_, err := look(t, r, time.Duration(i)*5*time.Minute)
		must(t, err)
	}
	must(t, r.Close())
	const line = " client=KREWE collector=reports dashboard=d chart=c duration_seconds="
	var got []string
	for text := range strings.Lines(log.String()) {
		_, text, _ = strings.Cut(text, " ")
		before, after, _ := strings.Cut(text, line)
		_, after, _ = strings.Cut(strings.TrimSpace(after), " ")
		got = append(got, strings.TrimSpace(before+" … "+after))
	}
	want := []string{
		`level=WARN msg="the chart fails" … reason=query err="Error: a"`, `level=WARN msg="the chart fails" … reason=query err="Error: b"`,
		`level=INFO msg="the chart works" …`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged\n%s", log.String())
	}
}
