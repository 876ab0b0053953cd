package deploy_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// Alerts as Prometheus sends them, with the annotations that it makes of the rules.

func stuckInCreated(t *testing.T, store, age string) notified {
	t.Helper()
	return firing(newAlert(t, "OMSOrderStuckInCreated", "UCG", "product_store="+store, "channel=WEB_SALES_CHANNEL"), map[string]string{
		"summary": "UCG: an order of " + store + " has been in created for " + age,
		"description": "The oldest sales order of " + store + ", channel WEB_SALES_CHANNEL, entered the OMS " + age +
			" ago and is still not approved. 3 orders there are older than 3 hours. They are not brokered before they are approved.",
		"client_notice":  "Some orders of " + store + " have not been approved for " + age + ".",
		"client_outcome": "The orders of " + store + " are approved again.",
	})
}

func waitsForBrokering(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSOrderWaitsForBrokering", "UCG", "stage=brokering_queue"), map[string]string{
		"client_notice":  "Some approved orders have not been assigned to a store or warehouse for 1d 1h 0m 0s.",
		"client_outcome": "All approved orders are being assigned to stores and warehouses again.",
	})
}

func jobFailing(t *testing.T, job string) notified {
	t.Helper()
	return firing(newAlert(t, "OMSJobFailing", "ADOC", "job_name="+job), map[string]string{
		"client_notice":  "A background job keeps failing.",
		"client_outcome": "The background job finishes again.",
	})
}

func inventoryNotReceived(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSResetInventoryNotReceived", "NEWERA", "source=wms"), map[string]string{
		"client_notice":  "We have not received the inventory file of wms that is due. Please check whether it was sent.",
		"client_outcome": "An inventory file of wms has been received and processed.",
	})
}

func inventoryNotProcessed(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSResetInventoryNotProcessed", "NEWERA", "source=wms"), map[string]string{
		"client_notice":  "The inventory file of wms was received, but has not been processed yet.",
		"client_outcome": "The inventory file of wms has been processed.",
	})
}

func databaseUnreachable(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSDatabaseUnreachable", "KREWE", "collector=client"), map[string]string{
		"client_notice":  "We cannot reach your order management system. It may be down.",
		"client_outcome": "Your order management system can be reached again.",
	})
}

func jobOverdue(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSJobOverdue", "KREWE", "pool=pool"), map[string]string{
		"summary": "KREWE: a job of pool has been due for 1h 10m 0s and does not start",
		"description": "A pending job of pool has been due for 1h 10m 0s while others start: its priority is too low for the load, " +
			"or its row was never taken.",
	})
}

func recordsRefused(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSDataManagerRecordsRefused", "KREWE", "config=IMP_ORD"), map[string]string{
		"summary": "KREWE: 12 records of IMP_ORD were refused within 24 hours",
		"description": "Files of IMP_ORD were processed, but 12 of their records were refused. " +
			"The error file of each log lists them.",
	})
}

func firing(alert labels, annotations map[string]string) notified {
	annotations["runbook_url"] = "https://runbooks.example.com/" + alert["alertname"] + ".md"
	return notified{
		Status: "firing", Labels: alert, Annotations: annotations, GeneratorURL: "http://prometheus.example.com/graph?g0.expr=x",
		StartsAt: time.Date(2026, 3, 7, 22, 5, 0, 0, time.FixedZone("EST", -5*60*60)),
	}
}

func resolved(alert notified) notified {
	alert.Status, alert.EndsAt = "resolved", alert.StartsAt.Add(95*time.Minute)
	return alert
}

func withSeverity(alert notified, severity string) notified {
	alert.Labels = maps.Clone(alert.Labels)
	alert.Labels["severity"] = severity
	return alert
}

// hostile is an alert with a name out of the OMS that uses every markup, has lines of its own and is far too long.
func hostile(t *testing.T) notified {
	t.Helper()
	name := `<!channel> & <https://evil.example.com|log in> *_~` + "`" + `bold` + "`" + ` !http://evil.example.com/x.png! [~admin] {code}{color:red} ` +
		`||h|c|| C:\\dir\x :) (!) -struck- h1. ` + "\n\nh1. News\r\n* item\u2028\u202etxt\x1b[31m " + strings.Repeat("ü long ", 300) + "the end"
	return firing(newAlert(t, "OMSJobFailing", "ADOC", "job_name="+name), map[string]string{
		"summary":        "ADOC: " + name + " fails",
		"description":    name + " failed 3 times in a row.",
		"client_notice":  "The background job " + name + " keeps failing.",
		"client_outcome": "The background job " + name + " finishes again.",
	})
}

// many returns as many alerts that differ in their words.
func many(t *testing.T, number int) []notified {
	t.Helper()
	var alerts []notified
	for i := range number {
		alerts = append(alerts, stuckInCreated(t, fmt.Sprintf("STORE_%02d", i), "4h 0m 0s"))
	}
	return alerts
}
