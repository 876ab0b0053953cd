-- A client that moves from OFBiz to Moqui: jobs of both. It is 12:00 in New York.
-- collectors: jobs

INSERT INTO job_sandbox (job_id, job_name, service_name, pool_id, run_by_instance_id, status_id, run_time, start_date_time, finish_date_time, last_updated_tx_stamp) VALUES
  ('100001', 'importOrders', 's', 'pool', 'oms1', 'SERVICE_FINISHED', '2026-11-18 11:00:00', '2026-11-18 11:00:01', '2026-11-18 11:00:30', '2026-11-18 11:00:01'),
  ('100002', 'importOrders', 's', 'pool', NULL, 'SERVICE_PENDING', '2026-11-18 12:15:00', NULL, NULL, '2026-11-18 11:00:01'),
  ('100003', 'purge', 's', 'pool', 'oms1', 'SERVICE_RUNNING', '2026-11-18 11:50:00', '2026-11-18 11:50:01', NULL, '2026-11-18 11:50:01'),
  -- moved to Moqui an hour ago after two failures
  ('100004', 'moved', 's', 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-18 10:00:00', '2026-11-18 10:00:01', '2026-11-18 10:00:30', '2026-11-18 10:00:01'),
  ('100005', 'moved', 's', 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-18 10:30:00', '2026-11-18 10:30:01', '2026-11-18 10:30:30', '2026-11-18 10:30:01'),
  -- moved back after a success there
  ('100006', 'moved back', 's', 'pool', 'oms1', 'SERVICE_FAILED', '2026-11-18 11:30:00', '2026-11-18 11:30:01', '2026-11-18 11:30:30', '2026-11-18 11:30:01');
INSERT INTO service_job (job_name, service_name, cron_expression, paused) VALUES
  ('moved', 's', '0 0/15 * * * ?', 'N'), ('moved back', 's', '0 0/15 * * * ?', 'Y'), ('sync', 's', '0 0 11 * * ?', 'N'), ('first', 's', '0 0 11 * * ?', 'N');
INSERT INTO service_job_run (job_run_id, job_name, host_name, has_error, start_time, end_time) VALUES
  ('100001', 'moved', 'maarg-1', 'Y', '2026-11-18 11:45:00', '2026-11-18 11:45:10'),
  ('100002', 'moved back', 'maarg-1', 'N', '2026-11-18 11:15:00', '2026-11-18 11:15:10'),
  ('100003', 'sync', 'maarg-1', NULL, '2026-11-18 11:00:00', NULL);
INSERT INTO service_job_run_lock (job_name, job_run_id, last_run_time) VALUES
  ('moved', NULL, '2026-11-18 11:45:00'), ('moved back', NULL, '2026-11-18 11:15:00'), ('sync', '100003', '2026-11-18 11:00:00');

-- at 2026-11-18T17:00:00Z: both at work
