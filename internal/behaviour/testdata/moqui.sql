-- A clinic of Moqui's jobs, where OFBiz has none. The OMS writes New York's wall clock (UTC-5 in November); the
-- first look is at 12:00 there. The ids grow a digit at 11:00.
-- collectors: jobs

INSERT INTO service_job (job_name, service_name, cron_expression, paused, from_date, thru_date, repeat_count, expire_lock_time, last_updated_stamp) VALUES
  ('sync_orders', 's', '0 0/15 * * * ?', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('brokering', 's', '0 0/5 * * * ?', NULL, NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('late', 's', '0 30 11 * * ?', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('reset_inventory', 's', '0 0 11 * * ?', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('locked_beyond', 's', '0 0 * * * ?', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('locked_and_gone', 's', '0 0 * * * ?', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('taken_never_started', 's', '0 0 * * * ?', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('expired', 's', '0 0 3 * * ?', 'Y', NULL, NULL, NULL, '60', '2026-10-01 00:00:00'),
  ('cleared', 's', '0 0 8 * * ?', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('report', 's', NULL, 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  -- none of these is due: paused, over, not yet, limited, in words nobody understands
  ('paused', 's', '0 0 * * * ?', 'Y', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('over', 's', '0 0 * * * ?', 'N', NULL, '2026-11-18 11:00:00', NULL, NULL, '2026-10-01 00:00:00'),
  ('not_yet', 's', '0 0 * * * ?', 'N', '2026-11-18 13:00:00', NULL, NULL, NULL, '2026-10-01 00:00:00'),
  ('limited', 's', '0 0 * * * ?', 'N', NULL, NULL, '3', NULL, '2026-10-01 00:00:00'),
  ('unreadable', 's', 'every hour', 'N', NULL, NULL, NULL, NULL, '2026-10-01 00:00:00');
INSERT INTO service_job_run (job_run_id, job_name, parameters, host_name, has_error, start_time, end_time, last_updated_stamp) VALUES
  -- longer ago than 7 days: forgotten
  ('999900', 'forgotten', NULL, 'maarg-1', 'Y', '2026-11-10 11:00:00', '2026-11-10 11:00:00', '2026-11-10 11:00:00'),
  -- expired, and never ended: crashed
  ('999910', 'expired', NULL, 'maarg-1', NULL, '2026-11-17 03:00:02', NULL, '2026-11-17 03:00:02'),
  ('999911', 'late', NULL, 'maarg-1', 'N', '2026-11-17 11:30:03', '2026-11-17 11:30:33', '2026-11-17 11:30:33'),
  -- never ended, and somebody cleared the lock at 11:30: crashed
  ('999980', 'cleared', NULL, 'maarg-3', NULL, '2026-11-18 08:00:03', NULL, '2026-11-18 08:00:03'),
  -- ended, and its lock was not given back
  ('999990', 'locked_beyond', NULL, 'maarg-1', 'N', '2026-11-18 10:00:03', '2026-11-18 10:00:20', '2026-11-18 10:00:20'),
  -- fails again and again since 11:00
  ('999999', 'sync_orders', NULL, 'maarg-1', 'N', '2026-11-18 10:45:02', '2026-11-18 10:46:02', '2026-11-18 10:46:02'),
  ('1000000', 'sync_orders', NULL, 'maarg-1', 'Y', '2026-11-18 11:00:02', '2026-11-18 11:00:10', '2026-11-18 11:00:10'),
  -- hangs now, on a host that shows no other sign of life
  ('1000001', 'reset_inventory', NULL, 'maarg-2', NULL, '2026-11-18 11:00:05', NULL, '2026-11-18 11:00:05'),
  -- taken at 11:00, but its host went away before it started
  ('1000002', 'taken_never_started', NULL, NULL, NULL, NULL, NULL, '2026-11-18 11:00:00'),
  ('1000010', 'sync_orders', NULL, 'maarg-1', 'Y', '2026-11-18 11:20:02', '2026-11-18 11:20:10', '2026-11-18 11:20:10'),
  -- begun by persons: in work, queued, ended
  ('1000050', 'report', '{}', 'maarg-1', NULL, '2026-11-18 11:40:00', NULL, '2026-11-18 11:40:00'),
  ('1000051', 'report', '{}', NULL, NULL, NULL, NULL, '2026-11-18 11:59:50'),
  ('1000052', 'report', '{}', 'maarg-1', 'N', '2026-11-18 11:41:00', '2026-11-18 11:42:30', '2026-11-18 11:42:30'),
  -- written by the program for lack of a user, no lock taken since: in work
  ('1000053', 'paused', NULL, 'maarg-1', NULL, '2026-11-18 11:57:00', NULL, '2026-11-18 11:57:00'),
  ('1000054', 'sync_orders', NULL, 'maarg-1', 'Y', '2026-11-18 11:50:02', '2026-11-18 11:50:10', '2026-11-18 11:50:10'),
  ('1000055', 'brokering', NULL, 'maarg-1', 'N', '2026-11-18 11:55:02.250', '2026-11-18 11:55:10.500', '2026-11-18 11:55:10.500'),
  -- no number: nobody knows where
  ('x1', 'odd', NULL, 'maarg-9', 'Y', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:00:00');
INSERT INTO service_job_run_lock (job_name, job_run_id, last_run_time, last_updated_stamp) VALUES
  ('sync_orders', NULL, '2026-11-18 10:45:00', '2026-11-18 11:50:10'),
  ('brokering', NULL, '2026-11-18 11:55:00', '2026-11-18 11:55:10'),
  ('late', NULL, '2026-11-17 11:30:00', '2026-11-17 11:30:33'),
  ('reset_inventory', '1000001', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  ('locked_beyond', '999990', '2026-11-18 10:00:00', '2026-11-18 10:00:00'),
  ('locked_and_gone', '999995', '2026-11-18 10:30:00', '2026-11-18 10:30:00'),
  ('taken_never_started', '1000002', '2026-11-18 11:00:00', '2026-11-18 11:00:00'),
  ('expired', '999910', '2026-11-17 03:00:00', '2026-11-17 03:00:00'),
  ('cleared', NULL, '2026-11-18 08:00:00', '2026-11-18 11:30:00'),
  ('paused', NULL, '2026-11-17 03:00:00', '2026-11-17 03:00:10'),
  ('over', NULL, '2026-11-17 03:00:00', '2026-11-17 03:00:10'),
  ('unreadable', NULL, '2026-11-17 03:00:00', '2026-11-17 03:00:10');

-- at 2026-11-18T17:00:00Z: the clinic as it stands

-- Locks are cleared, the dead runs are lost with them; what was in work ends, what was late runs, the streak ends. One run
-- has an id that was passed over.
UPDATE service_job_run_lock SET job_run_id = NULL, last_updated_stamp = '2026-11-18 12:00:10' WHERE job_name IN ('locked_beyond', 'locked_and_gone', 'taken_never_started');
UPDATE service_job_run SET has_error = 'N', end_time = '2026-11-18 12:00:20', last_updated_stamp = '2026-11-18 12:00:20' WHERE job_run_id IN ('1000001', '1000050');
UPDATE service_job_run_lock SET job_run_id = NULL, last_updated_stamp = '2026-11-18 12:00:20' WHERE job_name = 'reset_inventory';
INSERT INTO service_job_run (job_run_id, job_name, parameters, host_name, has_error, start_time, end_time, last_updated_stamp) VALUES
  ('1000011', 'late', NULL, 'maarg-2', 'N', '2026-11-18 12:00:05', '2026-11-18 12:00:15', '2026-11-18 12:00:15'),
  ('1000056', 'sync_orders', NULL, 'maarg-1', 'N', '2026-11-18 12:00:05', '2026-11-18 12:00:15', '2026-11-18 12:00:15'),
  ('1000057', 'brokering', NULL, 'maarg-1', NULL, '2026-11-18 12:00:05', NULL, '2026-11-18 12:00:05');
UPDATE service_job_run_lock SET last_run_time = '2026-11-18 12:00:00', last_updated_stamp = '2026-11-18 12:00:15' WHERE job_name IN ('sync_orders', 'late');
UPDATE service_job_run_lock SET job_run_id = '1000057', last_run_time = '2026-11-18 12:00:00', last_updated_stamp = '2026-11-18 12:00:00' WHERE job_name = 'brokering';

-- at 2026-11-18T17:01:30Z: mended
