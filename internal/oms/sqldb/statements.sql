-- Every statement that the exporter sends to an OMS database. They are templates: a table stands as its name in braces,
-- because its case differs between servers; {{col}} is a column that some OMS versions do not have, NULL there; {{must}} is one
-- without which the statement is not sent; :name is a parameter.
-- Changes are read in the order of their timestamps, so that an answer that is cut off has no gaps.
-- Each statement is driven by an index that OFBiz makes itself. order_type_id is wrapped in COALESCE so that no planner
-- prefers its index, which selects nearly the whole table.

-- statement: orders_statuses
-- The statuses in use, so that an unknown one is noticed, every 5 minutes. Index: order_header.status_id, one entry per status.
-- columns: status_id
{{template "statuses" order_header}};

-- statement: orders_open
-- Open sales orders by status and channel, and up to 10000 in an unknown status, which may be final. Index:
-- order_header.status_id.
-- columns: status_id product_store_id sales_channel_enum_id orders unstamped
SELECT /*limit*/ o.status_id, o.product_store_id, o.sales_channel_enum_id, COUNT(*),
  SUM(CASE WHEN o.created_tx_stamp IS NULL AND o.known = 1 THEN 1 ELSE 0 END)
FROM (
  SELECT status_id, product_store_id, sales_channel_enum_id, {{col "order_header" "created_tx_stamp"}} AS created_tx_stamp, 1 AS known
  FROM {{order_header}} WHERE status_id IN ({{open_orders}}) AND COALESCE(order_type_id, '') = 'SALES_ORDER'
  UNION ALL
  SELECT u.status_id, u.product_store_id, u.sales_channel_enum_id, NULL, 0 FROM (
    SELECT status_id, product_store_id, sales_channel_enum_id, order_type_id
    FROM {{order_header}} WHERE status_id IN (:unknown) OR status_id IS NULL LIMIT 10000
  ) u
  WHERE COALESCE(u.order_type_id, '') = 'SALES_ORDER'
) o
GROUP BY o.status_id, o.product_store_id, o.sales_channel_enum_id;

-- part: exclusion
-- The configured exclusion for which an order h does not count, or ''. Index: the primary key of order_attribute.
-- columns: none
CASE WHEN h.sales_channel_enum_id IN (:channels) THEN 'channel'
      {{- range $i, $_ := attributes}}
      WHEN (SELECT a.order_id FROM {{order_attribute}} a
            WHERE a.order_id = {{like "order_attribute.order_id" "order_header.order_id" "h.order_id"}} AND a.attr_name = :attribute_{{$i}} LIMIT 1) IS NULL THEN '{{$i}}'
      {{- end}}
      ELSE '' END;

-- statement: orders_created
-- Created sales orders by channel and by exclusion, with their ages. Index: order_header.status_id, then the primary key
-- of order_attribute. The subquery has one row so that no planner thinks of reading all attributes.
-- columns: product_store_id sales_channel_enum_id exclusion orders oldest{{range $i, $_ := ages}} older_than_{{$i}}{{end}}
SELECT /*limit*/ c.product_store_id, c.sales_channel_enum_id, c.exclusion, COUNT(*), {{oldest "c.entered"}}
  {{- range $i, $_ := ages}},
  SUM(CASE WHEN c.entered < :entered_before_{{$i}} THEN 1 ELSE 0 END)
  {{- end}}
FROM (
  SELECT h.product_store_id, h.sales_channel_enum_id, COALESCE(h.entry_date, h.order_date) AS entered,
    {{template "exclusion"}} AS exclusion
  FROM {{order_header}} h
  WHERE h.status_id = 'ORDER_CREATED' AND COALESCE(h.order_type_id, '') = 'SALES_ORDER'
) c
GROUP BY c.product_store_id, c.sales_channel_enum_id, c.exclusion;

-- statement: orders_attributes
-- Names of the attributes of some approved orders, only for the command check. Index: order_header.status_id, then the primary
-- key of order_attribute.
-- columns: attr_name
SELECT /*limit*/ DISTINCT a.attr_name
FROM (
  SELECT h.order_id FROM {{order_header}} h WHERE h.status_id = 'ORDER_APPROVED' LIMIT 1000
) h
JOIN {{order_attribute}} a ON a.order_id = {{like "order_attribute.order_id" "order_header.order_id" "h.order_id"}}
LIMIT 1000;

-- statement: facility_types
-- The tree of facility types, a few dozen rows, read whenever the waiting orders are.
-- columns: facility_type_id parent_type_id
SELECT /*limit*/ facility_type_id, parent_type_id FROM {{facility_type}};

-- statement: facilities_virtual
-- Every virtual facility, the queue and the parkings, with the types. Index: facility.facility_type_id.
-- columns: facility_id facility_type_id
SELECT /*limit*/ facility_id, facility_type_id FROM {{facility}} WHERE facility_type_id IN (:virtual);

-- part: left
-- The facility that an item left.
-- columns: none
COALESCE({{like "order_facility_change.facility_id" "order_facility_change.from_facility_id" (col "order_facility_change" "fc.from_facility_id")}}, fc.facility_id);

-- statement: orders_waiting
-- Open sales orders with open items, where they are and since when: the approved ones by stage, and all by virtual facility.
-- An item waits since it last left a facility that is not one of :waiting, else since the approval: neither moves among these
-- nor rows to the same facility begin a wait. A row that does not say which facility the item left still says where it was.
-- Index: order_header.status_id, then order_status.order_id, order_item, order_item_ship_group, facility by primary key, and
-- order_facility_change (order_id, order_item_seq_id), once for each item.
-- LIMIT keeps servers from merging the queries, which would look at the history of each item twice, and COALESCE from
-- beginning with the facilities, where cancelled orders stay for ever.
-- columns: kind place orders oldest oldest_approved recent
SELECT /*limit*/ w.kind, w.place, COUNT(DISTINCT w.order_id), {{oldest "w.since"}}, {{oldest "w.approved"}},
  COUNT(DISTINCT CASE WHEN w.since >= :recent THEN w.order_id END)
