package deploy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// receivers are who hears of an alert, by its severity; a client may hear of it too, and that comes first.
var receivers = map[string]string{"page": "pager,ticket,chat", "ticket": "ticket,chat", "info": "chat"}

func TestRoutes(t *testing.T) {
	t.Parallel()
	const off = `# - {receiver: client-notice, matchers: [client="KREWE"]}`
	shipped := read(t, alertmanagerFile)
	if strings.Count(shipped, off) != 2 {
		t.Fatalf("%s has not two lines %q, for checks and for databases that cannot be reached", alertmanagerFile, off)
	}
	noticesOn := write(t, "alertmanager.yml", strings.ReplaceAll(shipped, off, strings.TrimPrefix(off, "# ")))
	for _, c := range []struct {
		name, file, client, notice string
	}{
		{"notices are off", alertmanagerFile, "KREWE", "nobody"},
		{"notices are on", noticesOn, "KREWE", "client-notice"},
		{"notices are on for another client", noticesOn, "UCG", "nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for name := range alertRules(t) {
				alert := newAlert(t, name, c.client, "collector=orders")
				want := receivers[alert["severity"]]
				switch {
				case name == "OMSWatchdog":
					want = "watchdog"
				case name == "OMSCollectorFailing": // it has the check of what it measures, and is about the monitoring
				case alert["severity"] == "page" && slices.Contains(guideChecks, alert["check"]), name == "OMSDatabaseUnreachable":
					want = c.notice + "," + want
				}
				if got := route(t, c.file, alert); got != want {
					t.Errorf("%s goes to %s, want %s", name, got, want)
				}
			}
		})
	}
	t.Run("nothing is lost", func(t *testing.T) {
		t.Parallel()
		if got := route(t, alertmanagerFile, labels{"alertname": "Foreign"}); got != "chat" {
			t.Errorf("an alert without our labels goes to %s", got)
		}
	})
}

// A receiver is told soon (10 s), of news in a group as often as it can bear them, and again of what it must not forget. The
// watchdog's is told of a new alert each minute, and nothing is repeated to it while Alertmanager keeps the last one of a
// Prometheus that has stopped. The news of a page are a minute old at most, and it comes again every 4 hours. Client notices are
// of a check, everything else of an alert.
func TestRhythms(t *testing.T) {
	t.Parallel()
	var config struct{ Route map[string]any }
	parse(t, read(t, alertmanagerFile), &config)
	got := map[string]string{}
	routes, _ := config.Route["routes"].([]any)
	for _, child := range routes {
		route := maps.Clone(config.Route)
		own, _ := child.(map[string]any)
		maps.Copy(route, own)
		name, _ := route["receiver"].(string)
		got[name] = fmt.Sprintf("%v %v %v %v", route["group_by"], route["group_wait"], route["group_interval"], route["repeat_interval"])
	}
	want := map[string]string{
		"watchdog": "[client alertname] 10s 30s 24h",
		"nobody":   "[client check] 10s 1m 24h", // with the notices to clients below it
		"pager":    "[client alertname] 10s 1m 4h",
		"ticket":   "[client alertname] 10s 5m 24h",
		"chat":     "[client alertname] 10s 5m 24h",
	}
	if !maps.Equal(got, want) {
		t.Errorf("the routes are\n%v, want\n%v", got, want)
	}
}

// route asks amtool who receives an alert.
func route(t *testing.T, file string, alert labels) string {
	t.Helper()
	args := []string{"config", "routes", "test", "--config.file=" + file}
	for name, value := range alert {
		args = append(args, name+"="+value)
	}
	return strings.TrimSpace(tool(t, "amtool", args...))
}
