package deploy_test

import (
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
	if strings.Count(shipped, off) != 1 {
		t.Fatalf("%s has no line %q", alertmanagerFile, off)
	}
	noticesOn := write(t, "alertmanager.yml", strings.Replace(shipped, off, strings.TrimPrefix(off, "# "), 1))
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
				case alert["severity"] == "page" && slices.Contains(guideChecks, alert["check"]):
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

// route asks amtool who receives an alert.
func route(t *testing.T, file string, alert labels) string {
	t.Helper()
	args := []string{"config", "routes", "test", "--config.file=" + file}
	for name, value := range alert {
		args = append(args, name+"="+value)
	}
	return strings.TrimSpace(tool(t, "amtool", args...))
}