FROM (
  SELECT k.kind, v.order_id, v.since, v.approved,
    CASE WHEN k.kind = 'facility' THEN v.facility_id
      WHEN v.facility_id IS NULL OR v.facility_id = '_NA_' THEN 'brokering_queue'
      WHEN v.facility_kind = 'virtual' THEN 'parking'
      ELSE v.facility_kind END AS place
  FROM (
    SELECT o.order_id, o.status_id AS order_status_id, o.approved, sg.facility_id,
      CASE WHEN COALESCE(f.facility_type_id, '') IN (:virtual) THEN 'virtual'
        WHEN COALESCE(f.facility_type_id, '') IN (:store) THEN 'store' ELSE 'warehouse' END AS facility_kind,
      {{- if has "order_facility_change"}}
      COALESCE((SELECT MAX(CASE WHEN {{template "left"}} NOT IN (:waiting)
           AND {{template "left"}} <> COALESCE(CASE WHEN {{col "order_facility_change" "fc.from_facility_id"}} IS NULL
             THEN {{like "order_facility_change.facility_id" "order_item_ship_group.facility_id" "sg.facility_id"}} ELSE fc.facility_id END, '')
         THEN fc.change_datetime END)
       FROM {{order_facility_change}} fc
       WHERE fc.order_id = {{like "order_facility_change.order_id" "order_item.order_id" "i.order_id"}}
         AND fc.order_item_seq_id = {{like "order_facility_change.order_item_seq_id" "order_item.order_item_seq_id" "i.order_item_seq_id"}}),
       o.approved) AS since
      {{- else}}
      o.approved AS since
      {{- end}}
    FROM (
      SELECT h.order_id, h.status_id, COALESCE(
        (SELECT MAX(s.status_datetime) FROM {{order_status}} s
         WHERE s.order_id = {{like "order_status.order_id" "order_header.order_id" "h.order_id"}} AND COALESCE(s.status_id, '') = 'ORDER_APPROVED'
           AND (s.order_item_seq_id IS NULL OR s.order_item_seq_id = '_NA_')),
        h.entry_date, h.order_date) AS approved
      FROM {{order_header}} h
      WHERE h.status_id IN ('ORDER_CREATED', 'ORDER_APPROVED', 'ORDER_HOLD') AND COALESCE(h.order_type_id, '') = 'SALES_ORDER'
      LIMIT 9223372036854775807
    ) o
    JOIN {{order_item}} i ON i.order_id = {{like "order_item.order_id" "order_header.order_id" "o.order_id"}}
    {{- if has "order_item_ship_group_assoc"}}
    LEFT JOIN {{order_item_ship_group_assoc}} a ON {{col "order_item" "i.ship_group_seq_id"}} IS NULL
      AND a.order_id = {{like "order_item_ship_group_assoc.order_id" "order_item.order_id" "i.order_id"}}
      AND a.order_item_seq_id = {{like "order_item_ship_group_assoc.order_item_seq_id" "order_item.order_item_seq_id" "i.order_item_seq_id"}}
    {{- end}}
    {{- if not (or (has "order_item_ship_group_assoc") (column "order_item" "ship_group_seq_id"))}}{{impossible}}{{end}}
    LEFT JOIN {{order_item_ship_group}} sg ON sg.order_id = {{like "order_item_ship_group.order_id" "order_item.order_id" "i.order_id"}}
      AND sg.ship_group_seq_id = COALESCE({{like "order_item_ship_group.ship_group_seq_id" "order_item.ship_group_seq_id" (col "order_item" "i.ship_group_seq_id")}}
      {{- if has "order_item_ship_group_assoc"}},
        {{like "order_item_ship_group.ship_group_seq_id" "order_item_ship_group_assoc.ship_group_seq_id" "a.ship_group_seq_id"}}
      {{- end}})
    LEFT JOIN {{facility}} f ON f.facility_id = {{like "facility.facility_id" "order_item_ship_group.facility_id" "sg.facility_id"}}
    WHERE COALESCE(i.status_id, '') IN ('ITEM_CREATED', 'ITEM_APPROVED', 'ITEM_HOLD')
    LIMIT 9223372036854775807
  ) v
  JOIN (SELECT 'stage' AS kind UNION ALL SELECT 'facility') k
    ON (k.kind = 'stage' AND v.order_status_id = 'ORDER_APPROVED') OR (k.kind = 'facility' AND v.facility_kind = 'virtual')
) w
GROUP BY w.kind, w.place;

-- part: order_columns
-- What the history of orders reads.
-- columns: order_id product_store_id sales_channel_enum_id entered created_tx_stamp
order_id, product_store_id, sales_channel_enum_id, COALESCE(entry_date, order_date), {{col "order_header" "created_tx_stamp"}};

-- statement: orders_newest
-- The newest creation timestamp. Index: order_header.created_tx_stamp, one entry read.
-- columns: newest
SELECT /*limit*/ created_tx_stamp FROM {{order_header}} WHERE {{must "order_header" "created_tx_stamp"}} < :to
ORDER BY created_tx_stamp DESC LIMIT 1;

-- statement: orders_changes
-- Sales orders that entered the OMS. Index: order_header.created_tx_stamp.
-- columns: {{template "order_columns.columns"}}
SELECT /*limit*/ {{template "order_columns"}} FROM {{order_header}}
WHERE {{must "order_header" "created_tx_stamp"}} >= :from AND created_tx_stamp < :to AND COALESCE(order_type_id, '') = 'SALES_ORDER'
ORDER BY created_tx_stamp;

