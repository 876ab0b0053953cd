package demo

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

// times has each step of each order, with the one before it and how long ago that was. With the other statements it makes the
// queries below quick.
func times() []string {
	return []string{
		`CREATE TABLE steps AS SELECT order_id, change_reason_enum_id AS what, facility_id AS at, unixepoch(change_datetime) AS t, 2 AS rank
			FROM order_facility_change WHERE order_item_seq_id = '00001'
			UNION ALL SELECT order_id, status_id, '', unixepoch(status_datetime), CASE status_id WHEN 'ORDER_CREATED' THEN 0 WHEN 'ORDER_APPROVED' THEN 1 ELSE 3 END
			FROM order_status`,
		`CREATE TABLE times AS SELECT *, lag(what) OVER steps_of AS last, t - lag(t) OVER steps_of AS took FROM steps
			JOIN (SELECT order_id, sales_channel_enum_id AS channel FROM order_header) USING (order_id)
			WINDOW steps_of AS (PARTITION BY order_id ORDER BY t, rank)`,
		"CREATE INDEX statuses ON order_status (order_id)",
		"CREATE INDEX changes ON order_facility_change (order_id)",
		"CREATE INDEX successors ON job_sandbox (previous_job_id)",
	}
}

// Whatever is in the tables of a healthy client fits together, and happens in the time that it takes. Each query counts what does not.
func TestLife(t *testing.T) {
	t.Parallel()
	d, observers := newTestDemo(t, 2, 5*24*time.Hour, 11)
	advance(t, d, observers, 10*time.Hour+7*time.Minute)
	for _, o := range observers {
		c, err := d.client(o.name)
		for _, statement := range times() {
			if err == nil {
				_, err = c.db.ExecContext(t.Context(), statement)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	never := map[string]string{
		"an order that entered at once or late": "FROM order_header WHERE unixepoch(entry_date) - unixepoch(order_date) NOT BETWEEN 60 AND 900",
		"an order without its first status": `FROM order_header h WHERE 1 <> (SELECT count(*) FROM order_status s WHERE s.order_id = h.order_id
			AND s.status_id = 'ORDER_CREATED' AND s.status_datetime = h.entry_date)`,
		"an order in another than its last status": `FROM order_header h WHERE status_id <> (SELECT s.status_id FROM order_status s
			WHERE s.order_id = h.order_id ORDER BY status_datetime DESC, s.status_id = 'ORDER_CREATED' LIMIT 1)`,
		"a status twice":               "FROM (SELECT 1 FROM order_status GROUP BY order_id, status_id HAVING count(*) > 1)",
		"a wrong number of items":      "FROM order_header h WHERE (SELECT count(*) FROM order_item i WHERE i.order_id = h.order_id) NOT IN (1, 2)",
		"a wrong total":                "FROM order_header h WHERE grand_total <> 50 * (SELECT count(*) FROM order_item i WHERE i.order_id = h.order_id)",
		"an item in another status":    "FROM order_item i JOIN order_header h USING (order_id) WHERE substr(i.status_id, 6) <> substr(h.status_id, 7)",
		"an item of another number":    "FROM order_item WHERE order_item_seq_id NOT IN ('00001', '00002') OR quantity <> 1 OR unit_price <> 50",
		"an unknown product":           "FROM order_item WHERE CAST(product_id AS INTEGER) NOT BETWEEN 10000 AND 10499",
		"an order without its group":   "FROM order_header h WHERE 1 <> (SELECT count(*) FROM order_item_ship_group g WHERE g.order_id = h.order_id)",
		"an order of an unknown store": "FROM order_header WHERE product_store_id NOT IN (SELECT product_store_id FROM product_store)",
		"a group elsewhere than it was brought": `FROM order_item_ship_group g WHERE facility_id <> coalesce((SELECT c.facility_id FROM order_facility_change c
			WHERE c.order_id = g.order_id ORDER BY change_datetime DESC LIMIT 1), '_NA_')`,
		"an item that is moved from elsewhere": `FROM order_facility_change c WHERE from_facility_id <> coalesce((SELECT p.facility_id FROM order_facility_change p
			WHERE p.order_id = c.order_id AND p.change_datetime < c.change_datetime ORDER BY p.change_datetime DESC LIMIT 1), '_NA_')`,
		"items that part": `FROM order_facility_change c WHERE (SELECT count(*) FROM order_item i WHERE i.order_id = c.order_id)
			<> (SELECT count(*) FROM order_facility_change o WHERE o.order_id = c.order_id AND o.change_datetime = c.change_datetime)`,
		"an order created elsewhere than it entered": "FROM order_header WHERE created_tx_stamp <> entry_date OR created_stamp <> entry_date",
		"an order that changed unseen": `FROM order_header h WHERE last_updated_tx_stamp <> (SELECT max(status_datetime) FROM order_status s
			WHERE s.order_id = h.order_id) OR last_updated_stamp <> last_updated_tx_stamp`,
		"an approval without review": `FROM order_status WHERE 'UCG' = ?1 AND status_id = 'ORDER_APPROVED' AND order_id NOT IN
			(SELECT order_id FROM order_attribute WHERE attr_name = 'SIGNIFYD_APPROVED')`,
		"a review of another client": "FROM order_attribute WHERE 'UCG' <> ?1",

		"a run that starts off its time":  "FROM job_sandbox WHERE unixepoch(start_date_time) - unixepoch(run_time) NOT BETWEEN 0 AND 29",
		"a run off its clock":             "FROM job_sandbox WHERE run_time IS NOT NULL AND run_time_epoch / 1000 IS NOT unixepoch(run_time) + ?2",
		"a run that is pending and began": "FROM job_sandbox WHERE (status_id IN ('SERVICE_PENDING', 'SERVICE_DRAFT')) <> (start_date_time IS NULL) OR (start_date_time IS NULL) <> (run_by_instance_id IS NULL)",
		"a run that ended and runs":       "FROM job_sandbox WHERE (status_id IN ('SERVICE_FINISHED', 'SERVICE_FAILED')) <> (finish_date_time IS NOT NULL) OR cancel_date_time IS NOT NULL",
		"a failure without a word":        "FROM job_sandbox WHERE (status_id = 'SERVICE_FAILED') <> (job_result IS NOT NULL)",
		"a run without the next one": `FROM job_sandbox r WHERE system_job_enum_id IS NOT NULL AND (status_id NOT IN ('SERVICE_PENDING', 'SERVICE_DRAFT'))
			<> (SELECT count(*) FROM job_sandbox n WHERE n.previous_job_id = r.job_id)`,
		"a chain that breaks":    "FROM job_sandbox r JOIN job_sandbox p ON p.job_id = r.previous_job_id WHERE r.parent_job_id IS NOT coalesce(p.parent_job_id, p.job_id) OR r.job_name <> p.job_name OR coalesce(r.shop_id, '') <> coalesce(p.shop_id, '')",
		"a run that comes early": "FROM job_sandbox r JOIN job_sandbox p ON p.job_id = r.previous_job_id WHERE unixepoch(r.run_time) <= unixepoch(p.start_date_time) OR unixepoch(r.created_date) <> unixepoch(p.start_date_time)",
		"a run off its rhythm": `FROM job_sandbox r JOIN job_sandbox p ON p.job_id = r.previous_job_id JOIN temporal_expression e ON e.temp_expr_id = r.temp_expr_id
			WHERE (unixepoch(r.run_time) - unixepoch(p.run_time)) <> 60 * e.integer1`,
		"a job without its recurrence": "FROM job_sandbox WHERE system_job_enum_id IS NOT NULL AND temp_expr_id NOT IN (SELECT temp_expr_id FROM temporal_expression)",
		"a recurrence of another unit": `FROM temporal_expression WHERE integer2 <> 12 OR temp_expr_id <> CASE integer1 WHEN 1440 THEN 'DAILY' ELSE 'EVERY_' || integer1 || '_MIN' END`,
		"a job of a shop without its store": `FROM job_sandbox j LEFT JOIN shopify_shop s ON s.shop_id = j.shop_id
			WHERE j.shop_id IS NOT NULL AND (s.product_store_id IS NULL OR j.product_store_id <> s.product_store_id)`,
		"a job in another zone":              "FROM job_sandbox WHERE system_job_enum_id IS NOT NULL AND recurrence_time_zone <> ?3",
		"a call that is late":                "FROM job_sandbox WHERE service_name = 'sendOrderNotification' AND job_name / 1000 <> run_time_epoch / 1000",
		"a finished job of before the purge": "FROM job_sandbox WHERE status_id = 'SERVICE_FINISHED' AND unixepoch(last_updated_tx_stamp) < unixepoch(?4) - 5 * 86400",

		"a file that waits": "FROM data_manager_log WHERE unixepoch(start_date_time) - unixepoch(created_date) NOT BETWEEN 10 AND 300",
		"a file that is read and not": `FROM data_manager_log WHERE (finish_date_time IS NULL) <> (total_record_count IS NULL) OR (finish_date_time IS NULL) <> (failed_record_count IS NULL)
			OR (finish_date_time IS NULL) <> (status_id NOT IN ('SERVICE_FINISHED', 'DmlsFinished')) OR (start_date_time IS NULL) <> (run_by_instance_id IS NULL)
			OR (start_date_time IS NULL) <> (status_id IN ('SERVICE_PENDING', 'DmlsPending'))`,
		"a file of a wrong size": "FROM data_manager_log WHERE total_record_count NOT BETWEEN 200 AND 2199 OR failed_record_count <> 0",
		"a file of Moqui that OFBiz read": `FROM data_manager_log WHERE (config_id = 'SYNC_SHOPIFY_ORDER') <> (status_id LIKE 'Dmls%')
			OR (config_id = 'SYNC_SHOPIFY_ORDER') <> (last_updated_tx_stamp IS NULL) OR last_updated_stamp IS NULL OR (created_stamp IS NULL) <> (last_updated_tx_stamp IS NULL)`,
		"a file of no configuration": "FROM data_manager_log l LEFT JOIN data_manager_config c USING (config_id) WHERE c.config_id IS NULL OR l.remote_file_path NOT LIKE c.import_path || '/%.csv'",
		"a facility of no kind":      "FROM facility WHERE facility_type_id NOT IN (SELECT facility_type_id FROM facility_type)",
		"a kind of no kind":          "FROM facility_type WHERE parent_type_id NOT IN (SELECT facility_type_id FROM facility_type)",
		"a shop of another number":   "FROM shopify_shop WHERE shop_id NOT IN ('SHOP_1', 'SHOP_2')",
		"a shop that is off":         "FROM shopify_shop s JOIN product_store p USING (product_store_id) WHERE is_enabled <> 'Y' OR timezone <> ?3 OR default_time_zone_string <> ?3 OR store_name <> name",
	}
	for step, minutes := range map[string][2]float64{ // from what to what, and at which channels; how long that takes
		"ORDER_CREATED ORDER_APPROVED":         {1, 29},
		"ORDER_CREATED ORDER_APPROVED waiting": {4 * 60, 20 * 60},
		"ORDER_CREATED ORDER_CANCELLED":        {2, 20},
		"ORDER_APPROVED PARKED":                {0, 0},
		"ORDER_APPROVED UNFILLABLE":            {2, 55},
		"ORDER_APPROVED BROKERED":              {2, 55},
		"UNFILLABLE BROKERED":                  {60, 8 * 60},
		"PARKED BROKERED":                      {36 * 60, 120 * 60},
		"BROKERED ORDER_COMPLETED":             {30, 150},
		"BROKERED ORDER_CANCELLED":             {60, 6 * 60},
	} {
		words := strings.Fields(step)
		waits := "(channel = 'LOOP_EXCH' OR 'UCG' = ?1 AND took > 29 * 60)"
		if len(words) < 3 {
			waits = "NOT " + waits
		}
		if words[0] != "ORDER_CREATED" {
			waits = "TRUE"
		}
		never["an odd time: "+step] = fmt.Sprintf("FROM times WHERE last = '%s' AND what = '%s' AND %s AND took NOT BETWEEN %g AND %g",
			words[0], words[1], waits, 60*minutes[0], 60*minutes[1])
		for _, o := range observers {
			if o.count(fmt.Sprintf("SELECT count(*) FROM times WHERE last = '%s' AND what = '%s'", words[0], words[1])) == 0 {
				t.Errorf("%s: no %s", o.name, step)
			}
		}
	}
	never["an odd step"] = `FROM times WHERE what <> 'ORDER_CREATED' AND last || ' ' || what NOT IN ('ORDER_CREATED ORDER_APPROVED', 'ORDER_CREATED ORDER_CANCELLED',
		'ORDER_APPROVED PARKED', 'ORDER_APPROVED UNFILLABLE', 'ORDER_APPROVED BROKERED', 'UNFILLABLE BROKERED', 'PARKED BROKERED',
		'BROKERED ORDER_COMPLETED', 'BROKERED ORDER_CANCELLED')`
	never["an odd place"] = `FROM times WHERE at <> '' AND (what || ' ' || at NOT IN ('PARKED PRE_ORDER_PARKING', 'UNFILLABLE UNFILLABLE_PARKING',
		'BROKERED STORE_1', 'BROKERED STORE_2', 'BROKERED STORE_3', 'BROKERED WAREHOUSE_1'))`
	for _, o := range observers {
		_, offset := o.now.In(o.serverZone).Zone()
		for what, query := range never {
			if n := o.count("SELECT count(*) "+query, o.name, -offset, o.zone.String(), o.ago(0)); n > 0 {
				t.Errorf("%s has got %d times %s", o.name, n, what)
			}
		}
		o.expectKinds()
		o.expectShares()
	}
}

// expectKinds compares the jobs and files with what is known of each kind.
func (o *observer) expectKinds() {
	o.Helper()
	const sandbox = "FROM job_sandbox WHERE service_name = ?1"
	for _, k := range jobKinds() {
		shortest, longest := k.longest/10, k.longest
		if n := o.count("SELECT count(*) "+sandbox+" AND unixepoch(finish_date_time) - unixepoch(start_date_time) NOT BETWEEN ?2 AND ?3",
			k.service, int(shortest.Seconds()), longest.Seconds()); n > 0 {
			o.Errorf("%s: %d runs of %s take not from %s to %s", o.name, n, k.name, shortest, longest)
		}
		if n := o.count("SELECT count(*) "+sandbox+" AND status_id = 'SERVICE_DRAFT' AND job_id LIKE 'DRAFT%'", k.service); (n == 1) != (k.enum != "") {
			o.Errorf("%s: %d drafts of %s", o.name, n, k.name)
		}
		if n := o.count("SELECT count(*) "+sandbox+" AND status_id = 'SERVICE_PENDING'", k.service); n != max(k.shops, 1) {
			o.Errorf("%s: %s is pending %d times", o.name, k.name, n)
		}
		if k.every > 0 {
			continue
		}
		for _, due := range o.texts("SELECT CAST(run_time AS TEXT) "+sandbox+" AND run_time <= ?2", k.service, o.ago(0)) {
			if at := o.time("SELECT ?", due).In(o.zone); time.Duration(at.Hour())*time.Hour+time.Duration(at.Minute())*time.Minute != k.at {
				o.Errorf("%s: %s is due at %s", o.name, k.name, at)
			}
		}
	}
	for _, f := range o.feeds() {
		const log = " FROM data_manager_log WHERE config_id = ?1"
		if n := o.count("SELECT count(*)"+log+" AND unixepoch(finish_date_time) - unixepoch(start_date_time) NOT BETWEEN ?2 AND ?3",
			f.config, int((f.longest / 6).Seconds()), f.longest.Seconds()); n > 0 {
			o.Errorf("%s: %d files of %s are read too fast or too slowly", o.name, n, f.config)
		}
		gaps := "SELECT count(*) FROM (SELECT unixepoch(created_date) - lag(unixepoch(created_date)) OVER (ORDER BY created_date) AS gap" + log + ")"
		if f.every > 0 && o.count(gaps+" WHERE gap NOT BETWEEN ?2 - 60 AND ?2 + 60", f.config, f.every.Seconds()) > 0 {
			o.Errorf("%s: files of %s do not come every %s", o.name, f.config, f.every)
		}
		if n := o.count("SELECT count(*)"+log, f.config); f.every == 0 && (n < 5*len(f.at) || n > 6*len(f.at)) {
			o.Errorf("%s: %d files of %s in five days", o.name, n, f.config)
		}
	}
	for _, text := range o.drop.files(o.T, archive) {
		rows := strings.Split(strings.TrimSuffix(o.drop.read(o.T, path.Join(archive, text.Name())), "\n"), "\n")
		if len(rows) != 41 || slices.ContainsFunc(rows[1:], func(row string) bool {
			return strings.Count(row, ",") != 3 || !strings.HasPrefix(row, "WAREHOUSE_1,sku,10")
		}) {
			o.Errorf("%s: a file of %q", o.name, rows)
		}
	}
}

// expectShares looks at what happens now and then, in percent of all, and at how many orders come by each channel.
func (o *observer) expectShares() {
	o.Helper()
	for what, share := range map[string]struct {
		of, all     string
		least, most float64
	}{
		"runs of the second instance": {"job_sandbox WHERE run_by_instance_id LIKE '%2'", "job_sandbox WHERE run_by_instance_id IS NOT NULL", 45, 55},
		"failed runs":                 {"job_sandbox WHERE status_id = 'SERVICE_FAILED'", "job_sandbox WHERE status_id = 'SERVICE_FINISHED'", 0.1, 1},
		"cancelled orders":            {"order_header WHERE status_id = 'ORDER_CANCELLED'", "order_header", 1, 4},
		"parked orders":               {"order_facility_change WHERE change_reason_enum_id = 'PARKED'", "order_header", 1, 4},
		"unfillable orders":           {"order_facility_change WHERE change_reason_enum_id = 'UNFILLABLE'", "order_header", 4, 9},
		"orders of two items":         {"order_item WHERE order_item_seq_id = '00002'", "order_header", 45, 55},
	} {
		of, all := o.count("SELECT count(*) FROM "+share.of), o.count("SELECT count(*) FROM "+share.all)
		if percent := 100 * float64(of) / float64(all); percent < share.least || percent > share.most {
			o.Errorf("%s: %.1f %% are %s", o.name, percent, what)
		}
	}
	days := 5.4
	for _, ch := range o.channels() {
		hours := map[string]time.Duration{" BETWEEN 8 AND 21": 14 * time.Hour, " NOT BETWEEN 8 AND 21": 10 * time.Hour}
		shift := fmt.Sprintf("CAST(strftime('%%H', datetime(unixepoch(entry_date) + %d, 'unixepoch')) AS INTEGER)", o.ahead())
		for when, span := range hours {
			mean := ch.night
			if when == " BETWEEN 8 AND 21" {
				mean = ch.day
			}
			want := days * float64(span) / float64(mean)
			if got := o.count("SELECT count(*) FROM order_header WHERE product_store_id = ? AND sales_channel_enum_id = ? AND "+shift+when,
				ch.store, ch.id); float64(got) < 0.8*want || float64(got) > 1.2*want {
				o.Errorf("%s: %d orders of %s by %s at hours %s, want about %.0f", o.name, got, ch.store, ch.id, when, want)
			}
		}
	}
}

// ahead is by how many seconds the client's clock is ahead of that of its server.
func (o *observer) ahead() int {
	_, here := o.now.In(o.zone).Zone()
	_, there := o.now.In(o.serverZone).Zone()
	return here - there
}
