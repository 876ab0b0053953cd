-- Every statement that the exporter sends to an OMS database. They are templates: a table stands as its name in braces,
-- because its case differs between servers; {{col}} is a column that some vintages lack, NULL there; {{must}} is one
-- without which the statement is not sent; :name is a parameter.
-- Changes are read in the order of their stamps, so that what arrives of an answer that breaks off has no gaps.
-- Each statement is driven by an index that OFBiz makes itself. order_type_id is wrapped in COALESCE so that no planner
-- prefers its index, which selects nearly the whole table.

-- statement: orders_open
-- Open sales orders by status and channel. Index: order_header.status_id.
SELECT /*limit*/ status_id, product_store_id, sales_channel_enum_id, COUNT(*),
  SUM(CASE WHEN {{col "order_header" "created_tx_stamp"}} IS NULL THEN 1 ELSE 0 END)
FROM {{order_header}}
WHERE status_id IN ('ORDER_CREATED', 'ORDER_AUTHORIZED', 'ORDER_PROCESSING', 'ORDER_HOLD', 'ORDER_APPROVED', 'ORDER_SENT')
  AND COALESCE(order_type_id, '') = 'SALES_ORDER'
GROUP BY status_id, product_store_id, sales_channel_enum_id;

-- statement: orders_created
-- Created sales orders by channel and by exclusion, with their ages. Index: order_header.status_id, then the primary key
-- of order_attribute. The subquery has one row so that no planner thinks of reading all attributes.
SELECT /*limit*/ c.product_store_id, c.sales_channel_enum_id, c.exclusion, COUNT(*), {{oldest "c.entered"}}
  {{- range $i, $_ := ages}},
  SUM(CASE WHEN c.entered < :entered_before_{{$i}} THEN 1 ELSE 0 END)
  {{- end}}
FROM (
  SELECT h.product_store_id, h.sales_channel_enum_id, COALESCE(h.entry_date, h.order_date) AS entered,
    CASE WHEN h.sales_channel_enum_id IN (:channels) THEN 'channel'
      {{- range $i, $_ := attributes}}
      WHEN (SELECT a.order_id FROM {{order_attribute}} a
            WHERE a.order_id = h.order_id AND a.attr_name = :attribute_{{$i}} LIMIT 1) IS NULL THEN '{{$i}}'
      {{- end}}
      ELSE '' END AS exclusion
  FROM {{order_header}} h
  WHERE h.status_id = 'ORDER_CREATED' AND COALESCE(h.order_type_id, '') = 'SALES_ORDER'
) c
GROUP BY c.product_store_id, c.sales_channel_enum_id, c.exclusion;

-- statement: facility_types
-- The tree of facility types, a few dozen rows, whenever it is looked where orders wait.
SELECT /*limit*/ facility_type_id, parent_type_id FROM {{facility_type}};

-- statement: facilities_virtual
-- Every virtual facility, the queue and the parkings, with the types. Index: facility.facility_type_id.
SELECT /*limit*/ facility_id FROM {{facility}} WHERE facility_type_id IN (:virtual);