-- statement: orders_by_id
-- Are the orders on which the answer rests still there? Index: primary key.
-- columns: {{template "order_columns.columns"}}
SELECT /*limit*/ {{template "order_columns"}} FROM {{order_header}}
WHERE order_id IN (:ids) AND COALESCE(order_type_id, '') = 'SALES_ORDER';

-- statement: orders_unstamped
-- Open orders that Moqui wrote, which have no timestamp; sent only where orders_open shows any. Index: order_header.status_id.
-- columns: {{template "order_columns.columns"}}
SELECT /*limit*/ {{template "order_columns"}} FROM {{order_header}}
WHERE status_id IN ({{open_orders}})
  AND COALESCE(order_type_id, '') = 'SALES_ORDER' AND {{col "order_header" "created_tx_stamp"}} IS NULL AND entry_date >= :entered_since;

-- statement: orders_unstamped_newest
-- The sales orders among the latest without a timestamp, open or not, every 5 minutes. Index: order_header.created_tx_stamp, which
-- has them in the order of their ids in MySQL; elsewhere among the latest 2000 by the primary key, and everywhere by that where
-- nothing is timestamped.
-- columns: {{template "order_columns.columns"}}
SELECT /*limit*/ {{template "order_columns"}} FROM (
{{- if and mysql (column "order_header" "created_tx_stamp")}}
  SELECT order_id AS id FROM {{order_header}}{{besides_primary order_header}} WHERE created_tx_stamp IS NULL ORDER BY order_id DESC LIMIT 500
) u STRAIGHT_JOIN {{order_header}} ON order_id = u.id
{{- else}}
  SELECT order_id, order_type_id, product_store_id, sales_channel_enum_id, entry_date, order_date,
    {{col "order_header" "created_tx_stamp"}} AS created_tx_stamp
  FROM {{order_header}} WHERE order_id > '' ORDER BY order_id DESC LIMIT {{if column "order_header" "created_tx_stamp"}}2000{{else}}500{{end}}
) u
{{- end}}
WHERE COALESCE(order_type_id, '') = 'SALES_ORDER' AND created_tx_stamp IS NULL;

-- part: reached
-- Sales orders that reached something for the first time, without excluded orders, and when they entered the OMS: by the rows of a history
-- that were written in [:from, :to) and, of the rows that Moqui wrote, which have no timestamp, by up to 50000 from
-- :entered_since on, which are found by their ids. LIMIT keeps servers from merging the queries, and ends the search for an earlier row
-- with the first: routing retries may have made hundreds.
-- columns: order_id reached entered written
{{$stamped := column .Name "created_tx_stamp" -}}
SELECT /*limit*/ c.order_id, c.reached, COALESCE(h.entry_date, h.order_date), c.written
FROM (
{{- if $stamped}}
  SELECT s.* FROM (
    SELECT order_id, {{.Entered}} AS reached, created_tx_stamp AS written FROM {{.Table}}
    WHERE created_tx_stamp >= :from AND created_tx_stamp < :to AND {{.Reached}} LIMIT 9223372036854775807
  ) s
  UNION ALL
{{- end}}
  SELECT n.* FROM (
    SELECT order_id, {{.Entered}} AS reached, {{col .Name "created_tx_stamp"}} AS written FROM {{template "by_id" .}}
      {{template "in_spans" (must .Name .ID)}} {{if $stamped}}AND created_tx_stamp IS NULL {{end}}AND {{.Entered}} >= :entered_since AND {{.Reached}} LIMIT {{most_recent}}
  ) n
) c
JOIN {{order_header}} h ON h.order_id = {{like "order_header.order_id" (print .Name ".order_id") "c.order_id"}}
WHERE COALESCE(h.order_type_id, '') = 'SALES_ORDER' AND {{template "exclusion"}} = '' AND c.reached IS NOT NULL
  AND (SELECT f.order_id FROM {{.Table}} f WHERE f.order_id = c.order_id AND {{.Reached}} AND f.{{.Entered}} < c.reached LIMIT 1) IS NULL;

-- part: newest_of_history
-- The newest timestamp, and whether Moqui wrote rows, which have none. For ORDER BY PostgreSQL uses the index, and MariaDB would read all of them.
-- columns: newest unstamped
SELECT /*limit*/ n.* FROM (
  SELECT created_tx_stamp, 0 AS unstamped FROM {{.Table}} WHERE {{must .Name "created_tx_stamp"}} < :to ORDER BY created_tx_stamp DESC LIMIT 1
) n
UNION ALL
SELECT u.* FROM (
  SELECT created_tx_stamp, 1 AS unstamped FROM {{.Table}} WHERE created_tx_stamp IS NULL{{if not mysql}} ORDER BY created_tx_stamp{{end}} LIMIT 1
) u;

-- statement: orders_approved_newest
-- The newest timestamp of the statuses, every 5 minutes. Index: order_status.created_tx_stamp, two entries read.
-- columns: {{template "newest_of_history.columns"}}
{{template "newest_of_history" (approvals order_status)}};

-- statement: orders_approved_last_id
-- As orders_last_id, of the statuses, every 5 minutes. Index: primary key, or order_status.created_tx_stamp in MySQL, one entry read.
-- columns: {{template "last_id.columns"}}
{{template "last_id" (approvals order_status)}};

-- statement: orders_approved_page_of_ids
-- As orders_page_of_ids, of the statuses of the last hours, every 5 minutes. Index: as orders_approved_last_id.
-- columns: {{template "page_of_ids.columns"}}
{{template "page_of_ids" (approvals order_status)}};

-- statement: orders_approved
-- Sales orders that were lately approved for the first time, every 5 minutes. Index: order_status.created_tx_stamp, or as
-- orders_approved_last_id, then for each the primary key of order_header and order_status.order_id.
-- columns: {{template "reached.columns"}}
{{template "reached" (approvals order_status)}};

