-- Orders that reach the ERP or not, orders that are there twice, and fulfillments. The OMS writes New York's wall clock (UTC-5 in
-- November); the first look is at 12:00 there. What has a stamp was written by OFBiz, the others by Moqui.
-- collectors: last_mile

INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, external_id, order_name, created_tx_stamp) VALUES
  -- arrived
  ('A1', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 02:00:00', '5001', '#1', '2026-11-18 02:00:00'),
  ('A2', 'SALES_ORDER', 'ORDER_COMPLETED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 02:00:00', '5002', '#2', NULL),
  -- not arrived: approved for 4 h and a second; for exactly 4 h; entered long ago and approved just now; and one whose approval nobody wrote
  ('B1', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 02:00:00', '5003', '#3', '2026-11-18 02:00:00'),
  ('B2', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 02:00:00', '5004', '#4', '2026-11-18 02:00:00'),
  ('B3', 'SALES_ORDER', 'ORDER_SENT', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-16 02:00:00', '5005', '#5', NULL),
  ('B4', 'SALES_ORDER', 'ORDER_COMPLETED', 'STORE', 'POS_SALES_CHANNEL', '2026-11-17 12:00:00', '5006', '#6', NULL),
  -- its identification has ended, and one without a value is none
  ('B5', 'SALES_ORDER', 'ORDER_COMPLETED', 'OUTLET', 'WEB_SALES_CHANNEL', '2026-11-18 07:00:00', '5007', '#7', '2026-11-18 07:00:00'),
  -- need not arrive: not approved, cancelled, a purchase, of another channel for one of the targets, entered too long ago
  ('C1', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 02:00:00', '5008', '#8', '2026-11-18 02:00:00'),
  ('C2', 'SALES_ORDER', 'ORDER_CANCELLED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 02:00:00', '5009', '#9', NULL),
  ('C3', 'PURCHASE_ORDER', 'ORDER_APPROVED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 02:00:00', NULL, NULL, '2026-11-18 02:00:00'),
  ('C4', 'SALES_ORDER', 'ORDER_COMPLETED', 'STORE', 'LOOP_EXCH', '2026-11-18 02:00:00', NULL, '#1-E', '2026-11-18 02:00:00'),
  ('C6', 'SALES_ORDER', 'ORDER_COMPLETED', 'STORE', 'LOOP_EXCH', '2026-11-18 02:00:00', NULL, '#2-E', '2026-11-18 02:00:00'), -- arrived by its attribute
  ('C5', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-10 02:00:00', '5010', '#10', '2026-11-10 02:00:00'),
  -- duplicates: of one that entered too long ago to be looked at, and of each other whatever their ids
  ('D4', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'POS_SALES_CHANNEL', '2026-11-18 11:00:00', '5010', '#10', '2026-11-18 11:00:00'),
  ('D1', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'WEB_SALES_CHANNEL', '2026-11-18 11:00:02', '5011', '#11', '2026-11-18 11:00:00'),
  ('D2', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'WEB_SALES_CHANNEL', '2026-11-18 11:00:01', '5011', '#11', NULL),
  ('D3', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'WEB_SALES_CHANNEL', '2026-11-18 11:00:01', '5011', '#11', '2026-11-18 11:00:00'),
  -- the same name and another external id, or none
  ('E1', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'POS_SALES_CHANNEL', '2026-11-18 11:00:00', '5012', '#12', '2026-11-18 11:00:00'),
  ('E2', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'POS_SALES_CHANNEL', '2026-11-18 11:10:00', '5013', '#12', '2026-11-18 11:10:00'),
  ('E3', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'POS_SALES_CHANNEL', '2026-11-18 11:20:00', NULL, '#12', NULL),
  -- no duplicates: the other one is cancelled, or a purchase, or of another store; without a name and an external id
  ('F1', 'SALES_ORDER', 'ORDER_CANCELLED', 'OUTLET', 'WEB_SALES_CHANNEL', '2026-11-18 11:00:00', '5014', '#14', '2026-11-18 11:00:00'),
  ('F2', 'SALES_ORDER', 'ORDER_CREATED', 'OUTLET', 'WEB_SALES_CHANNEL', '2026-11-18 11:30:00', '5014', '#14', '2026-11-18 11:30:00'),
  ('F3', 'PURCHASE_ORDER', 'ORDER_CREATED', 'OUTLET', NULL, '2026-11-18 11:00:00', '5014', '#14', '2026-11-18 11:00:00'),
  ('F4', 'SALES_ORDER', 'ORDER_CREATED', 'STORE', 'WEB_SALES_CHANNEL', '2026-11-18 11:40:00', '5014', '#14', '2026-11-18 11:40:00'),
  ('F5', 'SALES_ORDER', 'ORDER_CREATED', NULL, NULL, '2026-11-18 11:00:00', NULL, NULL, '2026-11-18 11:00:00'),
  ('F6', 'SALES_ORDER', 'ORDER_CREATED', NULL, NULL, '2026-11-18 11:00:00', NULL, NULL, NULL);

INSERT INTO order_status (order_status_id, order_id, order_item_seq_id, status_id, status_datetime) VALUES
  ('1', 'A1', NULL, 'ORDER_APPROVED', '2026-11-18 02:10:00'),
  ('2', 'B1', NULL, 'ORDER_APPROVED', '2026-11-18 07:59:59'),
  ('3', 'B2', '_NA_', 'ORDER_APPROVED', '2026-11-18 08:00:00'),
  ('4', 'B3', NULL, 'ORDER_APPROVED', '2026-11-18 11:59:00'),
  ('5', 'B1', '00001', 'ORDER_APPROVED', '2026-11-18 11:00:00'),
  ('6', 'B1', NULL, 'ORDER_CREATED', '2026-11-18 11:30:00');

INSERT INTO order_identification (order_identification_type_id, order_id, id_value, from_date, thru_date) VALUES
  ('NETSUITE_ORDER_ID', 'A1', '77001', '2026-11-18 03:00:00', NULL),
  ('NETSUITE_ORDER_ID', 'A2', '77002', '2026-11-18 03:00:00', '2026-11-18 12:00:01'),
  ('SHOPIFY_ORD_ID', 'B1', '5003', '2026-11-18 02:00:00', NULL),
  ('NETSUITE_ORDER_ID', 'B5', '77003', '2026-11-18 07:30:00', '2026-11-18 12:00:00'),
  ('NETSUITE_ORDER_ID', 'B5', '', '2026-11-18 07:40:00', NULL);

INSERT INTO order_attribute (order_id, attr_name, attr_value) VALUES
  ('A1', 'WMS_EXPORTED', 'Y'), ('C6', 'WMS_EXPORTED', 'Y'), ('C4', 'OTHER', 'Y');

INSERT INTO order_fulfillment_history (fulfillment_log_id, order_id, order_item_seq_id, external_fulfillment_id, created_date, created_tx_stamp) VALUES
  ('1', 'A1', '00001', '_NA_', '2026-11-18 07:59:59', '2026-11-18 07:59:59'),
  ('2', 'A1', '00002', '_NA_', '2026-11-18 07:00:00', NULL),
  ('3', 'A2', '00001', '_NA_', '2026-11-18 07:59:58', NULL),
  ('4', 'B1', '00001', '_NA_', NULL, '2026-11-18 07:00:00'),
  -- no trouble: within 4 h, confirmed, not said, and too long ago
  ('5', 'B2', '00001', '_NA_', '2026-11-18 08:00:00', '2026-11-18 08:00:00'),
  ('6', 'B3', '00001', '9001', '2026-11-18 07:00:00', '2026-11-18 07:00:00'),
  ('7', 'B4', '00001', NULL, '2026-11-18 07:00:00', '2026-11-18 07:00:00'),
  ('8', 'C5', '00001', '_NA_', '2026-11-11 11:59:59', '2026-11-11 11:59:59'),
  ('9', 'C5', '00001', '_NA_', '2026-11-11 11:59:59', NULL);

-- at 2026-11-18T17:00:00Z: the case as it stands

INSERT INTO order_identification (order_identification_type_id, order_id, id_value, from_date, thru_date) VALUES
  ('NETSUITE_ORDER_ID', 'B1', '77004', '2026-11-18 12:05:00', NULL);
UPDATE order_header SET status_id = 'ORDER_CANCELLED' WHERE order_id IN ('D1', 'E2', 'E3');
UPDATE order_fulfillment_history SET external_fulfillment_id = '9002' WHERE order_id = 'A1';

-- at 2026-11-18T17:09:59Z: one arrives, duplicates are cancelled, and the answer is that of ten minutes ago, no older

-- at 2026-11-18T17:10:00Z: it is looked again, and one more should have arrived by now

DELETE FROM order_header;
DELETE FROM order_fulfillment_history;

-- at 2026-11-18T17:20:00Z: there is nothing
