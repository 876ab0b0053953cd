-- Reset-inventory files that set no stock, and configurations that the data manager does not have. It is 12:00 in New York (UTC-5).
-- collectors: data_manager reset_inventory

-- The data manager has neither SYNC_SHOPIFY_INV nor NEVER; one is switched off.
INSERT INTO data_manager_config (config_id, execution_mode_id) VALUES
  ('RESET_INVENTORY', 'DMC_QUEUE'), ('SYNC_INV_SHPF_MLTTHD', NULL), ('IMP_OFF', 'DMC_DISABLED'), ('sync_shopify_inv', 'DMC_SYNC');
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, total_record_count, failed_record_count, last_updated_stamp, last_updated_tx_stamp) VALUES
  -- the last good one of wms, yesterday; then 100 of 100 records are refused
  ('10', 'RESET_INVENTORY', 'SERVICE_FINISHED', '2026-11-17 10:00:00', '2026-11-17 10:05:00', '2026-11-17 10:30:00', 500, 499, '2026-11-17 10:30:00', '2026-11-17 10:05:00'),
  ('11', 'RESET_INVENTORY', 'SERVICE_FINISHED', '2026-11-18 11:20:00', '2026-11-18 11:25:00', '2026-11-18 11:30:00', 100, 100, '2026-11-18 11:30:00', '2026-11-18 11:30:00'),
  -- of Shopify's none has a record, as Moqui writes it
  ('20', 'SYNC_INV_SHPF_MLTTHD', 'DmlsFinished', '2026-11-18 11:00:00', '2026-11-18 11:01:00', '2026-11-18 11:02:00', 0, 0, '2026-11-18 11:02:00', NULL),
  -- of any other configuration both have finished
  ('30', 'IMP_A', 'SERVICE_FINISHED', '2026-11-18 11:20:00', '2026-11-18 11:25:00', '2026-11-18 11:30:00', 1, 1, '2026-11-18 11:30:00', '2026-11-18 11:30:00'),
  ('31', 'IMP_A', 'SERVICE_FINISHED', '2026-11-18 11:20:00', '2026-11-18 11:25:00', '2026-11-18 11:31:00', 0, 0, '2026-11-18 11:31:00', '2026-11-18 11:31:00'),
  -- a person's import, failed three days ago
  ('40', 'IMP_ONCE', 'SERVICE_FAILED', '2026-11-15 11:20:00', '2026-11-15 11:25:00', '2026-11-15 11:30:00', NULL, NULL, '2026-11-15 11:30:00', '2026-11-15 11:30:00'),
  ('50', 'IMP_OFF', 'SERVICE_PENDING', '2026-11-01 11:00:00', NULL, NULL, NULL, NULL, '2026-11-01 11:00:00', '2026-11-01 11:00:00');

-- at 2026-11-18T17:00:00Z: all refused, and empty

-- The person cancels the import. A new file of wms is empty, and of Shopify's a good one comes.
UPDATE data_manager_log SET status_id = 'SERVICE_CANCELLED', cancel_date_time = '2026-11-18 12:00:10', last_updated_tx_stamp = '2026-11-18 12:00:10' WHERE log_id = '40';
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, total_record_count, failed_record_count, last_updated_stamp, last_updated_tx_stamp) VALUES
  ('12', 'RESET_INVENTORY', 'SERVICE_FINISHED', '2026-11-18 12:00:05', '2026-11-18 12:00:06', '2026-11-18 12:00:07', 0, NULL, '2026-11-18 12:00:07', '2026-11-18 12:00:06'),
  ('21', 'SYNC_INV_SHPF_MLTTHD', 'DmlsFinished', '2026-11-18 12:00:01', '2026-11-18 12:00:05', '2026-11-18 12:00:15', 80, 0, '2026-11-18 12:00:15', NULL);

-- at 2026-11-18T17:00:30Z: cancelled, empty, and good again