-- statement: orders_waiting
-- Open sales orders with open items, where they are and since when: the approved ones with approved items by stage, and all
-- by virtual facility. Index: order_header.status_id, then order_item, order_item_ship_group, facility by primary key,
-- order_facility_change (order_id, order_item_seq_id), and order_status.order_id for items that never changed facility.
-- LIMIT keeps servers from merging the queries, which would look at the history of each item twice, and COALESCE from
-- beginning with the facilities, where cancelled orders stay for ever.
SELECT /*limit*/ w.kind, w.place, COUNT(DISTINCT w.order_id), {{oldest "w.since"}}
FROM (
  SELECT k.kind, v.order_id, v.since,
    CASE WHEN k.kind = 'facility' THEN v.facility_id
      WHEN v.facility_id IS NULL OR v.facility_id = '_NA_' THEN 'brokering_queue'
      WHEN v.facility_kind = 'virtual' THEN 'parking'
      ELSE v.facility_kind END AS place
  FROM (
    SELECT h.order_id, h.status_id AS order_status_id, i.status_id AS item_status_id, sg.facility_id,
      CASE WHEN COALESCE(f.facility_type_id, '') IN (:virtual) THEN 'virtual'
        WHEN COALESCE(f.facility_type_id, '') IN (:store) THEN 'store' ELSE 'warehouse' END AS facility_kind,
      COALESCE(
        {{- if has "order_facility_change"}}
        (SELECT MAX(fc.change_datetime) FROM {{order_facility_change}} fc
         WHERE fc.order_id = i.order_id AND fc.order_item_seq_id = i.order_item_seq_id),
        {{- end}}
        (SELECT MAX(s.status_datetime) FROM {{order_status}} s
         WHERE s.order_id = h.order_id AND COALESCE(s.status_id, '') = 'ORDER_APPROVED'
           AND (s.order_item_seq_id IS NULL OR s.order_item_seq_id = '_NA_')),
        h.entry_date, h.order_date) AS since
    FROM {{order_header}} h
    JOIN {{order_item}} i ON i.order_id = h.order_id
    {{- if has "order_item_ship_group_assoc"}}
    LEFT JOIN {{order_item_ship_group_assoc}} a ON {{col "order_item" "i.ship_group_seq_id"}} IS NULL
      AND a.order_id = i.order_id AND a.order_item_seq_id = i.order_item_seq_id
    {{- end}}
    {{- if not (or (has "order_item_ship_group_assoc") (column "order_item" "ship_group_seq_id"))}}{{impossible}}{{end}}
    LEFT JOIN {{order_item_ship_group}} sg ON sg.order_id = i.order_id AND sg.ship_group_seq_id =
      {{if has "order_item_ship_group_assoc"}}COALESCE({{col "order_item" "i.ship_group_seq_id"}}, a.ship_group_seq_id)
      {{- else}}{{col "order_item" "i.ship_group_seq_id"}}{{end}}
    LEFT JOIN {{facility}} f ON f.facility_id = sg.facility_id
    WHERE h.status_id IN ('ORDER_CREATED', 'ORDER_APPROVED', 'ORDER_HOLD') AND COALESCE(h.order_type_id, '') = 'SALES_ORDER'
      AND COALESCE(i.status_id, '') IN ('ITEM_CREATED', 'ITEM_APPROVED', 'ITEM_HOLD')
    LIMIT 9223372036854775807
  ) v
  JOIN (SELECT 'stage' AS kind UNION ALL SELECT 'facility') k
    ON (k.kind = 'stage' AND v.order_status_id = 'ORDER_APPROVED' AND v.item_status_id = 'ITEM_APPROVED')
    OR (k.kind = 'facility' AND v.facility_kind = 'virtual')
) w
GROUP BY w.kind, w.place;

-- part: order_columns
-- What the history of orders reads.
order_id, product_store_id, sales_channel_enum_id, COALESCE(entry_date, order_date), {{col "order_header" "created_tx_stamp"}};

-- statement: orders_newest
-- The newest creation stamp. Index: order_header.created_tx_stamp, one entry read.
SELECT /*limit*/ MAX(created_tx_stamp) FROM {{order_header}} WHERE {{must "order_header" "created_tx_stamp"}} < :to;

-- statement: orders_changes
-- Sales orders that entered the OMS. Index: order_header.created_tx_stamp.
SELECT /*limit*/ {{template "order_columns"}} FROM {{order_header}}
WHERE {{must "order_header" "created_tx_stamp"}} >= :from AND created_tx_stamp < :to AND COALESCE(order_type_id, '') = 'SALES_ORDER'
ORDER BY created_tx_stamp;

-- statement: orders_by_id
-- Are the orders on which the answer rests still there? Index: primary key.
SELECT /*limit*/ {{template "order_columns"}} FROM {{order_header}}
WHERE order_id IN (:ids) AND COALESCE(order_type_id, '') = 'SALES_ORDER';

-- statement: orders_unstamped
-- Open orders that Moqui wrote, which have no stamp; sent only where orders_open shows any. Index: order_header.status_id.
SELECT /*limit*/ {{template "order_columns"}} FROM {{order_header}}
WHERE status_id IN ('ORDER_CREATED', 'ORDER_AUTHORIZED', 'ORDER_PROCESSING', 'ORDER_HOLD', 'ORDER_APPROVED', 'ORDER_SENT')
  AND COALESCE(order_type_id, '') = 'SALES_ORDER' AND {{col "order_header" "created_tx_stamp"}} IS NULL AND entry_date >= :entered_since;

