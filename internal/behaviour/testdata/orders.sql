-- A clinic of order rows. The OMS writes New York's wall clock (UTC-5 in November); the first look is at 12:00 there.
-- collectors: orders

INSERT INTO facility_type (facility_type_id, parent_type_id) VALUES
  ('VIRTUAL_FACILITY', NULL), ('NA', 'VIRTUAL_FACILITY'), ('PRE_ORDER', 'VIRTUAL_FACILITY'),
  ('PHYSICAL_STORE', NULL), ('RETAIL_STORE', 'PHYSICAL_STORE'), ('OUTLET_STORE', 'PHYSICAL_STORE'),
  ('DISTRIBUTION_CENTER', NULL), ('WAREHOUSE', 'DISTRIBUTION_CENTER');
-- CLIENT_PARKING is one that the client made: parkings are known by their type.
INSERT INTO facility (facility_id, facility_type_id) VALUES
  ('_NA_', 'NA'), ('UNFILLABLE_PARKING', 'NA'), ('PRE_ORDER_PARKING', 'PRE_ORDER'), ('CLIENT_PARKING', 'NA'),
  ('STORE_1', 'RETAIL_STORE'), ('DC_1', 'WAREHOUSE');

INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, order_date, entry_date, created_tx_stamp, last_updated_tx_stamp) VALUES
  -- created: 3 h 30 min old; the date of the order itself, weeks ago, does not count
  ('C1', 'SALES_ORDER', 'ORDER_CREATED', 'STORE_A', 'WEB', '2026-10-01 00:00:00', '2026-11-18 08:30:00', '2026-11-18 08:30:00', '2026-11-18 08:30:00'),
  -- exactly 3 h: not older than 3 h
  ('C2', 'SALES_ORDER', 'ORDER_CREATED', 'STORE_A', 'WEB', '2026-11-18 08:59:00', '2026-11-18 09:00:00', '2026-11-18 09:00:00', '2026-11-18 09:00:00'),
  -- not sales orders
  ('P1', 'PURCHASE_ORDER', 'ORDER_CREATED', 'STORE_A', 'WEB', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00'),
  ('P2', NULL, 'ORDER_CREATED', 'STORE_A', 'WEB', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00', '2026-01-01 00:00:00'),
  -- set aside: an exchange, and one that waits for the fraud review
  ('X1', 'SALES_ORDER', 'ORDER_CREATED', 'STORE_A', 'LOOP_EXCH', '2026-11-10 00:00:00', '2026-11-10 00:00:00', '2026-11-10 00:00:00', '2026-11-10 00:00:00'),
  ('X2', 'SALES_ORDER', 'ORDER_CREATED', 'STORE_A', 'WEB', '2026-11-10 00:00:00', '2026-11-10 00:00:00', '2026-11-10 00:00:00', '2026-11-10 00:00:00'),
  -- without store, channel and entry date: the order's date stands in
  ('C3', 'SALES_ORDER', 'ORDER_CREATED', NULL, NULL, '2026-11-17 11:00:00', NULL, NULL, NULL),
  ('H1', 'SALES_ORDER', 'ORDER_HOLD', 'STORE_A', 'WEB', '2026-11-18 08:00:00', '2026-11-18 08:00:00', '2026-11-18 08:00:00', '2026-11-18 08:00:00'),
  ('D1', 'SALES_ORDER', 'ORDER_COMPLETED', 'STORE_B', 'POS', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  -- approved
  ('A1', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE_A', 'WEB', '2026-11-15 08:00:00', '2026-11-15 08:00:00', '2026-11-15 08:00:00', '2026-11-15 08:00:00'),
  ('A2', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE_A', 'WEB', '2026-11-16 08:00:00', '2026-11-16 08:00:00', '2026-11-16 08:00:00', '2026-11-16 08:00:00'),
  ('A3', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE_A', 'WEB', '2026-11-17 08:00:00', '2026-11-17 08:00:00', '2026-11-17 08:00:00', '2026-11-17 08:00:00'),
  ('A4', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE_A', 'WEB', '2026-11-17 09:00:00', '2026-11-17 09:00:00', '2026-11-17 09:00:00', '2026-11-17 09:00:00'),
  ('A5', 'SALES_ORDER', 'ORDER_APPROVED', 'STORE_A', 'WEB', '2026-11-17 10:00:00', '2026-11-17 10:00:00', '2026-11-17 10:00:00', '2026-11-17 10:00:00'),
  ('A6', 'PURCHASE_ORDER', 'ORDER_APPROVED', 'STORE_A', 'WEB', '2026-01-01 10:00:00', '2026-01-01 10:00:00', '2026-01-01 10:00:00', '2026-01-01 10:00:00');
-- Present on those that are not under review; X2 lacks it.
INSERT INTO order_attribute (order_id, attr_name, attr_value) VALUES
  ('C1', 'SIGNIFYD_APPROVED', 'true'), ('C2', 'SIGNIFYD_APPROVED', 'true'), ('C3', 'SIGNIFYD_APPROVED', 'true'), ('X2', 'OTHER', 'true');
-- The approval is the order's, not an item's.
INSERT INTO order_status (order_status_id, status_id, order_id, order_item_seq_id, status_datetime) VALUES
  ('S1', 'ORDER_APPROVED', 'A1', NULL, '2026-11-15 09:00:00'), ('S2', 'ORDER_APPROVED', 'A2', '_NA_', '2026-11-16 09:00:00'),
  ('S3', 'ITEM_APPROVED', 'A2', '00001', '2026-11-17 09:00:00'), ('S4', 'ORDER_APPROVED', 'A2', '00001', '2026-11-18 09:00:00');
INSERT INTO order_item_ship_group (order_id, ship_group_seq_id, facility_id) VALUES
  ('A1', '00001', '_NA_'), ('A1', '00002', 'STORE_1'), ('A2', '00001', 'UNFILLABLE_PARKING'), ('A3', '00001', 'CLIENT_PARKING'),
  ('A3', '00002', 'STORE_1'), ('A4', '00001', 'DC_1'), ('H1', '00001', 'UNFILLABLE_PARKING'), ('A6', '00001', '_NA_');
INSERT INTO order_item (order_id, order_item_seq_id, ship_group_seq_id, status_id) VALUES
  -- in the queue since its approval, as it never changed facility; its other item is completed
  ('A1', '00001', '00001', 'ITEM_APPROVED'), ('A1', '00002', '00002', 'ITEM_COMPLETED'),
  -- two items of one order in one parking: one order, the longer wait
  ('A2', '00001', '00001', 'ITEM_APPROVED'), ('A2', '00002', '00001', 'ITEM_APPROVED'),
  -- one order in two places
  ('A3', '00001', '00001', 'ITEM_APPROVED'), ('A3', '00002', '00002', 'ITEM_APPROVED'),
  -- stock OFBiz: the item does not know its ship group
  ('A4', '00001', NULL, 'ITEM_APPROVED'),
  -- no ship group at all: nobody has routed it
  ('A5', '00001', NULL, 'ITEM_APPROVED'),
  -- held orders are parked, but not unfulfilled; a cancelled item is neither
  ('H1', '00001', '00001', 'ITEM_CREATED'), ('H1', '00002', '00001', 'ITEM_CANCELLED'),
  ('A6', '00001', '00001', 'ITEM_APPROVED');
INSERT INTO order_item_ship_group_assoc (order_id, order_item_seq_id, ship_group_seq_id) VALUES
  ('A4', '00001', '00001'), ('A3', '00001', '00002');
INSERT INTO order_facility_change (order_facility_change_id, order_id, order_item_seq_id, ship_group_seq_id, facility_id, change_datetime) VALUES
  ('F1', 'A2', '00001', '00001', '_NA_', '2026-11-16 08:10:00'), ('F2', 'A2', '00001', '00001', 'UNFILLABLE_PARKING', '2026-11-16 12:00:00'),
  ('F3', 'A2', '00002', '00001', 'UNFILLABLE_PARKING', '2026-11-16 11:00:00'), ('F4', 'A3', '00001', '00001', 'CLIENT_PARKING', '2026-11-18 11:00:00'),
  ('F5', 'A3', '00002', '00002', 'STORE_1', '2026-11-18 11:30:00'), ('F6', 'A4', '00001', '00001', 'DC_1', '2026-11-17 12:00:00');

-- at 2026-11-18T17:00:00Z: the clinic as it stands

INSERT INTO order_header (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, entry_date, created_tx_stamp, last_updated_tx_stamp) VALUES
  ('N1', 'SALES_ORDER', 'ORDER_CREATED', 'STORE_A', 'WEB', '2026-11-18 12:00:10', '2026-11-18 12:00:10', '2026-11-18 12:00:10'),
  ('N2', 'SALES_ORDER', 'ORDER_COMPLETED', 'STORE_B', 'POS', '2026-11-18 12:00:20', '2026-11-18 12:00:20', '2026-11-18 12:00:20'),
  -- Moqui writes no stamps
  ('N3', 'SALES_ORDER', 'ORDER_CREATED', 'STORE_C', 'WEB', '2026-11-18 12:00:25', NULL, NULL),
  ('N4', 'PURCHASE_ORDER', 'ORDER_CREATED', 'STORE_A', 'WEB', '2026-11-18 12:00:10', '2026-11-18 12:00:10', '2026-11-18 12:00:10');
INSERT INTO order_attribute (order_id, attr_name, attr_value) VALUES ('N1', 'SIGNIFYD_APPROVED', 'true');
UPDATE order_header SET status_id = 'ORDER_APPROVED', last_updated_tx_stamp = '2026-11-18 12:00:15' WHERE order_id = 'C1';
UPDATE order_header SET status_id = 'ORDER_CANCELLED', last_updated_tx_stamp = '2026-11-18 12:00:15' WHERE order_id = 'A2';

-- at 2026-11-18T17:00:30Z: three orders more, the oldest approved, one cancelled in its parking
