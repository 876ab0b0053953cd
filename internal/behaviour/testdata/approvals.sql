-- How long orders take to be approved, and which are unfillable. The OMS writes New York's wall clock (UTC-5 in November); the first
-- look is at 12:00 there. What has a stamp was written by OFBiz, the others by Moqui.
-- collectors: orders

INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, order_date, entry_date, created_tx_stamp) VALUES
  ('OLD', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', 'WEB', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  ('OLD_UNSTAMPED', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', 'WEB', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  -- the next look finds these approved: 2 min, exactly 3 h, 3 h and a second, and 30 h after their entry
  ('FAST', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', '2026-11-18 12:00:00', '2026-11-18 12:00:00', '2026-11-18 12:00:00'),
  ('AT_3H', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', '2026-10-01 00:00:00', '2026-11-18 09:02:00', '2026-11-18 09:02:00'),
  ('OVER_3H', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'POS', '2026-11-18 09:01:59', '2026-11-18 09:01:59', '2026-11-18 09:01:59'),
  ('SLOW', 'SALES_ORDER', 'ORDER_CREATED', NULL, NULL, '2026-11-17 06:02:00', NULL, NULL),
  -- approved by Moqui after 20 min
  ('MOQUI', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', '2026-11-18 11:41:00', '2026-11-18 11:41:00', '2026-11-18 11:41:00'),
  -- its approval is committed late: it has an old stamp
  ('LATE', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', '2026-11-18 11:50:00', '2026-11-18 11:50:00', '2026-11-18 11:50:00'),
  -- on hold since it was approved: the second approval does not count, and neither does that of an item
  ('HELD', 'SALES_ORDER', 'ORDER_HOLD', 'STORE', 'WEB', '2026-11-10 09:00:00', '2026-11-10 09:00:00', '2026-11-10 09:00:00'),
  ('ITEM', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  -- no entry is known
  ('NO_ENTRY', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', NULL, NULL, '2026-11-18 11:00:00'),
  -- not sales, or excluded
  ('PURCHASE', 'PURCHASE_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  ('EXCHANGE', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'LOOP_EXCH', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  ('REVIEW', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00');
INSERT INTO order_attribute (order_id, attr_name, attr_value)
  SELECT order_id, 'SIGNIFYD_APPROVED', 'true' FROM order_header WHERE order_id <> 'REVIEW';
INSERT INTO order_status (order_status_id, status_id, order_id, order_item_seq_id, status_datetime, created_tx_stamp) VALUES
  ('S01', 'ORDER_APPROVED', 'OLD', NULL, '2026-11-18 11:59:00', '2026-11-18 11:59:00'),
  ('S02', 'ORDER_APPROVED', 'OLD_UNSTAMPED', NULL, '2026-11-18 11:58:00', NULL),
  ('S03', 'ORDER_APPROVED', 'HELD', NULL, '2026-11-10 10:00:00', '2026-11-10 10:00:00'),
  ('S04', 'ORDER_HOLD', 'HELD', NULL, '2026-11-18 11:59:30', '2026-11-18 11:59:30');
INSERT INTO order_facility_change (order_facility_change_id, order_id, order_item_seq_id, from_facility_id, facility_id, change_datetime, created_tx_stamp) VALUES
  ('F01', 'OLD', '00001', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 11:59:10', '2026-11-18 11:59:10'),
  ('F02', 'OLD_UNSTAMPED', '00001', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 11:58:10', NULL);

-- at 2026-11-18T17:00:00Z: nothing came since the exporter started

INSERT INTO order_status (order_status_id, status_id, order_id, order_item_seq_id, status_datetime, created_tx_stamp) VALUES
  ('S10', 'ORDER_APPROVED', 'FAST', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S11', 'ORDER_APPROVED', 'AT_3H', '_NA_', '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S12', 'ORDER_APPROVED', 'OVER_3H', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S13', 'ORDER_APPROVED', 'SLOW', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S14', 'ORDER_APPROVED', 'MOQUI', NULL, '2026-11-18 12:01:00', NULL),
  ('S15', 'ORDER_APPROVED', 'HELD', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S16', 'ORDER_APPROVED', 'ITEM', '00001', '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S17', 'ORDER_APPROVED', 'NO_ENTRY', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S18', 'ORDER_APPROVED', 'PURCHASE', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S19', 'ORDER_APPROVED', 'EXCHANGE', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S20', 'ORDER_APPROVED', 'REVIEW', NULL, '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('S21', 'ORDER_CANCELLED', 'FAST', NULL, '2026-11-18 12:03:00', '2026-11-18 12:03:00');
INSERT INTO order_facility_change (order_facility_change_id, order_id, order_item_seq_id, from_facility_id, facility_id, change_datetime, created_tx_stamp) VALUES
  -- two items of one order; one by Moqui; one that is held on purpose; and what does not count: a retry, a pre-order, and the excluded
  ('F10', 'FAST', '00001', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 12:03:00', '2026-11-18 12:03:00'),
  ('F11', 'FAST', '00002', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 12:03:00', '2026-11-18 12:03:00'),
  ('F12', 'MOQUI', '00001', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 12:03:00', NULL),
  ('F13', 'AT_3H', '00001', '_NA_', 'UNF_HOLD_PARKING', '2026-11-18 12:03:00', '2026-11-18 12:03:00'),
  ('F14', 'OLD', '00001', 'UNFILLABLE_PARKING', '_NA_', '2026-11-18 12:02:00', '2026-11-18 12:02:00'),
  ('F15', 'OLD', '00001', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 12:03:00', '2026-11-18 12:03:00'),
  ('F16', 'SLOW', '00001', '_NA_', 'PRE_ORDER_PARKING', '2026-11-18 12:03:00', '2026-11-18 12:03:00'),
  ('F17', 'EXCHANGE', '00001', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 12:03:00', '2026-11-18 12:03:00');

-- at 2026-11-18T17:04:00Z: too soon to look again
-- at 2026-11-18T17:05:00Z: 5 approved and 3 unfillable

INSERT INTO order_status (order_status_id, status_id, order_id, order_item_seq_id, status_datetime, created_tx_stamp) VALUES
  ('S30', 'ORDER_APPROVED', 'LATE', NULL, '2026-11-18 11:56:00', '2026-11-18 11:50:00'),
  ('S31', 'ORDER_APPROVED', 'FAST', NULL, '2026-11-18 12:06:00', '2026-11-18 12:06:00');
INSERT INTO order_facility_change (order_facility_change_id, order_id, order_item_seq_id, from_facility_id, facility_id, change_datetime, created_tx_stamp) VALUES
  ('F30', 'FAST', '00001', 'UNFILLABLE_PARKING', '_NA_', '2026-11-18 12:06:00', '2026-11-18 12:06:00'),
  ('F31', 'FAST', '00001', '_NA_', '_NA_', '2026-11-18 12:06:30', '2026-11-18 12:06:30'),
  ('F32', 'FAST', '00001', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 12:07:00', '2026-11-18 12:07:00');

-- at 2026-11-18T17:10:00Z: one approval more, which was committed late, and a retry
