package deploy_test

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// The shipped configuration, with other addresses, its secrets in files, short times and one client's notices turned on,
// reaches every receiver: when an alert fires, ends, and comes back.
func TestDelivery(t *testing.T) {
	t.Parallel()
	services := newServices(t)
	smtp, mails := mailServer(t)
	base := testserver.Alertmanager(t, deliveryConfig(t, services.URL, smtp))
	stuck := postedAlert{Labels: newAlert(t, "OMSJobStuck", "KREWE", "job_id=68855"), Annotations: map[string]string{
		"summary":        "KREWE: JOB_IMP_ORD has been running for 46m 0s",
		"description":    "Job 68855 (JOB_IMP_ORD) has been running on krewe1: for 46m 0s.",
		"client_notice":  "A background job has been running for more than 46 minutes, which is longer than expected.",
		"client_outcome": "The background job is running normally again.",
		"runbook_url":    "https://runbooks.example.com/OMSJobStuck.md",
	}}

	watchdog := postedAlert{Labels: newAlert(t, "OMSWatchdog", "all")}
	post(t, base, stuck, watchdog)
	services.await(t, "POST /watchdog", `"alertname":"OMSWatchdog"`)
	services.await(t, "POST /pager", `"routing_key":"secret of pagerduty_routing_key"`, `"event_action":"trigger"`,
		`"summary":"KREWE: JOB_IMP_ORD has been running for 46m 0s"`, `"firing":"1 alert\n\nKREWE: JOB_IMP_ORD`,
		`"severity":"critical"`, `"source":"KREWE"`, `"class":"OMSJobStuck"`,
		`"links":[{"href":"https://runbooks.example.com/OMSJobStuck.md","text":"Runbook"},{"href":"http://localhost:3000/d/oms-client?var-client=KREWE","text":"Dashboard"}]`)
	services.await(t, "POST /chat", `"title":"KREWE: OMSJobStuck (page)"`, `• KREWE: JOB_IMP_ORD has been running`,
		`"fallback":"KREWE: JOB_IMP_ORD has been running`)
	services.await(t, "POST /jira/issue", "Basic "+encoded("operations@example.com:secret of jira_api_token"),
		`"summary":"KREWE: JOB_IMP_ORD has been running for 46m 0s"`, `"key":"OMS"`, `"ALERT{`,
		`,"KREWE","OMSJobStuck","oms"]`, `"priority":{"name":"High"}`, `"issuetype":{"name":"Task"}`, `"description":"`)
	awaitMail(t, mails, "[KREWE] Issue with background jobs", "We have identified an issue and are looking into it.",
		"- A background job has been running for more than 46 minutes, which is longer than expected.")

	end := time.Now()
	over, silent := stuck, watchdog
	over.EndsAt, silent.EndsAt = &end, &end
	post(t, base, over, silent)
	services.await(t, "POST /pager", `"event_action":"resolve"`)
	services.await(t, "POST /chat", `• Resolved at `)
	services.await(t, "POST /jira/issue/OMS-1/transitions", `{"transition":{"id":"Done"}}`)
	awaitMail(t, mails, "[KREWE] Resolved: issue with background jobs", "- The background job is running normally again.", "Noticed on ")

	post(t, base, stuck)
	services.await(t, "POST /jira/search", `resolutiondate is EMPTY OR resolutiondate \u003e= -10080m`) // a week
	services.await(t, "POST /jira/issue/OMS-1/transitions", `{"transition":{"id":"To Do"}}`)
	for _, sent := range services.requests("POST /watchdog") {
		if strings.Contains(sent, `"status":"resolved"`) {
			t.Errorf("the end of the watchdog counts as a sign of life: %s", sent)
		}
	}
	for _, update := range services.requests("PUT /jira/issue/OMS-1") {
		if strings.Contains(update, `"summary"`) || strings.Contains(update, `"description"`) {
			t.Errorf("what people wrote into the ticket is overwritten: %s", update)
		}
	}
}

var secretFile = regexp.MustCompile(`/etc/alertmanager/secrets/\w+`)

// deliveryConfig writes the shipped configuration as the test needs it, with its secrets.
func deliveryConfig(t *testing.T, services, smtp string) string {
	t.Helper()
	dir := t.TempDir()
	contents := map[string]string{"watchdog_url": services + "/watchdog", "slack_webhook_url": services + "/chat"}
	config := secretFile.ReplaceAllStringFunc(read(t, alertmanagerFile), func(path string) string {
		name := filepath.Base(path)
		content := contents[name]
		if content == "" {
			content = "secret of " + name
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	})
	shippedTemplates, err := filepath.Abs(templates)
	if err != nil {
		t.Fatal(err)
	}
	for old, with := range map[string]string{
		"global:\n":            "global:\n  smtp_require_tls: false\n  pagerduty_url: " + services + "/pager\n",
		"smtp.example.com:587": smtp,
		"https://example.atlassian.net/rest/api/2/": services + "/jira",
		"templates/*.tmpl":                          shippedTemplates,
		"group_wait: 10s":                           "group_wait: 10ms",
		"group_interval: 5m":                        "group_interval: 100ms",
		"group_interval: 30s":                       "group_interval: 10ms",
		"group_interval: 1m":                        "group_interval: 100ms",
		`# - {receiver: client-notice, matchers: [client="KREWE"]}`: `- {receiver: client-notice, matchers: [client="KREWE"]}`,
	} {
		if !strings.Contains(config, old) {
			t.Fatalf("%s has no %q", alertmanagerFile, old)
		}
		config = strings.ReplaceAll(config, old, with)
	}
	return write(t, "alertmanager.yml", config)
}

// awaitMail waits for a mail to KREWE with a subject and lines of its text.
func awaitMail(t *testing.T, mails <-chan delivered, subject string, lines ...string) {
	t.Helper()
	var d delivered
	select {
	case d = <-mails:
	case <-time.After(patience):
		t.Fatalf("no mail %q", subject)
	}
	if want := encoded("\x00operations@example.com\x00secret of smtp_password"); d.credentials != want {
		t.Errorf("credentials %s, want %s", d.credentials, want)
	}
	header := d.message.Header
	if got := header.Get("To"); got != "oms-notices+krewe@example.com" {
		t.Errorf("mail to %s", got)
	}
	if got := header.Get("From"); got != "Operations <operations@example.com>" {
		t.Errorf("mail from %s", got)
	}
	if got := header.Get("Subject"); got != subject {
		t.Errorf("subject %q, want %q", got, subject)
	}
	_, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(d.message.Body, parameters["boundary"])
	part, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if !strings.Contains(string(text), line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
	if strings.Contains(string(text), "68855") {
		t.Errorf("a client is told of the inside:\n%s", text)
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Error("the mail has more than its text")
	}
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