-- statement: orders_unstamped_newest
-- The sales orders among the latest without a stamp, open or not, every 5 minutes. Index: order_header.created_tx_stamp;
-- the primary key where nothing is stamped, which the comparison has all planners take.
SELECT /*limit*/ {{template "order_columns"}} FROM (
  SELECT order_id, order_type_id, product_store_id, sales_channel_enum_id, entry_date, order_date,
    {{col "order_header" "created_tx_stamp"}} AS created_tx_stamp
  FROM {{order_header}}
  WHERE {{col "order_header" "created_tx_stamp"}} IS NULL AND order_id > '' ORDER BY order_id DESC LIMIT 500
) u
WHERE COALESCE(order_type_id, '') = 'SALES_ORDER';

-- statement: orders_missing
-- Orders that Shopify has, by its last reconciliation, and the OMS lacks; and when that was, every 10 minutes. The table is
-- read whole, up to 50000 rows: it holds the orders of one run. Index: order_header.external_id for each. The subquery has
-- one row so that no planner makes a join of it and reads all orders.
{{if not (column "order_header" "external_id")}}{{impossible}}{{end -}}
SELECT /*limit*/ COALESCE(r.shop_id, r.system_message_remote_id), MAX(r.last_updated_stamp), MAX(r.order_created_at),
  SUM(CASE WHEN r.order_created_at < :created_before
    AND (SELECT k.order_id FROM {{order_header}} k WHERE k.external_id = r.shopify_order_id LIMIT 1) IS NULL
    THEN 1 ELSE 0 END)
FROM (
  SELECT system_message_remote_id, shopify_order_id, shop_id, order_created_at, last_updated_stamp
  FROM {{shopify_oms_order_recon}} LIMIT 50000
) r
GROUP BY COALESCE(r.shop_id, r.system_message_remote_id);

-- part: job_columns
-- What the history of jobs reads.
job_id, status_id, job_name, service_name, {{col "job_sandbox" "system_job_enum_id"}},
  {{col "job_sandbox" "product_store_id"}}, {{col "job_sandbox" "shop_id"}}, pool_id, run_by_instance_id, run_time,
  start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp;

-- statement: jobs_open
-- Jobs in work or claimed; of the pending ones by pool, how many there are, how many of them without a stamp, and since when
-- the one waits that the poller should have taken: due, and neither started, cancelled nor claimed (OFBiz JobManager.poll);
-- and the job-manager locks in force, which make it idle. Index: job_sandbox.status_id; the locks are a table of a few rows.
-- Their instances have a column of their own, because tables may differ in collation.
SELECT /*limit*/ {{template "job_columns"}}, 'job', NULL, NULL, NULL
FROM {{job_sandbox}} WHERE status_id IN ('SERVICE_RUNNING', 'SERVICE_QUEUED')
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, pool_id, NULL,
  MIN(CASE WHEN run_time > '1971-01-01' AND run_time <= :now AND start_date_time IS NULL AND cancel_date_time IS NULL AND run_by_instance_id IS NULL
      THEN run_time END), NULL, NULL, NULL, NULL, 'pending', COUNT(*),
  SUM(CASE WHEN last_updated_tx_stamp IS NULL THEN 1 ELSE 0 END), NULL
FROM {{job_sandbox}} WHERE status_id = 'SERVICE_PENDING' GROUP BY pool_id
{{- if has "job_manager_lock"}}
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'lock', NULL, NULL, instance_id
FROM {{job_manager_lock}} WHERE from_date <= :now AND (thru_date IS NULL OR thru_date > :now)
{{- end}};

-- statement: jobs_pending_unstamped
-- Pending jobs without a stamp, which must be followed by id; sent only where jobs_open shows any. Index: job_sandbox.status_id;
-- CASE keeps planners from that of the stamps.
SELECT /*limit*/ {{template "job_columns"}} FROM {{job_sandbox}}
WHERE status_id = 'SERVICE_PENDING' AND CASE WHEN last_updated_tx_stamp IS NULL THEN 1 ELSE 0 END = 1;

-- statement: jobs_newest
-- The newest stamp. Index: job_sandbox.last_updated_tx_stamp, one entry read.
SELECT /*limit*/ MAX(last_updated_tx_stamp) FROM {{job_sandbox}} WHERE last_updated_tx_stamp < :to;

