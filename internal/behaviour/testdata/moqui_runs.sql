-- A clinic of Moqui's runs: ids with prefixes, runs that were lost, runs that wait for a thread, schedules that Moqui refuses. The OMS
-- writes New York's wall clock (UTC-5 in November); the first look is at 12:00 there.
-- collectors: jobs

INSERT INTO service_job (job_name, service_name, cron_expression, paused, last_updated_stamp) VALUES
  ('import', 's', '0 0/15 * * * ?', 'N', '2026-10-01 00:00:00'),
  ('j', 's', '0 0/3 * * * ?', 'N', '2026-10-01 00:00:00'),
  ('prefixed', 's', '0 0/3 * * * ?', 'N', '2026-10-01 00:00:00'),
  ('other server', 's', '0 0/3 * * * ?', 'N', '2026-10-01 00:00:00'),
  ('waits', 's', '0 0 * * * ?', 'N', '2026-10-01 00:00:00'),
  ('by hand', 's', NULL, 'N', '2026-10-01 00:00:00'),
  -- Moqui never runs these: one of the two fields of days must be ?, and a step of 60 minutes is none
  ('both days', 's', '0 0 12 * * *', 'N', '2026-10-01 00:00:00'),
  ('each sixty', 's', '0 */60 * * * ?', 'N', '2026-10-01 00:00:00'),
  ('refused and paused', 's', '0 0 12 * * *', 'Y', '2026-10-01 00:00:00'),
  ('failed and paused', 's', '0 0/15 * * * ?', 'Y', '2026-10-01 00:00:00');
INSERT INTO service_job_run (job_run_id, job_name, parameters, user_id, host_name, has_error, start_time, end_time, last_updated_stamp) VALUES
  -- hangs; job_sandbox has a row of the same id
  ('100200', 'import', NULL, NULL, 'host1', NULL, '2026-11-18 10:00:00', NULL, '2026-11-18 10:00:00'),
  -- lost for an hour; its job runs every three minutes, and has just run
  ('100201', 'j', NULL, NULL, 'dead', NULL, '2026-11-18 11:00:00', NULL, '2026-11-18 11:00:00'),
  ('100202', 'j', NULL, NULL, 'alive', 'N', '2026-11-18 11:56:55', '2026-11-18 11:56:57', '2026-11-18 11:56:57'),
  ('100203', 'j', NULL, NULL, 'alive', 'N', '2026-11-18 11:59:55', '2026-11-18 11:59:57', '2026-11-18 11:59:57'),
  -- code without a login began it beside the scheduler, which has run the job since: it goes on
  ('100204', 'j', '{"a":1}', NULL, 'alive', NULL, '2026-11-18 11:30:00', NULL, '2026-11-18 11:30:00'),
  ('100205', 'by hand', '{}', 'JANE', 'alive', 'N', '2026-11-18 11:30:00', '2026-11-18 11:31:00', '2026-11-18 11:31:00'),
  -- servers with a prefix of their own
  ('M100001', 'prefixed', NULL, NULL, 'm1', 'Y', '2026-11-18 11:51:00', '2026-11-18 11:51:02', '2026-11-18 11:51:02'),
  ('M100002', 'prefixed', NULL, NULL, 'm1', 'Y', '2026-11-18 11:54:00', '2026-11-18 11:54:02', '2026-11-18 11:54:02'),
  ('M100003', 'prefixed', NULL, NULL, 'm1', 'Y', '2026-11-18 11:57:00', '2026-11-18 11:57:02', '2026-11-18 11:57:02'),
  ('HW2-99999', 'other server', NULL, NULL, 'm2', 'Y', '2026-11-18 11:54:00', '2026-11-18 11:54:02', '2026-11-18 11:54:02'),
  ('HW2-100000', 'other server', NULL, NULL, 'm2', 'Y', '2026-11-18 11:57:00', '2026-11-18 11:57:02', '2026-11-18 11:57:02'),
  -- taken 40 minutes ago: all threads are busy
  ('100206', 'waits', NULL, NULL, 'host1', NULL, NULL, NULL, '2026-11-18 11:20:00'),
  ('100207', 'failed and paused', NULL, NULL, 'alive', 'Y', '2026-11-18 10:00:00', '2026-11-18 10:00:02', '2026-11-18 10:00:02'),
  ('100208', 'failed and paused', NULL, NULL, 'alive', 'Y', '2026-11-18 10:15:00', '2026-11-18 10:15:02', '2026-11-18 10:15:02'),
  ('100209', 'failed and paused', NULL, NULL, 'alive', 'Y', '2026-11-18 10:30:00', '2026-11-18 10:30:02', '2026-11-18 10:30:02');
INSERT INTO service_job_run_lock (job_name, job_run_id, last_run_time, last_updated_stamp) VALUES
  ('import', '100200', '2026-11-18 10:00:00', '2026-11-18 10:00:00'),
  ('j', NULL, '2026-11-18 11:59:55', '2026-11-18 11:59:57'),
  ('prefixed', NULL, '2026-11-18 11:57:00', '2026-11-18 11:57:02'),
  ('other server', NULL, '2026-11-18 11:57:00', '2026-11-18 11:57:02'),
  ('waits', '100206', '2026-11-18 11:20:00', '2026-11-18 11:20:00'),
  ('both days', NULL, '2026-11-01 12:00:00', '2026-11-01 12:00:00'),
  ('failed and paused', NULL, '2026-11-18 10:30:00', '2026-11-18 10:30:02');
INSERT INTO job_sandbox (job_id, job_name, status_id, pool_id, run_by_instance_id, start_date_time, last_updated_tx_stamp) VALUES
  ('100200', 'Healthy OFBiz job', 'SERVICE_RUNNING', 'pool', 'oms1', '2026-11-18 11:40:00', '2026-11-18 11:40:00');

-- at 2026-11-18T17:00:00Z: as it stands

-- The lost run stays lost while its job goes on; a thread is free again; the prefixed one succeeds.
INSERT INTO service_job_run (job_run_id, job_name, host_name, has_error, start_time, end_time, last_updated_stamp) VALUES
  ('100210', 'j', 'alive', NULL, '2026-11-18 12:00:10', NULL, '2026-11-18 12:00:10'),
  ('M100004', 'prefixed', 'm1', 'N', '2026-11-18 12:00:05', '2026-11-18 12:00:20', '2026-11-18 12:00:20');
UPDATE service_job_run_lock SET job_run_id = '100210', last_run_time = '2026-11-18 12:00:10', last_updated_stamp = '2026-11-18 12:00:10' WHERE job_name = 'j';
UPDATE service_job_run_lock SET last_run_time = '2026-11-18 12:00:05', last_updated_stamp = '2026-11-18 12:00:20' WHERE job_name = 'prefixed';
UPDATE service_job_run SET start_time = '2026-11-18 12:00:15' WHERE job_run_id = '100206';

-- at 2026-11-18T17:00:30Z: it goes on
