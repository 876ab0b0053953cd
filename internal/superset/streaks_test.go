package superset

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// TestStreaks shows that a run that does not come to a chart or dashboard neither ends its streak nor counts.
func TestStreaks(t *testing.T) {
	f := newFake(t, nil)
	r := open(t, NewPool(time.Now), by(t, f.URL, testserver.User), "d")
	good, list := f.pages[dataPage], f.pages[listPage]
	refused, away := answerJSON(400, `{"message":"Error: a"}`), answerJSON(503, `{"message":"away"}`)
	none := answerJSON(200, `{"result":[]}`)
	for i, step := range []struct {
		list, data http.HandlerFunc
		want       string
	}{
		{list, refused, "d 0, c 1"},
		{away, refused, "d 1"},
		{list, refused, "d 0, c 2"},
		{away, refused, "d 1"},
		{away, refused, "d 2"},
		{list, refused, "d 0, c 3"},
		{list, good, "d 0, c 0"},
		{list, refused, "d 0, c 1"},
		{none, refused, "d 0"}, // taken off the dashboard, and put on it again
		{list, refused, "d 0, c 1"},
	} {
		f.pages[listPage], f.pages[dataPage] = step.list, step.data
		run, _ := look(t, r, time.Duration(i)*5*time.Minute)
		got := ""
		for _, d := range run.Dashboards {
			got += fmt.Sprintf("%s %d", d.Name, d.Failures)
			for _, c := range d.Charts {
				got += fmt.Sprintf(", %s %d", c.Name, c.Failures)
			}
		}
		if got != step.want {
			t.Errorf("run %d: %s, want %s", i, got, step.want)
		}
	}
}
