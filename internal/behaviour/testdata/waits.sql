-- How long orders wait, whatever the routing did with them meanwhile, and orders that nobody knows. It is 12:00 in New York (UTC-5).
-- collectors: orders

INSERT INTO facility_type (facility_type_id, parent_type_id) VALUES
  ('VIRTUAL_FACILITY', NULL), ('NA', 'VIRTUAL_FACILITY'), ('PRE_ORDER', 'VIRTUAL_FACILITY'), ('RETAIL_STORE', NULL), ('WAREHOUSE', NULL);
INSERT INTO facility (facility_id, facility_type_id) VALUES
  ('_NA_', 'NA'), ('UNFILLABLE_PARKING', 'NA'), ('REJECTED_ITM_PARKING', 'NA'), ('PRE_ORDER_PARKING', 'PRE_ORDER'),
  ('STORE_1', 'RETAIL_STORE'), ('STORE_2', 'RETAIL_STORE'), ('DC_1', 'WAREHOUSE');

-- Each order in a place of its own, or the only one whose wait shows there. All were approved 12 days ago, but NEW.
INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, created_tx_stamp) VALUES
  ('RETRIED', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', '2026-11-06 11:00:00', '2026-11-06 11:00:00'),
  ('NEW', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', '2026-11-18 11:30:00', '2026-11-18 11:30:00'),
  ('REJECTED', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', '2026-11-06 11:00:00', '2026-11-06 11:00:00'),
  ('RELEASED', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', '2026-11-06 11:00:00', '2026-11-06 11:00:00'),
  ('BOUNCING', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', '2026-11-06 11:00:00', '2026-11-06 11:00:00'),
  ('DC', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', '2026-11-06 11:00:00', '2026-11-06 11:00:00'),
  ('HELD_ITEMS', 'SALES_ORDER', 'ORDER_APPROVED', 'S', 'WEB', '2026-11-06 11:00:00', '2026-11-06 11:00:00'),
  ('FRAUD', 'SALES_ORDER', 'ORDER_FRAUD_REVIEW', 'S', 'WEB', '2026-11-14 08:00:00', '2026-11-14 08:00:00'),
  ('NULL', 'SALES_ORDER', NULL, 'S', 'WEB', '2026-11-14 08:00:00', '2026-11-14 08:00:00'),
  ('PURCHASE', 'PURCHASE_ORDER', 'ORDER_FRAUD_REVIEW', 'S', 'WEB', '2026-11-14 08:00:00', '2026-11-14 08:00:00');
INSERT INTO order_status (order_status_id, status_id, order_id, status_datetime)
  SELECT order_id, 'ORDER_APPROVED', order_id, entry_date FROM order_header WHERE status_id = 'ORDER_APPROVED';
UPDATE order_status SET status_datetime = '2026-11-06 12:00:00' WHERE order_id <> 'NEW';
INSERT INTO order_item_ship_group (order_id, ship_group_seq_id, facility_id) VALUES
  ('RETRIED', '1', 'UNFILLABLE_PARKING'), ('NEW', '1', 'UNFILLABLE_PARKING'), ('REJECTED', '1', 'REJECTED_ITM_PARKING'),
  ('RELEASED', '1', '_NA_'), ('BOUNCING', '1', 'STORE_2'), ('DC', '1', 'DC_1'), ('HELD_ITEMS', '1', 'PRE_ORDER_PARKING');
INSERT INTO order_item (order_id, order_item_seq_id, ship_group_seq_id, status_id) VALUES
  ('RETRIED', '1', '1', 'ITEM_APPROVED'), ('NEW', '1', '1', 'ITEM_APPROVED'), ('REJECTED', '1', '1', 'ITEM_APPROVED'),
  ('RELEASED', '1', '1', 'ITEM_CREATED'), ('BOUNCING', '1', '1', 'ITEM_APPROVED'), ('DC', '1', '1', 'ITEM_APPROVED'),
  ('HELD_ITEMS', '1', '1', 'ITEM_HOLD'), ('HELD_ITEMS', '2', '1', 'ITEM_CREATED');
INSERT INTO order_item_ship_group_assoc (order_id, order_item_seq_id, ship_group_seq_id)
  SELECT order_id, order_item_seq_id, ship_group_seq_id FROM order_item;
INSERT INTO order_facility_change (order_facility_change_id, order_id, order_item_seq_id, from_facility_id, facility_id, change_datetime) VALUES
  -- unfillable since the approval: each retry takes it to the queue and back, and writes rows to the same facility
  ('R1', 'RETRIED', '1', '_NA_', 'UNFILLABLE_PARKING', '2026-11-06 12:10:00'), ('R2', 'RETRIED', '1', 'UNFILLABLE_PARKING', '_NA_', '2026-11-18 11:28:00'),
  ('R3', 'RETRIED', '1', '_NA_', '_NA_', '2026-11-18 11:29:00'), ('R4', 'RETRIED', '1', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 11:30:00'),
  ('R5', 'RETRIED', '1', 'UNFILLABLE_PARKING', 'UNFILLABLE_PARKING', '2026-11-18 11:31:00'),
  -- unfillable for the first time
  ('N1', 'NEW', '1', '_NA_', 'UNFILLABLE_PARKING', '2026-11-18 11:40:00'),
  -- a store rejected it 2 days ago, in a row that does not say which; the parking it was moved to an hour later does not count
  ('J1', 'REJECTED', '1', NULL, 'STORE_1', '2026-11-15 12:00:00'), ('J2', 'REJECTED', '1', 'STORE_1', '_NA_', '2026-11-16 12:00:00'),
  ('J3', 'REJECTED', '1', '_NA_', 'REJECTED_ITM_PARKING', '2026-11-16 13:00:00'),
  -- a pre-order, released 3 hours ago: it has not waited to be routed before
  ('L1', 'RELEASED', '1', '_NA_', 'PRE_ORDER_PARKING', '2026-11-06 12:10:00'), ('L2', 'RELEASED', '1', 'PRE_ORDER_PARKING', '_NA_', '2026-11-18 09:00:00'),
  -- from store to store: the last one has had it for 4 hours, and nobody has shipped it since the approval
  ('B1', 'BOUNCING', '1', '_NA_', 'STORE_1', '2026-11-07 12:00:00'), ('B2', 'BOUNCING', '1', 'STORE_1', '_NA_', '2026-11-12 12:00:00'),
  ('B3', 'BOUNCING', '1', '_NA_', 'STORE_1', '2026-11-12 13:00:00'), ('B4', 'BOUNCING', '1', 'STORE_1', 'STORE_2', '2026-11-18 08:00:00'),
  ('B5', 'BOUNCING', '1', 'STORE_2', 'STORE_2', '2026-11-18 11:00:00');

-- at 2026-11-18T17:00:00Z: a retry half an hour ago

-- The next retry has both unfillable orders in the queue, and 1 new one comes. A store rejects the order that bounces.
UPDATE order_item_ship_group SET facility_id = '_NA_' WHERE facility_id = 'UNFILLABLE_PARKING';
INSERT INTO order_facility_change (order_facility_change_id, order_id, order_item_seq_id, from_facility_id, facility_id, change_datetime) VALUES
  ('R6', 'RETRIED', '1', 'UNFILLABLE_PARKING', '_NA_', '2026-11-18 12:00:10'), ('N2', 'NEW', '1', 'UNFILLABLE_PARKING', '_NA_', '2026-11-18 12:00:10'),
  ('B6', 'BOUNCING', '1', 'STORE_2', 'REJECTED_ITM_PARKING', '2026-11-18 12:00:20');
UPDATE order_item_ship_group SET facility_id = 'REJECTED_ITM_PARKING' WHERE order_id = 'BOUNCING';

-- at 2026-11-18T17:00:30Z: a retry under way
