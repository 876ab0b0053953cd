package demo

import (
	"strconv"
	"strings"
	"time"
)

// jobKind is a job as every client has it.
type jobKind struct {
	enum, name, service string
	every               time.Duration // or, when 0, daily at this time of the client's day
	at                  time.Duration
	longest             time.Duration // that a run takes
	shops               int           // how many shops it is scheduled for; 0: for none in particular
}

const (
	failingJob   = "JOB_APR_SALES_ORD"
	flakyJob     = "JOB_IMP_ORD_CNCL"
	purgeService = "purgeOldJobs"
)

func jobKinds() []jobKind {
	const s, m, h = time.Second, time.Minute, time.Hour
	return []jobKind{
		{"JOB_IMP_ORD", "Import orders", "createOrdersFromShopify", 15 * m, 0, 2 * m, 2},
		{"JOB_APR_ORD", "Approve orders", "approvePendingShopifyOrders", 30 * m, 0, m, 0},
		{failingJob, "Approve sales orders", "approveSalesOrders", 15 * m, 0, m, 0},
		{"JOB_IMP_MISS_ORD", "Import missed orders", "importMissedShopifyOrders", 0, 90 * m, 8 * m, 1},
		{"JOB_IMP_ORD_UPD", "Import order updates", "updateShopifyOrders", h, 0, 4 * m, 1},
		{"JOB_IMP_ORD_CNCL", "Import cancellations", "cancelShopifyOrders", 30 * m, 0, m, 1},
		{"JOB_IMP_ITM_CNCL", "Import item cancellations", "cancelShopifyItems", h, 0, m, 1},
		{"JOB_IMP_RTN", "Import returns", "importShopifyReturns", 6 * h, 0, 5 * m, 1},
		{"JOB_PRC_PND_DML", "Process pending files", "processPendingDataManagerJob", 5 * m, 0, 40 * s, 0},
		{"JOB_IMP_INV", "Import inventory file", importService, 15 * m, 0, m, 0},
		{"JOB_SYNC_INV_SHPFY", "Sync inventory from Shopify", "bulkInventorySyncFromShopify", 0, 4 * h, 20 * m, 1},
		{"JOB_UL_INV", "Upload inventory", "uploadInventoryToShopify", 0, 5 * h, 25 * m, 1},
		{"UL_RCNT_INV", "Upload recent inventory", "uploadRecentInventoryToShopify", 30 * m, 0, 5 * m, 1},
		{"JOB_UL_PRCS", "Process bulk operations", "processBulkOperations", 15 * m, 0, m, 0},
		{"JOB_BKR_ORD", "Broker orders", "runOrderBrokering", 30 * m, 0, 8 * m, 0},
		{"JOB_BKR_ORD_UNF", "Broker unfillable orders", "runUnfillableBrokering", 2 * h, 0, 3 * m, 0},
		{"", "Purge old jobs", purgeService, 0, 3 * h, 2 * m, 0},
	}
}

// recurrence is the key of the temporal expression by which the job recurs.
func (k jobKind) recurrence() string {
	if k.every == 0 {
		return "DAILY"
	}
	return "EVERY_" + strconv.Itoa(int(k.every/time.Minute)) + "_MIN"
}

// expression is that temporal expression: so many of a unit of java.util.Calendar, of which 12 is the minute.
func (k jobKind) expression() row {
	every := k.every
	if every == 0 {
		every = 24 * time.Hour
	}
	return &fixed{
		into:  table{"temporal_expression", "temp_expr_id, temp_expr_type_id, integer1, integer2", 1},
		cells: []any{k.recurrence(), "FREQUENCY", strconv.Itoa(int(every / time.Minute)), 12},
	}
}

// instances are the ids of the client's application servers.
func (p profile) instances() [2]string {
	name := strings.ToLower(p.name)
	return [2]string{name + "1", name + "2"}
}
