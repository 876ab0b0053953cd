-- What kind of OMS it is, what it lacks and how far its clock is off, which is that of the stamps that the others have read.
-- It is 12:00 in New York.
-- collectors: client data_manager jobs orders

INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES
  ('1', 'SALES_ORDER', 'ORDER_COMPLETED', '2026-11-18 11:59:51', '2026-11-18 11:59:51');
INSERT INTO job_sandbox (job_id, job_name, status_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
  ('1', 'J', 'SERVICE_FINISHED', '2026-11-18 11:59:52', '2026-11-18 11:59:52', '2026-11-18 11:59:52');
INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time, last_updated_tx_stamp) VALUES
  ('1', 'RESET_INVENTORY', 'SERVICE_FINISHED', '2026-11-18 11:59:53', '2026-11-18 11:59:53', '2026-11-18 11:59:53');
INSERT INTO service_job_run (job_run_id, job_name, has_error, start_time, end_time) VALUES
  ('100001', 'M', 'N', '2026-11-18 11:59:54', '2026-11-18 11:59:54');

-- at 2026-11-18T17:00:00Z: the first stamps, of which nobody knows whether they advance

INSERT INTO order_header (order_id, order_type_id, status_id, entry_date, created_tx_stamp) VALUES
  ('2', 'SALES_ORDER', 'ORDER_COMPLETED', '2026-11-18 12:00:10', '2026-11-18 12:00:10');

-- at 2026-11-18T17:00:30Z: an order advances the clock

INSERT INTO job_sandbox (job_id, job_name, status_id, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
  ('2', 'J', 'SERVICE_FINISHED', '2026-11-18 12:00:50', '2026-11-18 12:00:50', '2026-11-18 12:00:50');

-- at 2026-11-18T17:01:00Z: a job advances it

INSERT INTO data_manager_log (log_id, config_id, status_id, created_date, finish_date_time, last_updated_tx_stamp) VALUES
  ('2', 'RESET_INVENTORY', 'SERVICE_FINISHED', '2026-11-18 12:01:25', '2026-11-18 12:01:25', '2026-11-18 12:01:25');

-- at 2026-11-18T17:01:30Z: a file advances it

INSERT INTO service_job_run (job_run_id, job_name, has_error, start_time, end_time) VALUES
  ('100002', 'M', 'N', '2026-11-18 12:01:58', '2026-11-18 12:01:58');

-- at 2026-11-18T17:02:00Z: a job of Moqui advances it