-- statement: jobs_changes
-- Job rows that changed. Index: job_sandbox.last_updated_tx_stamp.
SELECT /*limit*/ {{template "job_columns"}} FROM {{job_sandbox}}
WHERE last_updated_tx_stamp >= :from AND last_updated_tx_stamp < :to ORDER BY last_updated_tx_stamp;

-- statement: jobs_by_id
-- Job rows that left the open set, or on which the answer rests. Index: primary key.
SELECT /*limit*/ {{template "job_columns"}} FROM {{job_sandbox}} WHERE job_id IN (:ids);

-- statement: jobs_unstamped
-- Job rows without a stamp, a page of them every 5 minutes. Index: job_sandbox.last_updated_tx_stamp.
SELECT /*limit*/ {{template "job_columns"}} FROM {{job_sandbox}}
WHERE last_updated_tx_stamp IS NULL AND job_id > :after ORDER BY job_id LIMIT 1000;

-- statement: jobs_unstamped_newest
-- The same from the highest ids on, because new rows are most likely there.
SELECT /*limit*/ {{template "job_columns"}} FROM {{job_sandbox}}
WHERE last_updated_tx_stamp IS NULL ORDER BY job_id DESC LIMIT 500;

-- statement: service_jobs
-- Moqui's jobs and their schedules, a few hundred rows; then, in columns of their own, which of them are in work and when each
-- was last taken, a row per job.
SELECT /*limit*/ job_name, cron_expression, paused, {{col "service_job" "from_date"}}, {{col "service_job" "thru_date"}},
  {{col "service_job" "repeat_count"}}, {{col "service_job" "expire_lock_time"}}, {{col "service_job" "min_retry_time"}},
  {{col "service_job" "last_updated_stamp"}}, NULL, NULL, NULL, NULL
FROM {{service_job}} sj
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  job_name, job_run_id, last_run_time, {{col "service_job_run_lock" "last_updated_stamp"}}
FROM {{service_job_run_lock}} sl;

-- part: run_columns
-- What the history of Moqui's jobs reads: never parameters, results, messages and errors, which are long.
job_run_id, job_name, {{col "service_job_run" "host_name"}}, {{col "service_job_run" "user_id"}}, has_error, start_time, end_time,
  {{col "service_job_run" "last_updated_stamp"}};

-- statement: runs_between
-- Runs of Moqui's jobs in a span of ids: the new ones, those passed over, and pages of the look back. Ids of another length
-- lie between as text. Index: primary key.
SELECT /*limit*/ {{template "run_columns"}} FROM {{service_job_run}}
WHERE job_run_id >= :from AND job_run_id <= :to AND LENGTH(job_run_id) = :digits ORDER BY job_run_id DESC LIMIT 2000;

-- statement: runs_by_id
-- Runs in work, and those on which the answer rests. Index: primary key.
SELECT /*limit*/ {{template "run_columns"}} FROM {{service_job_run}} WHERE job_run_id IN (:ids);

-- statement: runs_last
-- The last run by its first digit, every 5 minutes. Index: primary key, one entry read.
SELECT /*limit*/ job_run_id FROM {{service_job_run}}
WHERE job_run_id >= :from AND job_run_id < :to ORDER BY job_run_id DESC LIMIT 1;

-- part: statuses
-- The statuses in use in a table, one entry of its index for each.
{{if mysql}}SELECT /*limit*/ DISTINCT status_id FROM {{.}}
{{- else}}WITH RECURSIVE statuses (status_id) AS (
  SELECT MIN(status_id) FROM {{.}}
  UNION ALL
  SELECT (SELECT l.status_id FROM {{.}} l WHERE l.status_id > s.status_id ORDER BY l.status_id LIMIT 1)
  FROM statuses s WHERE s.status_id IS NOT NULL
)
SELECT /*limit*/ status_id FROM statuses WHERE status_id IS NOT NULL{{end}};

-- statement: files_statuses
-- The statuses in use, so that one nobody knows is seen, every 5 minutes. Index: data_manager_log.status_id, one entry per
-- status.
{{template "statuses" data_manager_log}};

