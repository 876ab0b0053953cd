-- A clinic of data-manager rows. The OMS writes New York's wall clock (UTC-5 in November); the first look is at 12:00.
-- collectors: data_manager reset_inventory

INSERT INTO data_manager_log (log_id, parent_log_id, config_id, status_id, created_date, start_date_time, finish_date_time, cancel_date_time, total_record_count, failed_record_count, last_updated_stamp, last_updated_tx_stamp) VALUES
  -- the reset-inventory file of yesterday crashed; its child repeats it, finishes, and is not another reception
  ('100', NULL, 'RESET_INVENTORY', 'SERVICE_CRASHED', '2026-11-17 10:00:00', '2026-11-17 10:05:00', NULL, '2026-11-17 10:30:00', 500, NULL, '2026-11-17 10:30:00', '2026-11-17 10:30:00'),
  ('101', '100', 'RESET_INVENTORY', 'SERVICE_FINISHED', '2026-11-17 10:30:00', '2026-11-17 10:35:00', '2026-11-17 10:50:00', NULL, 500, 3, '2026-11-17 10:50:00', '2026-11-17 10:35:00'),
  -- that of Shopify runs for 20 min, as Moqui writes it: no stamp
  ('110', NULL, 'SYNC_INV_SHPF_MLTTHD', 'DmlsRunning', '2026-11-18 11:30:00', '2026-11-18 11:40:00', NULL, NULL, NULL, NULL, '2026-11-18 11:40:00', NULL),
  -- its last one is older than what is remembered of others, and still counts
  ('109', NULL, 'SYNC_INV_SHPF_MLTTHD', 'DmlsFinished', '2026-11-01 11:30:00', '2026-11-01 11:40:00', '2026-11-01 11:45:00', NULL, 70, 0, '2026-11-01 11:45:00', NULL),
  -- both vocabularies, waiting
  ('120', NULL, 'IMP_A', 'SERVICE_PENDING', '2026-11-18 10:30:00', NULL, NULL, NULL, NULL, NULL, '2026-11-18 10:30:00', '2026-11-18 10:30:00'),
  ('121', NULL, 'IMP_A', 'DmlsPending', '2026-11-18 11:30:00', NULL, NULL, NULL, NULL, NULL, '2026-11-18 11:30:00', NULL),
  ('122', NULL, 'IMP_A', 'SERVICE_QUEUED', '2026-11-18 11:50:00', NULL, NULL, NULL, NULL, NULL, '2026-11-18 11:50:00', '2026-11-18 11:50:00'),
  -- states that nobody knows, and none
  ('123', NULL, 'IMP_A', 'DmlsCancelRequested', '2026-11-18 09:00:00', NULL, NULL, NULL, NULL, NULL, '2026-11-18 09:00:00', NULL),
  ('124', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-18 08:00:00', NULL),
  -- ended: within the last day, and before
  ('130', NULL, 'IMP_B', 'SERVICE_FINISHED', '2026-11-18 10:00:00', '2026-11-18 10:01:00', '2026-11-18 10:02:00', NULL, 10, 0, '2026-11-18 10:02:00', '2026-11-18 10:01:00'),
  ('131', NULL, 'IMP_B', 'DmlsFinished', '2026-11-18 10:10:00', '2026-11-18 10:11:00', '2026-11-18 10:12:00', NULL, 10, 4, '2026-11-18 10:12:00', NULL),
  ('132', NULL, 'IMP_B', 'SERVICE_FAILED', '2026-11-18 11:00:00', '2026-11-18 11:01:00', '2026-11-18 11:02:00', NULL, 10, 10, '2026-11-18 11:02:00', '2026-11-18 11:01:00'),
  ('133', NULL, 'IMP_B', 'DmlsCancelled', '2026-11-18 11:05:00', NULL, NULL, '2026-11-18 11:06:00', NULL, NULL, '2026-11-18 11:06:00', NULL),
  ('134', NULL, 'IMP_B', 'DmlsFailed', '2026-11-17 11:00:00', '2026-11-17 11:01:00', '2026-11-17 11:59:00', NULL, NULL, NULL, '2026-11-17 11:59:00', NULL),
  ('135', NULL, 'IMP_B', 'DmlsCrashed', '2026-11-18 11:10:00', '2026-11-18 11:11:00', NULL, NULL, NULL, NULL, '2026-11-18 11:11:00', NULL),
  ('140', NULL, 'IMP_OLD', 'SERVICE_FAILED', '2026-11-01 10:00:00', '2026-11-01 10:01:00', '2026-11-01 10:02:00', NULL, 10, 0, '2026-11-01 10:02:00', '2026-11-01 10:01:00');

-- Finished with an error file, and nobody counted.
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, error_record_content_id, last_updated_stamp, last_updated_tx_stamp) VALUES
  ('136', 'IMP_C', 'SERVICE_FINISHED', '2026-11-18 10:00:00', '2026-11-18 10:01:00', '2026-11-18 10:02:00', '10010', '2026-11-18 10:02:00', '2026-11-18 10:01:00');

-- at 2026-11-18T17:00:00Z: the clinic as it stands

-- Moqui finishes its file and takes the pending one; nothing has a stamp.
UPDATE data_manager_log SET status_id = 'DmlsFinished', finish_date_time = '2026-11-18 12:00:10', total_record_count = 80, failed_record_count = 0 WHERE log_id = '110';
UPDATE data_manager_log SET status_id = 'DmlsRunning', start_date_time = '2026-11-18 12:00:10' WHERE log_id = '121';
-- OFBiz mends the failed one.
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, total_record_count, failed_record_count, last_updated_stamp, last_updated_tx_stamp) VALUES
  ('150', 'IMP_B', 'SERVICE_FINISHED', '2026-11-18 12:00:05', '2026-11-18 12:00:06', '2026-11-18 12:00:07', 10, 0, '2026-11-18 12:00:07', '2026-11-18 12:00:06');

-- at 2026-11-18T17:00:30Z: mended
