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
		"summary": "UCG: an order of " + store + " has been in status created for " + age,
		"description": "The oldest sales order of " + store + ", channel WEB_SALES_CHANNEL, entered the OMS " + age +
			" ago and is still not approved. 3 orders are older than 3 hours. Orders are not brokered until they are approved.",
		"client_notice":  "Some orders of " + store + " have been waiting for approval for more than 3 hours.",
		"client_outcome": "Orders of " + store + " are being approved again.",
	})
}

func waitsForBrokering(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSOrderWaitsForBrokering", "UCG", "stage=brokering_queue"), map[string]string{
		"client_notice":  "Some approved orders have been waiting for a store or warehouse for more than 25 hours.",
		"client_outcome": "All approved orders are being assigned to stores and warehouses again.",
	})
}

func jobFailing(t *testing.T, job string) notified {
	t.Helper()
	return firing(newAlert(t, "OMSJobFailing", "ADOC", "job_name="+job), map[string]string{
		"client_notice":  "A background job keeps failing.",
		"client_outcome": "The background job is succeeding again.",
	})
}

func inventoryNotReceived(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSResetInventoryNotReceived", "NEWERA", "source=wms"), map[string]string{
		"client_notice":  "We have not received the inventory file from wms. Please check whether it was sent.",
		"client_outcome": "An inventory file from wms has been received and processed.",
	})
}

func inventoryNotProcessed(t *testing.T) notified {
	t.Helper()
	return firing(newAlert(t, "OMSResetInventoryNotProcessed", "NEWERA", "source=wms"), map[string]string{
		"client_notice":  "The inventory file from wms was received, but has not been processed yet.",
		"client_outcome": "The inventory file from wms has been processed.",
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
		"summary": "KREWE: a job in pool \"pool\" is 1h 10m 0s overdue and does not start",
		"description": "A job in pool \"pool\" is 1h 10m 0s overdue, while other jobs start: a server claimed it and never started it, " +
			"or its priority is too low for the load.",
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
		"summary":        "ADOC: " + name + " is failing",
		"description":    name + " failed 3 times in a row.",
		"client_notice":  "The background job " + name + " keeps failing.",
		"client_outcome": "The background job " + name + " is succeeding again.",
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