-- statement: orders_unfillable_newest
-- The newest timestamp of the facility changes, every 5 minutes. Index: order_facility_change.created_tx_stamp, two entries read.
-- columns: {{template "newest_of_history.columns"}}
{{template "newest_of_history" (unfillables order_facility_change)}};

-- statement: orders_unfillable_last_id
-- As orders_approved_last_id, of the facility changes. Index: primary key, or order_facility_change.created_tx_stamp in MySQL, one entry read.
-- columns: {{template "last_id.columns"}}
{{template "last_id" (unfillables order_facility_change)}};

-- statement: orders_unfillable_page_of_ids
-- As orders_approved_page_of_ids, of the facility changes. Index: as orders_unfillable_last_id.
-- columns: {{template "page_of_ids.columns"}}
{{template "page_of_ids" (unfillables order_facility_change)}};

-- statement: orders_unfillable
-- Sales orders that lately entered an unfillable parking for the first time, whatever the routing retries; every 5 minutes. Index:
-- order_facility_change.created_tx_stamp, or as orders_unfillable_last_id, then for each the primary key of order_header and
-- order_facility_change.order_id.
-- columns: {{template "reached.columns"}}
{{template "reached" (unfillables order_facility_change)}};

-- part: shop
-- The shop of a reconciliation.
-- columns: none
COALESCE(r.shop_id, {{like "shopify_oms_order_recon.shop_id" "shopify_oms_order_recon.system_message_remote_id" "r.system_message_remote_id"}});

-- statement: orders_missing
-- Orders that Shopify has, by its last reconciliation, and the OMS lacks; and when that was, every 10 minutes. The table is
-- read whole, up to 50000 rows: it holds the orders of one run. Index: order_header.external_id for each. The subquery has
-- one row so that no planner makes a join of it and reads all orders.
-- columns: shop reconciled youngest orders
{{if not (column "order_header" "external_id")}}{{impossible}}{{end -}}
SELECT /*limit*/ {{template "shop"}}, MAX(r.last_updated_stamp), MAX(r.order_created_at),
  SUM(CASE WHEN r.order_created_at < :created_before
    AND (SELECT k.order_id FROM {{order_header}} k
      WHERE k.external_id = {{like "order_header.external_id" "shopify_oms_order_recon.shopify_order_id" "r.shopify_order_id"}} LIMIT 1) IS NULL
    THEN 1 ELSE 0 END)
FROM (
  SELECT system_message_remote_id, shopify_order_id, shop_id, order_created_at, last_updated_stamp
  FROM {{shopify_oms_order_recon}} LIMIT 50000
) r
GROUP BY {{template "shop"}};

-- part: in_spans
-- The spans of ids that hold the latest rows without a timestamp. Those that are not needed are empty.
-- columns: none
({{range $i, $_ := spans}}{{if $i}} OR {{end -}}
  {{$}} >= :span_from_{{$i}} AND {{$}} <= :span_to_{{$i}} AND LENGTH({{$}}) = :span_length_{{$i}}{{end}});

-- part: by_id
-- A table to be read by its ids: in MySQL, whose index of the timestamp has them in order, only what has no timestamp.
-- columns: none
{{.Table}}{{if and mysql (column .Name "created_tx_stamp")}}{{besides_primary .Table}} WHERE created_tx_stamp IS NULL AND{{else}} WHERE{{end}};

-- part: bound
-- Whether more rows came within the last days than are looked at, and whether there are rows without a timestamp.
-- columns: kind
SELECT /*limit*/ m.kind FROM (
  SELECT 'more' AS kind FROM {{.Table}} WHERE {{must .Name "created_tx_stamp"}} >= :from ORDER BY created_tx_stamp DESC LIMIT 1 OFFSET {{most_recent}}
) m
UNION ALL
SELECT u.kind FROM (SELECT 'unstamped' AS kind FROM {{.Table}} WHERE created_tx_stamp IS NULL LIMIT 1) u;

-- part: last_id
-- The last id as text within a span.
-- columns: id
SELECT /*limit*/ {{.ID}} FROM {{template "by_id" .}} {{.ID}} >= :from AND {{.ID}} < :to ORDER BY {{.ID}} DESC LIMIT 1;

-- part: page_of_ids
-- The highest ids of one length within a span: how many, how many of them entered within the last days, the least and the greatest.
-- columns: ids recent least greatest
SELECT /*limit*/ COUNT(*), SUM(CASE WHEN p.entered >= :entered_since THEN 1 ELSE 0 END), MIN(p.id), MAX(p.id) FROM (
  SELECT {{.ID}} AS id, {{.Entered}} AS entered FROM {{template "by_id" .}}
    {{.ID}} >= :from AND {{.ID}} <= :to AND LENGTH({{.ID}}) = :length ORDER BY {{.ID}} DESC LIMIT {{sequence_page}}
) p;

-- statement: orders_bound
-- Whether more orders entered within the last days than are looked at, and whether Moqui wrote any, which have no timestamp; every
-- 10 minutes. Index: order_header.created_tx_stamp.
-- columns: {{template "bound.columns"}}
{{template "bound" (orders_by_id order_header)}};

-- statement: orders_last_id
-- The last order by the beginning of its id, every 10 minutes where there are orders without a timestamp. Index: primary key, or
-- order_header.created_tx_stamp in MySQL, one entry read.
-- columns: {{template "last_id.columns"}}
{{template "last_id" (orders_by_id order_header)}};

-- statement: orders_page_of_ids
-- How far back the ids of the last days go, every 10 minutes where there are orders without a timestamp. Ids of another length lie
-- between as text. Index: as orders_last_id.
-- columns: {{template "page_of_ids.columns"}}
{{template "page_of_ids" (orders_by_id order_header)}};

