package deploy_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// labels are those of an alert.
type labels map[string]string

func (l labels) String() string {
	pairs := make([]string, 0, len(l))
	for _, name := range slices.Sorted(maps.Keys(l)) {
		pairs = append(pairs, name+"="+l[name])
	}
	return strings.Join(pairs, " ")
}

// newAlert returns an alert with the labels that its rule gives it, its client and further ones (name=value).
func newAlert(t *testing.T, name, client string, further ...string) labels {
	t.Helper()
	r, known := alertRules(t)[name]
	if !known {
		t.Fatalf("the rules have no alert %s", name)
	}
	alert := labels{"alertname": name, "client": client}
	for _, pair := range further {
		label, value, _ := strings.Cut(pair, "=")
		alert[label] = value
	}
	maps.Copy(alert, r.Labels)
	if alert["check"] == "{{ $labels.collector }}" {
		alert["check"] = alert["collector"]
	}
	if alert["minute"] == "{{ $value }}" {
		alert["minute"] = "59"
	}
	if strings.Contains(alert["depends_on"], "$labels.collector") {
		servers := map[string]string{"sftp": "sftp", "reports": "superset"}
		alert["depends_on"] = cmp.Or(servers[alert["collector"]], "database")
	}
	return alert
}

// A postedAlert is an alert as Alertmanager takes and returns it.
type postedAlert struct {
	Labels      labels            `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	EndsAt      *time.Time        `json:"endsAt,omitempty"`
	Status      struct {
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status,omitzero"`
}

// post sends alerts to Alertmanager.
func post(t *testing.T, base string, alerts ...postedAlert) {
	t.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := request(t, http.MethodPost, base+"/api/v2/alerts", body); err != nil {
		t.Fatal(err)
	}
}

// inhibited asks Alertmanager for all alerts: whether it inhibits each, by its labels.
func inhibited(t *testing.T, base string) (map[string]bool, error) {
	t.Helper()
	body, err := request(t, http.MethodGet, base+"/api/v2/alerts", nil)
	if err != nil {
		return nil, err
	}
	var alerts []postedAlert
	if err := json.Unmarshal(body, &alerts); err != nil {
		return nil, err
	}
	states := map[string]bool{}
	for _, alert := range alerts {
		states[alert.Labels.String()] = len(alert.Status.InhibitedBy) > 0
	}
	return states, nil
}

func request(t *testing.T, method, url string, body []byte) ([]byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %s", url, response.Status, answer)
	}
	return answer, err
}
