-- A clinic of reconciliations with Shopify. The OMS writes New York's wall clock (UTC-5 in November); the first look is at
-- 12:00 there.
-- collectors: orders

INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, external_id) VALUES
  ('A', 'SALES_ORDER', 'ORDER_COMPLETED', '2026-11-17 10:05:00', '5001'),
  -- imported twice
  ('B1', 'SALES_ORDER', 'ORDER_COMPLETED', '2026-11-17 11:05:00', '5002'),
  ('B2', 'SALES_ORDER', 'ORDER_CANCELLED', '2026-11-17 11:06:00', '5002'),
  -- its own id is nobody's external id
  ('5003', 'SALES_ORDER', 'ORDER_COMPLETED', '2026-11-17 12:05:00', NULL);

INSERT INTO shopify_oms_order_recon (system_message_remote_id, shopify_order_id, shop_id, order_created_at, last_updated_stamp) VALUES
  -- the run of this night: two of its orders are missing, and one that may be on its way
  ('SHOPIFY_US', '5001', '10000', '2026-11-17 10:00:00', '2026-11-18 02:00:00'),
  ('SHOPIFY_US', '5002', '10000', '2026-11-17 11:00:00', '2026-11-18 02:00:00'),
  ('SHOPIFY_US', '5003', '10000', '2026-11-17 12:00:00', '2026-11-18 02:00:01'),
  ('SHOPIFY_US', '5004', '10000', '2026-11-17 23:00:00', '2026-11-18 02:00:01'),
  ('SHOPIFY_US', '5005', '10000', '2026-11-18 11:00:00', '2026-11-18 02:00:01'),
  ('SHOPIFY_US', '5006', '10000', NULL, '2026-11-18 02:00:01'),
  -- nothing missing; the run was told of no shop
  ('SHOPIFY_CA', '5001', NULL, '2026-11-17 10:00:00', '2026-11-18 02:00:00'),
  -- just fresh: 36 h ago, and of orders 3 days old
  ('SHOPIFY_UK', '7001', '10001', '2026-11-15 12:00:00', '2026-11-17 00:00:00'),
  -- just not any more: a run longer ago, one of this morning about days long past, and rows that nobody knows the age of
  ('SHOPIFY_FR', '7002', '10002', '2026-11-16 12:00:00', '2026-11-16 23:59:59'),
  ('SHOPIFY_DE', '7003', '10003', '2026-11-15 11:59:59', '2026-11-18 09:00:00'),
  ('SHOPIFY_IT', '7004', '10004', '2026-11-17 11:59:59', NULL);

-- at 2026-11-18T17:00:00Z: the clinic as it stands

INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, external_id) VALUES
  ('D', 'SALES_ORDER', 'ORDER_APPROVED', '2026-11-18 12:00:10', '5004');

-- at 2026-11-18T17:09:59Z: one is imported after all, and the answer is that of ten minutes ago

-- at 2026-11-18T17:10:00Z: one is imported, one more should have been by now, and one shop is not fresh any more

DELETE FROM shopify_oms_order_recon;

-- at 2026-11-18T17:20:00Z: the table is empty, so nothing is known
