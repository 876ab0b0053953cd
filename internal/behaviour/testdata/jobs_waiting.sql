-- A clinic of jobs that are due and do not begin. The OMS writes New York's wall clock (UTC-5 in November); the first look is at
-- 12:00 there.
-- collectors: jobs

INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp) VALUES
  -- a server that is gone, with all it had: queued, and claimed before it was queued
  ('1', 'Fulfilment push', 's', 'SERVICE_FINISHED', 'pool', 'pod-a', '2026-11-18 06:40:00', '2026-11-18 06:40:00', '2026-11-18 06:41:00', NULL, '2026-11-18 06:41:00'),
  ('2', 'Fulfilment push', 's', 'SERVICE_QUEUED', 'pool', 'pod-a', '2026-11-18 07:00:00', NULL, NULL, NULL, '2026-11-18 07:00:00'),
  ('3', 'Approve', 's', 'SERVICE_PENDING', 'pool', 'pod-a', '2026-11-18 07:00:00', NULL, NULL, NULL, '2026-11-18 06:30:00'),
  -- one that never began anything
  ('4', 'Sync', 's', 'SERVICE_PENDING', 'pool', 'pod-c', '2026-11-18 11:20:00', NULL, NULL, NULL, '2026-11-18 10:50:00'),
  -- the other is at work; both are in one pool
  ('5', 'Other', 's', 'SERVICE_FINISHED', 'pool', 'pod-b', '2026-11-18 11:59:30', '2026-11-18 11:59:40', '2026-11-18 11:59:50', NULL, '2026-11-18 11:59:50'),
  -- a pool whose threads are taken by what is in no table
  ('6', 'Import', 's', 'SERVICE_QUEUED', 'slow', 'pod-b', '2026-11-18 11:34:00', NULL, NULL, NULL, '2026-11-18 11:34:00'),
  -- scheduled with a start in the past, a moment ago: nobody has waited longer than the row exists
  ('7', 'Starts in the past', 's', 'SERVICE_PENDING', 'idle', NULL, '2026-11-18 10:00:00', NULL, NULL, NULL, '2026-11-18 11:59:40'),
  -- without a status, as in the seed data of OFBiz; the second has begun, the third was called off
  ('8', 'purgeOldJobs', 's', NULL, 'seed', NULL, '2000-01-01 00:00:00', NULL, NULL, NULL, '2026-11-18 11:30:00'),
  ('9', 'begun', 's', NULL, 'seed', NULL, '2026-11-18 11:00:00', '2026-11-18 11:10:00', NULL, NULL, '2026-11-18 11:10:00'),
  ('10', 'called off', 's', NULL, 'seed', NULL, '2026-11-18 11:00:00', NULL, NULL, '2026-11-18 11:10:00', '2026-11-18 11:10:00'),
  -- due for exactly 15 minutes, and a second longer; not due yet; called off while it was pending
  ('11', 'at the limit', 's', 'SERVICE_PENDING', 'limits', NULL, '2026-11-18 11:45:00', NULL, NULL, NULL, '2026-11-18 11:00:00'),
  ('12', 'beyond the limit', 's', 'SERVICE_PENDING', 'limits', NULL, '2026-11-18 11:44:59', NULL, NULL, NULL, '2026-11-18 11:00:00'),
  ('13', 'not yet', 's', 'SERVICE_PENDING', 'limits', NULL, '2026-11-18 12:00:01', NULL, NULL, NULL, '2026-11-18 11:00:00'),
  ('14', 'cancelled', 's', 'SERVICE_PENDING', 'limits', NULL, '2026-11-18 09:00:00', NULL, NULL, '2026-11-18 10:00:00', '2026-11-18 10:00:00'),
  -- single calls, named by the clock: their service is the job
  ('15', '1763480000000', 's', 'SERVICE_PENDING', 'calls', NULL, '2026-11-18 11:44:00', NULL, NULL, NULL, '2026-11-18 11:44:00'),
  ('16', '1763480000001', 's', 'SERVICE_PENDING', 'calls', NULL, '2026-11-18 11:43:00', NULL, NULL, NULL, '2026-11-18 11:43:00'),
  -- without a name: it keeps the whole poller from working
  ('17', NULL, 's', 'SERVICE_PENDING', 'nameless', NULL, '2026-11-18 11:40:00', NULL, NULL, NULL, '2026-11-18 11:40:00');
-- The newest OFBiz renews a lease on what is queued or running, and with it the stamp: that is a sign of life, and ends no wait.
INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, last_updated_tx_stamp, created_tx_stamp, lease_updated_stamp) VALUES
  ('20', 'Leased', 's', 'SERVICE_QUEUED', 'leased', 'pod-d', '2026-11-18 11:00:00', NULL, '2026-11-18 11:59:50', '2026-11-18 10:30:00', '2026-11-18 11:59:50'),
  ('21', 'Made later than it was due', 's', 'SERVICE_QUEUED', 'leased', 'pod-d', '2026-11-18 11:00:00', NULL, '2026-11-18 11:59:50', '2026-11-18 11:40:00', '2026-11-18 11:59:50'),
  ('22', 'At work for long', 's', 'SERVICE_RUNNING', 'leased', 'pod-e', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:59:55', '2026-11-18 10:30:00', '2026-11-18 11:59:55');

-- at 2026-11-18T17:00:00Z: what waits

-- A person gives the rows of the server that is gone back, as the runbook says: another takes them.
UPDATE job_sandbox SET status_id = 'SERVICE_PENDING', run_by_instance_id = NULL, last_updated_tx_stamp = '2026-11-18 12:00:10' WHERE run_by_instance_id = 'pod-a' AND job_id <> '1';
UPDATE job_sandbox SET status_id = 'SERVICE_RUNNING', run_by_instance_id = 'pod-b', start_date_time = '2026-11-18 12:00:20', last_updated_tx_stamp = '2026-11-18 12:00:20' WHERE job_id = '2';

-- at 2026-11-18T17:00:30Z: given back