-- statement: files_open
-- Files waiting or in work by configuration, and up to 10000 in a status that nobody knows: it may be an end; then, in rows of
-- their own, the ids of those waiting or in work, which are read again when they no longer are. Index: data_manager_log.status_id.
SELECT /*limit*/ o.config_id, o.status_id, COUNT(*), {{oldest "o.created"}}, {{oldest "o.started"}}, NULL
FROM (
  SELECT config_id, status_id, COALESCE(created_date, last_updated_stamp) AS created,
    COALESCE(start_date_time, created_date, last_updated_stamp) AS started
  FROM {{data_manager_log}} WHERE status_id IN ({{waiting}})
  UNION ALL
  SELECT u.config_id, u.status_id, u.created, u.started FROM (
    SELECT config_id, status_id, COALESCE(created_date, last_updated_stamp) AS created,
      COALESCE(start_date_time, created_date, last_updated_stamp) AS started
    FROM {{data_manager_log}} WHERE status_id IN (:unknown) OR status_id IS NULL LIMIT 10000
  ) u
) o
GROUP BY o.config_id, o.status_id
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, w.log_id FROM (
  SELECT log_id FROM {{data_manager_log}} WHERE status_id IN ({{waiting}}) LIMIT 5000
) w;

-- part: file_columns
-- What the history of files reads.
log_id, config_id, status_id, {{col "data_manager_log" "parent_log_id"}}, created_date,
  start_date_time, finish_date_time, {{col "data_manager_log" "cancel_date_time"}},
  {{col "data_manager_log" "total_record_count"}}, {{col "data_manager_log" "failed_record_count"}},
  {{col "data_manager_log" "last_updated_tx_stamp"}};

-- statement: files_newest
-- The newest stamp. Index: data_manager_log.last_updated_tx_stamp, one entry read.
SELECT /*limit*/ MAX(last_updated_tx_stamp) FROM {{data_manager_log}} WHERE {{must "data_manager_log" "last_updated_tx_stamp"}} < :to;

-- statement: files_changes
-- Files that changed. Index: data_manager_log.last_updated_tx_stamp.
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}}
WHERE {{must "data_manager_log" "last_updated_tx_stamp"}} >= :from AND last_updated_tx_stamp < :to ORDER BY last_updated_tx_stamp;

-- statement: files_by_id
-- Files that left the open set, or on which the answer rests. Index: primary key.
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}} WHERE log_id IN (:ids);

-- statement: files_unstamped
-- Files that Moqui wrote, which have no stamp, a page of them every 5 minutes.
-- Index: data_manager_log.last_updated_tx_stamp.
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}}
WHERE {{col "data_manager_log" "last_updated_tx_stamp"}} IS NULL AND log_id > :after ORDER BY log_id LIMIT 1000;

-- statement: files_unstamped_newest
-- The same from the highest ids on, because new rows are most likely there.
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}}
WHERE {{col "data_manager_log" "last_updated_tx_stamp"}} IS NULL ORDER BY log_id DESC LIMIT 500;

-- statement: files_of_config
-- The latest files of a reset-inventory configuration, however old, every 5 minutes. Index: data_manager_log.config_id.
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}}
WHERE config_id = :config ORDER BY LENGTH(log_id) DESC, log_id DESC LIMIT 500;

-- statement: messages_statuses
-- The same of system messages, whose ends, which grow for ever, are not read. Index: system_message.status_id.
{{template "statuses" system_message}};

-- part: messages
-- Up to 10000 system messages of some status. Their texts, which may be whole documents, are never read.
SELECT m.* FROM (
    SELECT status_id, system_message_type_id, is_outgoing, CASE WHEN fail_count > 0 THEN 1 ELSE 0 END AS failing,
      COALESCE(init_date, last_updated_stamp) AS created,
      COALESCE(last_attempt_date, init_date, last_updated_stamp) AS attempted
    FROM {{system_message}} WHERE {{.}} LIMIT 10000
  ) m;

-- statement: messages_open
-- System messages by status, type and direction: of each status that is not an end, by itself so that a heap in one does not
-- hide what is in another, and of those that nobody knows, which may be ends. Index: system_message.status_id.
SELECT /*limit*/ o.status_id, o.system_message_type_id, o.is_outgoing, o.failing, COUNT(*), {{oldest "o.created"}}, {{oldest "o.attempted"}}
FROM (
  {{- range unended}}
  {{template "messages" (printf "status_id = '%s'" .)}}
  UNION ALL
  {{- end}}
  {{template "messages" "status_id IN (:unknown) OR status_id IS NULL"}}
) o
GROUP BY o.status_id, o.system_message_type_id, o.is_outgoing, o.failing;