-- part: recent_columns
-- What the last mile reads of an order.
-- columns: none
order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, {{col "order_header" "external_id"}} AS external_id,
    {{col "order_header" "order_name"}} AS order_name, COALESCE(entry_date, order_date) AS entered;

-- part: recent_orders
-- Sales orders among the newest orders of the last days; of those that Moqui wrote, which have no timestamp, by their ids.
-- columns: none
SELECT s.* FROM (
{{- if column "order_header" "created_tx_stamp"}}
  SELECT {{template "recent_columns"}} FROM {{order_header}}
  WHERE created_tx_stamp >= :from ORDER BY created_tx_stamp DESC LIMIT {{most_recent}}
) s
WHERE COALESCE(s.order_type_id, '') = 'SALES_ORDER'
UNION ALL
SELECT s.* FROM (
{{- end}}
  SELECT {{template "recent_columns"}} FROM {{template "by_id" (orders_by_id order_header)}}
    {{template "in_spans" "order_id"}} {{if column "order_header" "created_tx_stamp"}}AND created_tx_stamp IS NULL {{end}}LIMIT {{most_recent}}
) s
WHERE COALESCE(s.order_type_id, '') = 'SALES_ORDER' AND s.entered >= :entered_since;

-- statement: orders_unsynced
-- Approved, sent and completed sales orders of the last days by channel, those of them that a target has not got, and since when
-- the first of these is approved; every 10 minutes. Index: order_header.created_tx_stamp, then for each order the primary key of
-- order_identification or that of order_attribute, and for those that have not arrived order_status.order_id. LIMIT keeps servers
-- from merging the queries, which would look for the approval of each order.
-- columns: product_store_id sales_channel_enum_id unsynced oldest
SELECT /*limit*/ w.product_store_id, w.sales_channel_enum_id, SUM(CASE WHEN w.since < :approved_before THEN 1 ELSE 0 END), {{oldest "w.since"}}
FROM (
  SELECT a.product_store_id, a.sales_channel_enum_id, CASE WHEN a.arrived = 0 THEN COALESCE(
    (SELECT MAX(s.status_datetime) FROM {{order_status}} s
     WHERE s.order_id = {{like "order_status.order_id" "order_header.order_id" "a.order_id"}} AND COALESCE(s.status_id, '') = 'ORDER_APPROVED'
       AND (s.order_item_seq_id IS NULL OR s.order_item_seq_id = '_NA_')),
    a.entered) END AS since
  FROM (
    SELECT o.order_id, o.product_store_id, o.sales_channel_enum_id, o.entered,
      CASE WHEN :external_id = 'Y' AND o.external_id <> '' THEN 1
        {{- if has "order_identification"}}
        WHEN (SELECT i.order_id FROM {{order_identification}} i
              WHERE i.order_id = {{like "order_identification.order_id" "order_header.order_id" "o.order_id"}}
                AND i.order_identification_type_id IN (:types) AND i.id_value <> '' AND (i.thru_date IS NULL OR i.thru_date > :now)
              LIMIT 1) IS NOT NULL THEN 1
        {{- end}}
        {{- if has "order_attribute"}}
        WHEN (SELECT t.order_id FROM {{order_attribute}} t
              WHERE t.order_id = {{like "order_attribute.order_id" "order_header.order_id" "o.order_id"}} AND t.attr_name IN (:attributes)
              LIMIT 1) IS NOT NULL THEN 1
        {{- end}}
        ELSE 0 END AS arrived
    FROM ({{template "recent_orders"}}) o
    WHERE o.status_id IN ('ORDER_APPROVED', 'ORDER_SENT', 'ORDER_COMPLETED')
    LIMIT 9223372036854775807
  ) a
  LIMIT 9223372036854775807
) w
GROUP BY w.product_store_id, w.sales_channel_enum_id;

-- statement: orders_duplicate
-- Sales orders of the last days by channel, and those of them whose external id an order has that entered before, however long;
-- every 10 minutes. Index: order_header.created_tx_stamp, then order_header.external_id for each. The subquery has one row so that no
-- planner makes a join of it and reads all orders.
-- columns: product_store_id sales_channel_enum_id duplicate
SELECT /*limit*/ d.product_store_id, d.sales_channel_enum_id, SUM(d.duplicate)
FROM (
  SELECT o.product_store_id, o.sales_channel_enum_id,
    CASE WHEN COALESCE(o.external_id, '') = '' OR (SELECT k.order_id FROM {{order_header}} k
      WHERE k.{{must "order_header" "external_id"}} = o.external_id AND k.order_id <> o.order_id
        AND COALESCE(k.order_type_id, '') = 'SALES_ORDER' AND COALESCE(k.status_id, '') NOT IN ('ORDER_CANCELLED', 'ORDER_REJECTED')
        AND COALESCE(k.product_store_id, '') = COALESCE(o.product_store_id, '')
        AND (COALESCE(k.entry_date, k.order_date) < o.entered OR COALESCE(k.entry_date, k.order_date) = o.entered AND k.order_id < o.order_id)
      LIMIT 1) IS NULL THEN 0 ELSE 1 END AS duplicate
  FROM ({{template "recent_orders"}}) o
  WHERE COALESCE(o.status_id, '') NOT IN ('ORDER_CANCELLED', 'ORDER_REJECTED')
  LIMIT 9223372036854775807
) d
GROUP BY d.product_store_id, d.sales_channel_enum_id;

