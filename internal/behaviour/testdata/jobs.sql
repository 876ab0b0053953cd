-- A clinic of job rows. The OMS writes New York's wall clock (UTC-5 in November); the first look is at 12:00 there.
-- collectors: jobs

INSERT INTO job_sandbox (job_id, job_name, service_name, system_job_enum_id, product_store_id, shop_id, pool_id, run_by_instance_id, status_id, run_time, start_date_time, finish_date_time, cancel_date_time, current_retry_count, last_updated_tx_stamp) VALUES
  -- fails again and again: a new row each time, the retry count stays 0
  ('10', 'Import orders', 'createOrdersFromShopify', 'JOB_IMP_ORD', 'STORE_A', 'SHOP_1', 'pool', 'oms1', 'SERVICE_FINISHED', '2026-11-18 11:00:00', '2026-11-18 11:00:05', '2026-11-18 11:01:05', NULL, 0, '2026-11-18 11:00:05'),
  ('11', 'Import orders', 'createOrdersFromShopify', 'JOB_IMP_ORD', 'STORE_A', 'SHOP_1', 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-18 11:15:00', '2026-11-18 11:15:05', '2026-11-18 11:15:10', NULL, 0, '2026-11-18 11:15:05'),
  ('12', 'Import orders again', 'createOrdersFromShopify', 'JOB_IMP_ORD', 'STORE_A', 'SHOP_1', 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-18 11:30:00', '2026-11-18 11:30:05', '2026-11-18 11:30:10', NULL, 0, '2026-11-18 11:30:05'),
  -- crashed: cancelled at the restart, never finished
  ('13', 'Import orders', 'createOrdersFromShopify', 'JOB_IMP_ORD', 'STORE_A', 'SHOP_1', 'pool', 'oms1', 'SERVICE_CRASHED', '2026-11-18 11:45:00', '2026-11-18 11:45:05', NULL, '2026-11-18 11:50:00', 0, '2026-11-18 11:50:00'),
  ('14', 'Import orders', 'createOrdersFromShopify', 'JOB_IMP_ORD', 'STORE_A', 'SHOP_1', 'pool', NULL, 'SERVICE_PENDING', '2026-11-18 12:00:00', NULL, NULL, NULL, 0, '2026-11-18 11:45:05'),
  -- the same job of another shop is another job
  ('20', 'Import orders', 'createOrdersFromShopify', 'JOB_IMP_ORD', 'STORE_A', 'SHOP_2', 'pool', 'oms1', 'SERVICE_FINISHED', '2026-11-18 11:00:00', '2026-11-18 11:00:05', '2026-11-18 11:00:35', NULL, 0, '2026-11-18 11:00:05'),
  -- hung, and set from RUNNING to FAILED by a person: no finish time; the runs since have been good
  ('30', 'Brokering', 'runBrokering', 'JOB_BKR_ORD', 'STORE_A', NULL, 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-18 08:00:00', '2026-11-18 08:00:05', NULL, NULL, 0, '2026-11-18 11:40:00'),
  ('31', 'Brokering', 'runBrokering', 'JOB_BKR_ORD', 'STORE_A', NULL, 'pool', 'oms1', 'SERVICE_FINISHED', '2026-11-18 09:00:00', '2026-11-18 09:00:05', '2026-11-18 09:10:05', NULL, 0, '2026-11-18 09:00:05'),
  -- hangs now, on an instance that shows no other sign of life
  ('40', 'Reset inventory', 'ftpImportFile', 'JOB_IMP_INV', NULL, NULL, 'pool', 'oms2', 'SERVICE_RUNNING', '2026-11-18 11:00:00', '2026-11-18 11:00:00', NULL, NULL, 0, '2026-11-18 11:00:00'),
  ('41', 'Reset inventory', 'ftpImportFile', 'JOB_IMP_INV', NULL, NULL, 'pool', 'oms1', 'SERVICE_RUNNING', '2026-11-18 11:50:00', '2026-11-18 11:50:00', NULL, NULL, 0, '2026-11-18 11:50:00'),
  ('42', 'Reset inventory', 'ftpImportFile', 'JOB_IMP_INV', NULL, NULL, 'pool', 'oms1', 'SERVICE_QUEUED', '2026-11-18 11:59:00', NULL, NULL, NULL, 0, '2026-11-18 11:59:00'),
  -- a persisted call, named by the clock
  ('50', '1763484000000', 'sendOrderConfirmation', NULL, NULL, NULL, 'pool', 'oms1', 'SERVICE_FINISHED', '2026-11-18 11:20:00', '2026-11-18 11:20:00', '2026-11-18 11:20:01', NULL, 0, '2026-11-18 11:20:00'),
  ('51', 'purgeOldJobs', 'purgeOldJobs', NULL, NULL, NULL, 'other', 'oms1', 'SERVICE_FINISHED', '2026-11-18 01:20:00', '2026-11-18 01:20:00', '2026-11-18 01:20:01', NULL, 0, '2026-11-18 01:20:00'),
  -- a template, never run
  ('60', 'Draft', 'createOrdersFromShopify', 'JOB_IMP_ORD', NULL, NULL, 'pool', NULL, 'SERVICE_DRAFT', '2020-01-01 00:00:00', NULL, NULL, NULL, 0, '2026-11-18 11:00:00'),
  -- due, by the poller's own predicate: 30 min ago; not due: claimed, cancelled, started or later
  ('70', 'Due', 'due', NULL, NULL, NULL, 'slow', NULL, 'SERVICE_PENDING', '2026-11-18 11:30:00', NULL, NULL, NULL, 0, '2026-11-18 11:00:00'),
  ('71', 'Claimed', 'claimed', NULL, NULL, NULL, 'slow', 'oms1', 'SERVICE_PENDING', '2026-11-18 01:30:00', NULL, NULL, NULL, 0, '2026-11-18 11:00:00'),
  ('72', 'Cancelled', 'cancelled', NULL, NULL, NULL, 'slow', NULL, 'SERVICE_PENDING', '2026-11-18 01:30:00', NULL, NULL, '2026-11-18 02:00:00', 0, '2026-11-18 11:00:00'),
  ('73', 'Later', 'later', NULL, NULL, NULL, 'slow', NULL, 'SERVICE_PENDING', '2026-11-18 12:00:01', NULL, NULL, NULL, 0, '2026-11-18 11:00:00'),
  -- cancelled by a person: neither a failure nor a sign of life of its instance
  ('74', 'Brokering', 'runBrokering', 'JOB_BKR_ORD', 'STORE_A', NULL, 'pool', 'oms3', 'SERVICE_CANCELLED', '2026-11-18 11:40:00', NULL, NULL, '2026-11-18 11:55:00', 0, '2026-11-18 11:55:00'),
  -- longer ago than 7 days: forgotten
  ('80', 'Forgotten', 'forgotten', NULL, NULL, NULL, 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-10 11:00:00', '2026-11-10 11:00:00', '2026-11-10 11:00:00', NULL, 0, '2026-11-10 11:00:00'),
  -- without a stamp
  ('90', 'Unstamped', 'unstamped', NULL, NULL, NULL, 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-18 10:00:00', '2026-11-18 10:00:00', '2026-11-18 10:05:00', NULL, 0, NULL);
INSERT INTO job_manager_lock (instance_id, from_date, thru_date) VALUES
  ('oms2', '2026-11-18 11:00:00', NULL), ('oms1', '2026-11-17 11:00:00', '2026-11-17 12:00:00'), ('oms4', '2026-11-18 13:00:00', NULL);

-- at 2026-11-18T17:00:00Z: the clinic as it stands

-- The hung run is set to FAILED by a person; the streak ends with a success.
UPDATE job_sandbox SET status_id = 'SERVICE_FAILED', last_updated_tx_stamp = '2026-11-18 12:00:05' WHERE job_id = '40';
UPDATE job_sandbox SET status_id = 'SERVICE_FINISHED', run_by_instance_id = 'oms1', start_date_time = '2026-11-18 12:00:10', finish_date_time = '2026-11-18 12:00:15', last_updated_tx_stamp = '2026-11-18 12:00:10' WHERE job_id = '14';
UPDATE job_manager_lock SET thru_date = '2026-11-18 12:00:10' WHERE instance_id = 'oms2';

-- at 2026-11-18T17:00:30Z: mended
