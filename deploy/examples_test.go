package deploy_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// exampleConfig puts the receivers of an example in the place of those of the same name in the configuration that the tests of
// deliveries use, and has amtool check it.
func exampleConfig(t *testing.T, example, services, smtp string) string {
	t.Helper()
	content := secretFile.ReplaceAllStringFunc(read(t, example), func(path string) string {
		name := filepath.Base(path)
		secret := "secret of " + name
		if name == "teams_webhook_url" {
			secret = services + "/teams"
		}
		return write(t, name, secret)
	})
	content = strings.ReplaceAll(content, "https://api.atlassian.com", services)
	type config struct {
		Receivers []map[string]any
		Rest      map[string]any `yaml:",inline"`
	}
	var shipped, others config
	parse(t, read(t, deliveryConfig(t, services, smtp)), &shipped)
	parse(t, content, &others)
	for _, r := range others.Receivers {
		standIn(t, r, services)
		at := slices.IndexFunc(shipped.Receivers, func(s map[string]any) bool { return s["name"] == r["name"] })
		if at < 0 {
			t.Fatalf("%s: %s has no receiver %v", example, alertmanagerFile, r["name"])
		}
		shipped.Receivers[at] = r
	}
	if len(others.Receivers) == 0 || len(others.Rest) > 0 {
		t.Fatalf("%s has something else than receivers", example)
	}
	file := write(t, "alertmanager.yml", encode(t, shipped))
	tool(t, "amtool", "check-config", file)
	return file
}

// standIn leads a receiver of Amazon Managed Service for Prometheus to the stand-in: the service sets SNS' address and the credentials
// itself, and reads the key of PagerDuty from Secrets Manager, for which Alertmanager has no setting.
func standIn(t *testing.T, receiver map[string]any, services string) {
	t.Helper()
	settings := func(kind string) []any { list, _ := receiver[kind].([]any); return list }
	for _, s := range settings("sns_configs") {
		sns := s.(map[string]any)
		signing := sns["sigv4"].(map[string]any)
		if signing["region"] == nil || len(signing) != 1 || sns["api_url"] != nil || sns["http_config"] != nil {
			t.Errorf("Amazon rejects these settings of SNS: %v", sns)
		}
		sns["api_url"] = services + "/sns"
		signing["access_key"], signing["secret_key"] = "key", "secret"
	}
	for _, s := range settings("pagerduty_configs") {
		key, ok := s.(map[string]any)["routing_key"].(map[string]any)
		if !ok {
			continue
		}
		secret, _ := key["aws_secrets_manager"].(map[string]any)
		if len(key) != 1 || secret["secret_arn"] == nil || secret["secret_key"] == nil {
			t.Errorf("Amazon does not find the key of PagerDuty: %v", key)
		}
		s.(map[string]any)["routing_key"] = "a routing key"
	}
}

// TestExamples has amtool check each example in the place of what it replaces, and an Alertmanager send by it.
func TestExamples(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "") // the bundle of a machine keeps Alertmanager from sending to SNS. So only the examples run in parallel
	job := postedAlert{Labels: newAlert(t, "OMSJobStuck", "KREWE", "job_id=68855"), Annotations: map[string]string{
		"summary":     "KREWE: [JOB](http://x.example)_IMP has been running for 46m 0s",
		"description": "Job 68855 has been running on krewe1 for 46m 0s.",
		"runbook_url": "https://runbooks.example.com/OMSJobStuck.md",
	}}
	type sent struct {
		request string // what the service gets; none by mail
		parts   []string
	}
	examples := map[string][]sent{
		"microsoft_teams.yml": {{"POST /teams", []string{
			`"AdaptiveCard"`, `KREWE: \\[JOB\\]\\(http://x.example\\)\\_IMP has been running for 46m 0s (alert started `,
			`[Runbook](https://runbooks.example.com/OMSJobStuck.md)`, `[Dashboard](http://localhost:3000/d/oms-client?var-client=KREWE)`,
		}}},
		"jira_service_management.yml": {{"POST /jsm/ops/integration/v2/alerts", []string{
			"GenieKey secret of jsm_api_key", `"message":"KREWE: [JOB]`, `"priority":"P1"`, `"source":"KREWE"`, `"entity":"OMSJobStuck"`,
			`"runbook":"https://runbooks.example.com/OMSJobStuck.md"`,
		}}},
		"clickup.yml": nil,
		"amazon_managed_prometheus.yml": {
			{"POST /pager", []string{`"routing_key":"a routing key"`, `"summary":"KREWE: [JOB]`, `"runbook":"https://runbooks.example.com/OMSJobStuck.md"`}},
			{"POST /sns", []string{"Action=Publish", "oms-chat", "&Subject=KREWE%3A+OMSJobStuck+%28firing%29", "%2FOMSJobStuck.md"}},
			{"POST /sns", []string{"oms-tickets", "&Subject=KREWE%3A+OMSJobStuck&", "MessageAttributes.entry.1.Name=client", "StringValue=KREWE"}},
			{"POST /sns", []string{"oms-notices", "&Subject=%5BKREWE%5D+Issue+with+background+jobs"}},
		},
	}
	files, err := filepath.Glob("alertmanager/examples/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Collect(maps.Keys(examples))
	for _, file := range files {
		name := filepath.Base(file)
		example, ok := examples[name]
		if !ok {
			t.Errorf("%s is not tested", file)
			continue
		}
		known = slices.DeleteFunc(known, func(k string) bool { return k == name })
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services := newServices(t)
			smtp, mails := mailServer(t)
			base := testserver.Alertmanager(t, exampleConfig(t, file, services.URL, smtp))
			post(t, base, job)
			for _, s := range example {
				services.await(t, s.request, s.parts...)
			}
			if len(example) > 0 {
				return
			}
			for late := time.After(patience); ; {
				select {
				case mail := <-mails:
					if !strings.HasSuffix(mail.message.Header.Get("To"), "@tasks.clickup.com") {
						continue // the notice to the client
					}
					if subject := mail.message.Header.Get("Subject"); subject != "KREWE: [JOB](http://x.example)_IMP has been running for 46m 0s" {
						t.Errorf("subject %q", subject)
					}
					return
				case <-late:
					t.Fatal("no mail to ClickUp")
				}
			}
		})
	}
	if len(known) > 0 {
		t.Errorf("there is no example %v", known)
	}
}