-- statement: orders_renamed
-- Sales orders of the last days by channel, and how many external ids share a name within a product store, the first apart; every
-- 10 minutes. Index: order_header.created_tx_stamp.
-- columns: product_store_id sales_channel_enum_id duplicate
SELECT /*limit*/ d.product_store_id, d.sales_channel_enum_id, SUM(d.names)
FROM (
  SELECT o.product_store_id, MIN(o.sales_channel_enum_id) AS sales_channel_enum_id,
    COUNT(DISTINCT CASE WHEN o.external_id <> '' THEN o.external_id ELSE o.order_id END) - 1 AS names
  FROM ({{template "recent_orders"}}) o
  WHERE o.{{must "order_header" "order_name"}} <> '' AND COALESCE(o.status_id, '') NOT IN ('ORDER_CANCELLED', 'ORDER_REJECTED')
  GROUP BY o.product_store_id, o.order_name
) d
GROUP BY d.product_store_id, d.sales_channel_enum_id;

-- statement: fulfillments_bound
-- As orders_bound, of the fulfillments. Index: order_fulfillment_history.created_tx_stamp.
-- columns: {{template "bound.columns"}}
{{template "bound" (fulfillments_by_id order_fulfillment_history)}};

-- statement: fulfillments_last_id
-- As orders_last_id. Index: primary key, or order_fulfillment_history.created_tx_stamp in MySQL, one entry read.
-- columns: {{template "last_id.columns"}}
{{template "last_id" (fulfillments_by_id order_fulfillment_history)}};

-- statement: fulfillments_page_of_ids
-- As orders_page_of_ids. Index: as fulfillments_last_id.
-- columns: {{template "page_of_ids.columns"}}
{{template "page_of_ids" (fulfillments_by_id order_fulfillment_history)}};

-- statement: fulfillments_unconfirmed
-- Orders with a fulfillment of the last days that the shop has not confirmed in time, every 10 minutes. Index:
-- order_fulfillment_history.created_tx_stamp; of those that Moqui wrote, which have no timestamp, as fulfillments_last_id.
-- columns: orders
SELECT /*limit*/ COUNT(DISTINCT f.order_id)
FROM (
  {{- if column "order_fulfillment_history" "created_tx_stamp"}}
  SELECT s.* FROM (
    SELECT order_id, external_fulfillment_id, COALESCE(created_date, created_tx_stamp) AS created
    FROM {{order_fulfillment_history}} WHERE created_tx_stamp >= :from ORDER BY created_tx_stamp DESC LIMIT {{most_recent}}
  ) s
  UNION ALL
  {{- end}}
  SELECT n.* FROM (
    SELECT order_id, external_fulfillment_id, created_date AS created
    FROM {{template "by_id" (fulfillments_by_id order_fulfillment_history)}}
      {{template "in_spans" "fulfillment_log_id"}} {{if column "order_fulfillment_history" "created_tx_stamp"}}AND created_tx_stamp IS NULL {{end}}LIMIT {{most_recent}}
  ) n
  WHERE n.created >= :entered_since
) f
WHERE f.external_fulfillment_id = '_NA_' AND f.created < :created_before;

-- part: job_columns
-- What the history of jobs reads.
-- columns: job_id status_id job_name service_name system_job_enum_id product_store_id shop_id pool_id run_by_instance_id run_time
-- columns: start_date_time finish_date_time cancel_date_time last_updated_tx_stamp recurrence current_retry_count
job_id, status_id, job_name, service_name, {{col "job_sandbox" "system_job_enum_id"}} AS system_job_enum_id,
  {{col "job_sandbox" "product_store_id"}} AS product_store_id, {{col "job_sandbox" "shop_id"}} AS shop_id, pool_id,
  run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp,
  COALESCE({{col "job_sandbox" "temp_expr_id"}},
    {{like "job_sandbox.temp_expr_id" "job_sandbox.recurrence_info_id" (col "job_sandbox" "recurrence_info_id")}}) AS recurrence,
  {{col "job_sandbox" "current_retry_count"}} AS current_retry_count;

-- part: jobs_waiting
-- Jobs of some status that OFBiz runs when their time comes: they have neither begun nor been cancelled.
-- columns: none
SELECT p.*, 'pending', NULL, NULL, NULL FROM (
  SELECT {{template "job_columns"}} FROM {{job_sandbox}}
  WHERE status_id {{.}} AND start_date_time IS NULL AND cancel_date_time IS NULL LIMIT {{most_waiting}}
) p;

-- part: jobs_taken
-- Jobs that are running or claimed.
-- columns: none
SELECT {{.}} t.* FROM (
  SELECT {{template "job_columns"}}, 'open' AS kind, NULL AS instance_id,
    {{col "job_sandbox" "created_tx_stamp"}} AS created_tx_stamp, {{col "job_sandbox" "lease_updated_stamp"}} AS lease_updated_stamp
  FROM {{job_sandbox}} WHERE;

-- statement: jobs_open
-- Jobs that are running or claimed, with the lease that the newest OFBiz renews on them; those that wait (OFBiz JobManager.poll
-- does not look at the status, so one without counts); and the active job-manager locks, which make the poller idle.
-- Index: job_sandbox.status_id; the locks are a table of a few rows. Their instances have a column of their own, because tables
-- may differ in collation.
-- columns: {{template "job_columns.columns"}} kind instance_id created_tx_stamp lease_updated_stamp
{{template "jobs_taken" "/*limit*/"}} status_id = 'SERVICE_RUNNING' LIMIT {{most_waiting}}) t
UNION ALL
{{template "jobs_taken" ""}} status_id = 'SERVICE_QUEUED' LIMIT {{most_waiting}}) t
UNION ALL
{{template "jobs_waiting" "= 'SERVICE_PENDING'"}}
UNION ALL
{{template "jobs_waiting" "IS NULL"}}
{{- if has "job_manager_lock"}}
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'lock', instance_id, NULL, NULL
FROM {{job_manager_lock}} WHERE from_date <= :now AND (thru_date IS NULL OR thru_date > :now)
{{- end}};

-- statement: jobs_newest
-- The newest timestamp. Index: job_sandbox.last_updated_tx_stamp, one entry read.
-- columns: newest
SELECT /*limit*/ last_updated_tx_stamp FROM {{job_sandbox}} WHERE last_updated_tx_stamp < :to
ORDER BY last_updated_tx_stamp DESC LIMIT 1;

-- statement: jobs_changes
-- Job rows that changed. Index: job_sandbox.last_updated_tx_stamp.
-- columns: {{template "job_columns.columns"}}
SELECT /*limit*/ {{template "job_columns"}} FROM {{job_sandbox}}
WHERE last_updated_tx_stamp >= :from AND last_updated_tx_stamp < :to ORDER BY last_updated_tx_stamp;

-- statement: jobs_by_id
-- Job rows that left the open set, or on which the answer rests. Index: primary key.
-- columns: {{template "job_columns.columns"}}
SELECT /*limit*/ {{template "job_columns"}} FROM {{job_sandbox}} WHERE job_id IN (:ids);

-- part: unstamped
-- Rows without a timestamp in the order of their ids. MySQL and MariaDB have them in the index of the timestamp, and a
-- hint keeps them from looking for them in the whole table by its primary key. PostgreSQL's index does not have the ids: it reads all without a timestamp.
-- columns: none
{{if mysql}}(
  SELECT {{.ID}} AS id FROM {{.Table}}{{besides_primary .Table}} WHERE last_updated_tx_stamp IS NULL {{.Page}}
) u STRAIGHT_JOIN {{.Table}} ON {{.ID}} = u.id ORDER BY {{.ID}}
{{- else}}{{.Table}} WHERE last_updated_tx_stamp IS NULL {{.Page}}{{end}};

-- statement: jobs_unstamped
-- Job rows without a timestamp, a page of them every 5 minutes. Index: job_sandbox.last_updated_tx_stamp.
-- columns: {{template "job_columns.columns"}}
SELECT /*limit*/ {{template "job_columns"}}
FROM {{template "unstamped" (unstamped job_sandbox "job_id" (printf "AND job_id > :after ORDER BY job_id LIMIT %d" page))}};

-- statement: jobs_unstamped_newest
-- The same from the highest ids on, because new rows are most likely there.
-- columns: {{template "job_columns.columns"}}
SELECT /*limit*/ {{template "job_columns"}}
FROM {{template "unstamped" (unstamped job_sandbox "job_id" "ORDER BY job_id DESC LIMIT 500")}};

-- statement: service_jobs
-- Moqui's jobs and their schedules, a few hundred rows; then, in columns of their own, which of them are running and when each
-- was last taken, a row per job, with the run that is in progress. Index: primary key of the runs.
-- columns: service_job cron_expression paused from_date thru_date repeat_count expire_lock_time min_retry_time changed
-- columns: lock_job_name lock_job_run_id lock_last_run_time lock_last_updated_stamp {{template "run_columns.columns"}}
SELECT /*limit*/ job_name, cron_expression, paused, {{col "service_job" "from_date"}}, {{col "service_job" "thru_date"}},
  {{col "service_job" "repeat_count"}}, {{col "service_job" "expire_lock_time"}}, {{col "service_job" "min_retry_time"}},
  {{col "service_job" "last_updated_stamp"}}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM {{service_job}} sj
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  sl.job_name, sl.job_run_id, sl.last_run_time, {{col "service_job_run_lock" "sl.last_updated_stamp"}}, {{template "run_columns" "sr."}}
FROM {{service_job_run_lock}} sl
LEFT JOIN {{service_job_run}} sr ON sr.job_run_id = {{like "service_job_run.job_run_id" "service_job_run_lock.job_run_id" "sl.job_run_id"}};

-- part: run_columns
-- What the history of Moqui's jobs reads: never parameters, results, messages and errors, which are long. A process that begins a run
-- beside the scheduler gives it parameters, but code without a login leaves no user.
-- columns: job_run_id job_name host_name manual has_error start_time end_time last_updated_stamp
{{.}}job_run_id, {{.}}job_name, {{col "service_job_run" (print . "host_name")}},
  CASE WHEN {{col "service_job_run" (print . "parameters")}} IS NULL THEN 0 ELSE 1 END,
  {{.}}has_error, {{.}}start_time, {{.}}end_time, {{col "service_job_run" (print . "last_updated_stamp")}};

-- statement: runs_between
-- Runs of Moqui's jobs in a span of ids: the new ones, those passed over, and pages of the backfill. Ids of another length
-- lie between as text. Index: primary key.
-- columns: {{template "run_columns.columns"}}
SELECT /*limit*/ {{template "run_columns" ""}} FROM {{service_job_run}}
WHERE job_run_id >= :from AND job_run_id <= :to AND LENGTH(job_run_id) = :length ORDER BY job_run_id DESC LIMIT {{sequence_page}};

-- statement: runs_by_id
-- Current runs without a lock, and those on which the answer rests. Index: primary key.
-- columns: {{template "run_columns.columns"}}
SELECT /*limit*/ {{template "run_columns" ""}} FROM {{service_job_run}} WHERE job_run_id IN (:ids);

-- statement: runs_last
-- The last run by the beginning of its id, every 5 minutes. Index: primary key, one entry read.
-- columns: job_run_id
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
-- The statuses in use, so that an unknown one is noticed, every 5 minutes. Index: data_manager_log.status_id, one entry per
-- status.
-- columns: status_id
{{template "statuses" data_manager_log}};

-- statement: files_open
-- Files waiting or running, by configuration, and up to 10000 in an unknown status, which may be final; then, in rows of
-- their own, the ids of the waiting and running ones, which are read again when they no longer are. Index: data_manager_log.status_id.
-- columns: config_id status_id files oldest_created oldest_started log_id
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

-- statement: file_configs
-- The configurations of the data manager, a few hundred rows, every 5 minutes.
-- columns: config_id execution_mode_id
SELECT /*limit*/ config_id, {{col "data_manager_config" "execution_mode_id"}} FROM {{data_manager_config}};

-- statement: survey_configs
-- What the configurations say of themselves, and where their files are dropped; only for the command discover.
-- columns: config_id execution_mode_id description import_service_name import_path file_name_pattern
SELECT /*limit*/ config_id, {{col "data_manager_config" "execution_mode_id"}}, {{col "data_manager_config" "description"}},
  {{col "data_manager_config" "import_service_name"}}, {{col "data_manager_config" "import_path"}},
  {{col "data_manager_config" "file_name_pattern"}} FROM {{data_manager_config}} LIMIT 5000;

-- statement: survey_store_zones
-- The time zones of the product stores, a few dozen rows; only for the command discover.
-- columns: zone stores
SELECT /*limit*/ default_time_zone_string, COUNT(*) FROM {{product_store}} GROUP BY default_time_zone_string;

-- statement: survey_schedule_zones
-- The time zones of the users who scheduled jobs, of some that wait; only for the command discover. Index: job_sandbox.status_id.
-- columns: zone jobs
SELECT /*limit*/ p.zone, COUNT(*) FROM (
  SELECT {{must "job_sandbox" "recurrence_time_zone"}} AS zone FROM {{job_sandbox}} WHERE status_id = 'SERVICE_PENDING' LIMIT 1000
) p
GROUP BY p.zone;

-- part: file_columns
-- What the history of files reads.
-- columns: log_id config_id status_id parent_log_id created_date start_date_time finish_date_time cancel_date_time
-- columns: total_record_count failed_record_count error_record_content_id last_updated_tx_stamp job_id run_by_instance_id
log_id, config_id, status_id, {{col "data_manager_log" "parent_log_id"}}, created_date,
  start_date_time, finish_date_time, {{col "data_manager_log" "cancel_date_time"}},
  {{col "data_manager_log" "total_record_count"}}, {{col "data_manager_log" "failed_record_count"}},
  {{col "data_manager_log" "error_record_content_id"}}, {{col "data_manager_log" "last_updated_tx_stamp"}}, {{col "data_manager_log" "job_id"}}, {{col "data_manager_log" "run_by_instance_id"}};

-- statement: files_newest
-- The newest timestamp. Index: data_manager_log.last_updated_tx_stamp, one entry read.
-- columns: newest
SELECT /*limit*/ last_updated_tx_stamp FROM {{data_manager_log}} WHERE {{must "data_manager_log" "last_updated_tx_stamp"}} < :to
ORDER BY last_updated_tx_stamp DESC LIMIT 1;

-- statement: files_changes
-- Files that changed. Index: data_manager_log.last_updated_tx_stamp.
-- columns: {{template "file_columns.columns"}}
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}}
WHERE {{must "data_manager_log" "last_updated_tx_stamp"}} >= :from AND last_updated_tx_stamp < :to ORDER BY last_updated_tx_stamp;

-- statement: files_by_id
-- Files that left the open set, or on which the answer rests. Index: primary key.
-- columns: {{template "file_columns.columns"}}
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}} WHERE log_id IN (:ids);

-- statement: files_unstamped
-- Files that Moqui wrote, which have no timestamp, a page of them every 5 minutes. Index: data_manager_log.last_updated_tx_stamp;
-- the primary key where nothing is timestamped.
-- columns: {{template "file_columns.columns"}}
SELECT /*limit*/ {{template "file_columns"}}
{{- if column "data_manager_log" "last_updated_tx_stamp"}}
FROM {{template "unstamped" (unstamped data_manager_log "log_id" (printf "AND log_id > :after ORDER BY log_id LIMIT %d" page))}}
{{- else}}
FROM {{data_manager_log}} WHERE log_id > :after ORDER BY log_id LIMIT {{page}}
{{- end}};

-- statement: files_unstamped_newest
-- The same from the highest ids on, because new rows are most likely there.
-- columns: {{template "file_columns.columns"}}
SELECT /*limit*/ {{template "file_columns"}}
{{- if column "data_manager_log" "last_updated_tx_stamp"}}
FROM {{template "unstamped" (unstamped data_manager_log "log_id" "ORDER BY log_id DESC LIMIT 500")}}
{{- else}}
FROM {{data_manager_log}} ORDER BY log_id DESC LIMIT 500
{{- end}};

-- statement: files_of_config
-- The latest files of a reset-inventory configuration, however old, every 5 minutes; the command discover asks so of others, too.
-- Index: data_manager_log.config_id.
-- columns: {{template "file_columns.columns"}}
SELECT /*limit*/ {{template "file_columns"}} FROM {{data_manager_log}}
WHERE config_id = :config ORDER BY LENGTH(log_id) DESC, log_id DESC LIMIT 500;

-- statement: messages_statuses
-- The same of system messages, whose ends, which grow for ever, are not read. Index: system_message.status_id.
-- columns: status_id
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
-- hide what is in another, and of unknown ones, which may be final. Index: system_message.status_id.
-- columns: status_id system_message_type_id is_outgoing failing messages oldest_created oldest_attempted
SELECT /*limit*/ o.status_id, o.system_message_type_id, o.is_outgoing, o.failing, COUNT(*), {{oldest "o.created"}}, {{oldest "o.attempted"}}
FROM (
  {{- range unended}}
  {{template "messages" (printf "status_id = '%s'" .)}}
  UNION ALL
  {{- end}}
  {{template "messages" "status_id IN (:unknown) OR status_id IS NULL"}}
) o
GROUP BY o.status_id, o.system_message_type_id, o.is_outgoing, o.failing;
