-- A clinic of jobs with a rhythm, and of how they end. The OMS writes New York's wall clock (UTC-5 in November); the first look is
-- at 12:00 there.
-- collectors: jobs

INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp) VALUES
  -- lost: the server died between the start and the next row (OFBIZ-13370), 40 hours ago
  ('101', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 16:00:00', '2026-11-16 16:00:00', '2026-11-16 16:01:00', NULL, '2026-11-16 16:01:00'),
  ('102', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 16:30:00', '2026-11-16 16:30:00', '2026-11-16 16:31:00', NULL, '2026-11-16 16:31:00'),
  ('103', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 17:00:00', '2026-11-16 17:00:00', '2026-11-16 17:01:00', NULL, '2026-11-16 17:01:00'),
  ('104', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 17:30:00', '2026-11-16 17:30:00', '2026-11-16 17:31:00', NULL, '2026-11-16 17:31:00'),
  ('105', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 18:00:00', '2026-11-16 18:00:00', '2026-11-16 18:01:00', NULL, '2026-11-16 18:01:00'),
  ('106', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 18:30:00', '2026-11-16 18:30:00', '2026-11-16 18:31:00', NULL, '2026-11-16 18:31:00'),
  ('107', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 19:00:00', '2026-11-16 19:00:00', '2026-11-16 19:01:00', NULL, '2026-11-16 19:01:00'),
  ('108', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 19:30:00', '2026-11-16 19:30:00', '2026-11-16 19:31:00', NULL, '2026-11-16 19:31:00'),
  ('109', 'lost', 's', 'SERVICE_CRASHED', 'pool', 'oms1', '2026-11-16 20:00:00', '2026-11-16 20:00:00', NULL, '2026-11-16 20:04:00', '2026-11-16 20:04:00'),
  ('110', 'lost', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 20:05:00', '2026-11-16 20:05:00', '2026-11-16 20:06:00', NULL, '2026-11-16 20:06:00'),
  -- called off by a person, by the newest row
  ('111', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 16:00:00', '2026-11-16 16:00:00', '2026-11-16 16:01:00', NULL, '2026-11-16 16:01:00'),
  ('112', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 16:30:00', '2026-11-16 16:30:00', '2026-11-16 16:31:00', NULL, '2026-11-16 16:31:00'),
  ('113', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 17:00:00', '2026-11-16 17:00:00', '2026-11-16 17:01:00', NULL, '2026-11-16 17:01:00'),
  ('114', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 17:30:00', '2026-11-16 17:30:00', '2026-11-16 17:31:00', NULL, '2026-11-16 17:31:00'),
  ('115', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 18:00:00', '2026-11-16 18:00:00', '2026-11-16 18:01:00', NULL, '2026-11-16 18:01:00'),
  ('116', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 18:30:00', '2026-11-16 18:30:00', '2026-11-16 18:31:00', NULL, '2026-11-16 18:31:00'),
  ('117', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 19:00:00', '2026-11-16 19:00:00', '2026-11-16 19:01:00', NULL, '2026-11-16 19:01:00'),
  ('118', 'called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 19:30:00', '2026-11-16 19:30:00', '2026-11-16 19:31:00', NULL, '2026-11-16 19:31:00'),
  ('119', 'called off', 's', 'SERVICE_CANCELLED', 'pool', NULL, '2026-11-16 20:00:00', NULL, NULL, '2026-11-16 19:50:00', '2026-11-16 19:50:00'),
  -- one of two rows was called off, and the other went on and was lost
  ('120', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 16:00:00', '2026-11-16 16:00:00', '2026-11-16 16:01:00', NULL, '2026-11-16 16:01:00'),
  ('121', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 16:30:00', '2026-11-16 16:30:00', '2026-11-16 16:31:00', NULL, '2026-11-16 16:31:00'),
  ('122', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 17:00:00', '2026-11-16 17:00:00', '2026-11-16 17:01:00', NULL, '2026-11-16 17:01:00'),
  ('123', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 17:30:00', '2026-11-16 17:30:00', '2026-11-16 17:31:00', NULL, '2026-11-16 17:31:00'),
  ('124', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 18:00:00', '2026-11-16 18:00:00', '2026-11-16 18:01:00', NULL, '2026-11-16 18:01:00'),
  ('125', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 18:30:00', '2026-11-16 18:30:00', '2026-11-16 18:31:00', NULL, '2026-11-16 18:31:00'),
  ('126', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 19:00:00', '2026-11-16 19:00:00', '2026-11-16 19:01:00', NULL, '2026-11-16 19:01:00'),
  ('127', 'went on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 19:30:00', '2026-11-16 19:30:00', '2026-11-16 19:31:00', NULL, '2026-11-16 19:31:00'),
  ('128', 'went on', 's', 'SERVICE_CANCELLED', 'pool', NULL, '2026-11-16 19:30:00', NULL, NULL, '2026-11-16 18:20:00', '2026-11-16 18:20:00'),
  -- goes on: the next row is there
  ('129', 'goes on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00'),
  ('130', 'goes on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:45:00', '2026-11-18 10:45:00', '2026-11-18 10:46:00', NULL, '2026-11-18 10:46:00'),
  ('131', 'goes on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00'),
  ('132', 'goes on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:15:00', '2026-11-18 11:15:00', '2026-11-18 11:16:00', NULL, '2026-11-18 11:16:00'),
  ('133', 'goes on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:30:00', '2026-11-18 11:30:00', '2026-11-18 11:31:00', NULL, '2026-11-18 11:31:00'),
  ('134', 'goes on', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:45:00', '2026-11-18 11:45:00', '2026-11-18 11:46:00', NULL, '2026-11-18 11:46:00'),
  ('135', 'goes on', 's', 'SERVICE_PENDING', 'pool', NULL, '2026-11-18 12:00:00', NULL, NULL, NULL, '2026-11-18 11:50:00'),
  -- four starts are no rhythm; started by hand at odd times; single calls; further tries of one
  ('136', 'four', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 08:00:00', '2026-11-18 08:00:00', '2026-11-18 08:01:00', NULL, '2026-11-18 08:01:00'),
  ('137', 'four', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 09:00:00', '2026-11-18 09:00:00', '2026-11-18 09:01:00', NULL, '2026-11-18 09:01:00'),
  ('138', 'four', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:00:00', '2026-11-18 10:00:00', '2026-11-18 10:01:00', NULL, '2026-11-18 10:01:00'),
  ('139', 'four', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00'),
  ('140', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 02:00:00', '2026-11-18 02:00:00', '2026-11-18 02:01:00', NULL, '2026-11-18 02:01:00'),
  ('141', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 02:10:00', '2026-11-18 02:10:00', '2026-11-18 02:11:00', NULL, '2026-11-18 02:11:00'),
  ('142', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 02:30:00', '2026-11-18 02:30:00', '2026-11-18 02:31:00', NULL, '2026-11-18 02:31:00'),
  ('143', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 03:10:00', '2026-11-18 03:10:00', '2026-11-18 03:11:00', NULL, '2026-11-18 03:11:00'),
  ('144', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 04:30:00', '2026-11-18 04:30:00', '2026-11-18 04:31:00', NULL, '2026-11-18 04:31:00'),
  ('145', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 07:00:00', '2026-11-18 07:00:00', '2026-11-18 07:01:00', NULL, '2026-11-18 07:01:00'),
  ('146', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 07:10:00', '2026-11-18 07:10:00', '2026-11-18 07:11:00', NULL, '2026-11-18 07:11:00'),
  ('147', 'by hand', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:20:00', '2026-11-18 10:20:00', '2026-11-18 10:21:00', NULL, '2026-11-18 10:21:00'),
  ('148', '1763480000006', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 06:00:00', '2026-11-18 06:00:00', '2026-11-18 06:01:00', NULL, '2026-11-18 06:01:00'),
  ('149', '1763480000005', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 07:00:00', '2026-11-18 07:00:00', '2026-11-18 07:01:00', NULL, '2026-11-18 07:01:00'),
  ('150', '1763480000004', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 08:00:00', '2026-11-18 08:00:00', '2026-11-18 08:01:00', NULL, '2026-11-18 08:01:00'),
  ('151', '1763480000003', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 09:00:00', '2026-11-18 09:00:00', '2026-11-18 09:01:00', NULL, '2026-11-18 09:01:00'),
  ('152', '1763480000002', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:00:00', '2026-11-18 10:00:00', '2026-11-18 10:01:00', NULL, '2026-11-18 10:01:00'),
  ('153', '1763480000001', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00'),
  -- fails two times of three, and goes on
  ('154', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-17 21:00:00', '2026-11-17 21:00:00', '2026-11-17 21:01:00', NULL, '2026-11-17 21:01:00'),
  ('155', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-17 21:30:00', '2026-11-17 21:30:00', '2026-11-17 21:31:00', NULL, '2026-11-17 21:31:00'),
  ('156', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-17 22:00:00', '2026-11-17 22:00:00', '2026-11-17 22:01:00', NULL, '2026-11-17 22:01:00'),
  ('157', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-17 22:30:00', '2026-11-17 22:30:00', '2026-11-17 22:31:00', NULL, '2026-11-17 22:31:00'),
  ('158', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-17 23:00:00', '2026-11-17 23:00:00', '2026-11-17 23:01:00', NULL, '2026-11-17 23:01:00'),
  ('159', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-17 23:30:00', '2026-11-17 23:30:00', '2026-11-17 23:31:00', NULL, '2026-11-17 23:31:00'),
  ('160', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 00:00:00', '2026-11-18 00:00:00', '2026-11-18 00:01:00', NULL, '2026-11-18 00:01:00'),
  ('161', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 00:30:00', '2026-11-18 00:30:00', '2026-11-18 00:31:00', NULL, '2026-11-18 00:31:00'),
  ('162', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 01:00:00', '2026-11-18 01:00:00', '2026-11-18 01:01:00', NULL, '2026-11-18 01:01:00'),
  ('163', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 01:30:00', '2026-11-18 01:30:00', '2026-11-18 01:31:00', NULL, '2026-11-18 01:31:00'),
  ('164', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 02:00:00', '2026-11-18 02:00:00', '2026-11-18 02:01:00', NULL, '2026-11-18 02:01:00'),
  ('165', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 02:30:00', '2026-11-18 02:30:00', '2026-11-18 02:31:00', NULL, '2026-11-18 02:31:00'),
  ('166', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 03:00:00', '2026-11-18 03:00:00', '2026-11-18 03:01:00', NULL, '2026-11-18 03:01:00'),
  ('167', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 03:30:00', '2026-11-18 03:30:00', '2026-11-18 03:31:00', NULL, '2026-11-18 03:31:00'),
  ('168', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 04:00:00', '2026-11-18 04:00:00', '2026-11-18 04:01:00', NULL, '2026-11-18 04:01:00'),
  ('169', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 04:30:00', '2026-11-18 04:30:00', '2026-11-18 04:31:00', NULL, '2026-11-18 04:31:00'),
  ('170', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 05:00:00', '2026-11-18 05:00:00', '2026-11-18 05:01:00', NULL, '2026-11-18 05:01:00'),
  ('171', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 05:30:00', '2026-11-18 05:30:00', '2026-11-18 05:31:00', NULL, '2026-11-18 05:31:00'),
  ('172', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 06:00:00', '2026-11-18 06:00:00', '2026-11-18 06:01:00', NULL, '2026-11-18 06:01:00'),
  ('173', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 06:30:00', '2026-11-18 06:30:00', '2026-11-18 06:31:00', NULL, '2026-11-18 06:31:00'),
  ('174', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 07:00:00', '2026-11-18 07:00:00', '2026-11-18 07:01:00', NULL, '2026-11-18 07:01:00'),
  ('175', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 07:30:00', '2026-11-18 07:30:00', '2026-11-18 07:31:00', NULL, '2026-11-18 07:31:00'),
  ('176', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 08:00:00', '2026-11-18 08:00:00', '2026-11-18 08:01:00', NULL, '2026-11-18 08:01:00'),
  ('177', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 08:30:00', '2026-11-18 08:30:00', '2026-11-18 08:31:00', NULL, '2026-11-18 08:31:00'),
  ('178', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 09:00:00', '2026-11-18 09:00:00', '2026-11-18 09:01:00', NULL, '2026-11-18 09:01:00'),
  ('179', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 09:30:00', '2026-11-18 09:30:00', '2026-11-18 09:31:00', NULL, '2026-11-18 09:31:00'),
  ('180', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 10:00:00', '2026-11-18 10:00:00', '2026-11-18 10:01:00', NULL, '2026-11-18 10:01:00'),
  ('181', 'flaky', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00'),
  ('182', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00'),
  ('183', 'flaky', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:30:00', '2026-11-18 11:30:00', '2026-11-18 11:31:00', NULL, '2026-11-18 11:31:00'),
  ('184', 'flaky', 's', 'SERVICE_PENDING', 'pool', NULL, '2026-11-18 12:00:00', NULL, NULL, NULL, '2026-11-18 11:50:00'),
  -- hung, and set by a person from RUNNING to an end
  ('185', 'set by hand', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', NULL, NULL, '2026-11-18 11:59:00'),
  ('186', 'set by hand', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 10:45:00', '2026-11-18 10:45:00', NULL, NULL, '2026-11-18 11:59:00'),
  ('187', 'set by hand', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', NULL, NULL, '2026-11-18 11:59:00'),
  ('188', 'set to finished', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 09:00:00', '2026-11-18 09:00:00', '2026-11-18 09:01:00', NULL, '2026-11-18 09:01:00'),
  ('189', 'set to finished', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:00:00', '2026-11-18 10:00:00', NULL, NULL, '2026-11-18 11:59:00'),
  -- a streak, then called off; a streak of tries that are used up
  ('190', 'ended', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 10:58:00', '2026-11-18 10:58:00', '2026-11-18 10:59:00', NULL, '2026-11-18 10:59:00'),
  ('191', 'ended', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:08:00', '2026-11-18 11:08:00', '2026-11-18 11:09:00', NULL, '2026-11-18 11:09:00'),
  ('192', 'ended', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:18:00', '2026-11-18 11:18:00', '2026-11-18 11:19:00', NULL, '2026-11-18 11:19:00'),
  ('193', 'ended', 's', 'SERVICE_CANCELLED', 'pool', NULL, NULL, NULL, NULL, '2026-11-18 11:30:00', '2026-11-18 11:30:00');

INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp, current_retry_count) VALUES
  ('900', 'used up', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', '0'),
  ('901', 'used up', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:03:00', '2026-11-18 11:03:00', '2026-11-18 11:04:00', NULL, '2026-11-18 11:04:00', '1'),
  ('902', 'used up', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:06:00', '2026-11-18 11:06:00', '2026-11-18 11:07:00', NULL, '2026-11-18 11:07:00', '2'),
  ('903', 'used up', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:09:00', '2026-11-18 11:09:00', '2026-11-18 11:10:00', NULL, '2026-11-18 11:10:00', '3'),
  ('904', 'used up', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 11:12:00', '2026-11-18 11:12:00', '2026-11-18 11:13:00', NULL, '2026-11-18 11:13:00', '4');

-- A daily job at two times, which says itself that it recurs: its gaps are no steady rhythm.

INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp, temp_expr_id) VALUES
  ('951', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-14 09:00:00', '2026-11-14 09:00:00', '2026-11-14 09:01:00', NULL, '2026-11-14 09:01:00', 'RULE'),
  ('952', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-14 10:00:00', '2026-11-14 10:00:00', '2026-11-14 10:01:00', NULL, '2026-11-14 10:01:00', 'RULE'),
  ('953', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-15 09:00:00', '2026-11-15 09:00:00', '2026-11-15 09:01:00', NULL, '2026-11-15 09:01:00', 'RULE'),
  ('954', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-15 10:00:00', '2026-11-15 10:00:00', '2026-11-15 10:01:00', NULL, '2026-11-15 10:01:00', 'RULE'),
  ('955', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 09:00:00', '2026-11-16 09:00:00', '2026-11-16 09:01:00', NULL, '2026-11-16 09:01:00', 'RULE'),
  ('956', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 10:00:00', '2026-11-16 10:00:00', '2026-11-16 10:01:00', NULL, '2026-11-16 10:01:00', 'RULE'),
  ('957', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-17 09:00:00', '2026-11-17 09:00:00', '2026-11-17 09:01:00', NULL, '2026-11-17 09:01:00', 'RULE'),
  ('958', 'twice a day', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-17 10:00:00', '2026-11-17 10:00:00', '2026-11-17 10:01:00', NULL, '2026-11-17 10:01:00', 'RULE');

-- Jobs that recur: a nightly one of which two starts are left; one of which one is; one whose next row was cancelled while it ran; one that
-- was run by hand after that; some that were cancelled with SQL, with their date and without; and one without a name of its own.

INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp, temp_expr_id) VALUES
  ('1001', 'nightly', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-16 02:00:00', '2026-11-16 02:00:00', '2026-11-16 02:01:00', NULL, '2026-11-16 02:01:00', 'RULE'),
  ('1002', 'nightly', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-17 02:00:00', '2026-11-17 02:00:00', '2026-11-17 02:01:00', NULL, '2026-11-17 02:01:00', 'RULE'),
  ('1003', 'one left', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-17 02:00:00', '2026-11-17 02:00:00', '2026-11-17 02:01:00', NULL, '2026-11-17 02:01:00', 'RULE'),
  ('1004', 'called off in a run', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:40:00', NULL, '2026-11-18 10:40:00', 'RULE'),
  ('1005', 'called off in a run', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:10:00', NULL, '2026-11-18 11:10:00', 'RULE'),
  ('1006', 'called off in a run', 's', 'SERVICE_CANCELLED', 'pool', NULL, '2026-11-18 11:30:00', NULL, NULL, '2026-11-18 11:05:00', '2026-11-18 11:05:00', 'RULE'),
  ('1007', 'by hand after that', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:00:00', '2026-11-18 10:00:00', '2026-11-18 10:01:00', NULL, '2026-11-18 10:01:00', 'RULE'),
  ('1008', 'by hand after that', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00', 'RULE'),
  ('1009', 'by hand after that', 's', 'SERVICE_CANCELLED', 'pool', NULL, '2026-11-18 11:00:00', NULL, NULL, '2026-11-18 10:40:00', '2026-11-18 10:40:00', 'RULE'),
  ('1010', 'by hand after that', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:20:00', '2026-11-18 11:20:00', '2026-11-18 11:21:00', NULL, '2026-11-18 11:21:00', NULL),
  ('1011', 'off with SQL', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00', 'RULE'),
  ('1012', 'off with SQL', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', 'RULE'),
  ('1013', 'off with SQL', 's', 'SERVICE_CANCELLED', 'pool', NULL, '2026-11-18 11:30:00', NULL, NULL, NULL, '2026-11-18 10:59:59', 'RULE'),
  ('1014', 'off with SQL and date', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00', 'RULE'),
  ('1015', 'off with SQL and date', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', 'RULE'),
  ('1016', 'off with SQL and date', 's', 'SERVICE_CANCELLED', 'pool', NULL, '2026-11-18 11:30:00', NULL, NULL, '2026-11-18 11:20:00', '2026-11-18 10:30:00', 'RULE'),
  ('1017', 'soon off with SQL', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', 'RULE'),
  ('1018', 'soon off with SQL', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:30:00', '2026-11-18 11:30:00', '2026-11-18 11:31:00', NULL, '2026-11-18 11:31:00', 'RULE'),
  ('1019', 'soon off with SQL', 's', 'SERVICE_PENDING', 'pool', NULL, '2026-11-18 12:30:00', NULL, NULL, NULL, '2026-11-18 11:30:00', 'RULE'),
  ('1020', '1763480000021', 'nameless', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00', 'RULE'),
  ('1021', '1763480000021', 'nameless', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', 'RULE');

-- Lost schedules of which a row is left that OFBiz never starts: pending without a time, queued although it began or was cancelled.

INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp, temp_expr_id) VALUES
  ('1022', 'without a time', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00', 'RULE'),
  ('1023', 'without a time', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', 'RULE'),
  ('1024', 'without a time', 's', 'SERVICE_PENDING', 'pool', NULL, NULL, NULL, NULL, NULL, '2026-11-18 11:00:00', 'RULE'),
  ('1025', 'queued and begun', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00', 'RULE'),
  ('1026', 'queued and begun', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', 'RULE'),
  ('1027', 'queued and begun', 's', 'SERVICE_QUEUED', 'pool', 'oms1', '2026-11-18 11:30:00', '2026-11-18 11:30:00', NULL, NULL, '2026-11-18 11:30:00', 'RULE'),
  ('1028', 'queued and called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 10:30:00', '2026-11-18 10:30:00', '2026-11-18 10:31:00', NULL, '2026-11-18 10:31:00', 'RULE'),
  ('1029', 'queued and called off', 's', 'SERVICE_FINISHED', 'pool', 'oms1', '2026-11-18 11:00:00', '2026-11-18 11:00:00', '2026-11-18 11:01:00', NULL, '2026-11-18 11:01:00', 'RULE'),
  ('1030', 'queued and called off', 's', 'SERVICE_QUEUED', 'pool', 'oms1', '2026-11-18 11:30:00', NULL, NULL, '2026-11-18 11:30:00', '2026-11-18 11:30:00', 'RULE');

-- at 2026-11-18T17:00:00Z: rhythms and ends

-- The lost one is scheduled anew; the flaky one is called off; what was set by hand runs again.
INSERT INTO job_sandbox (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp) VALUES
  ('990', 'lost', 's', 'SERVICE_PENDING', 'pool', NULL, '2026-11-18 12:01:00', NULL, NULL, NULL, '2026-11-18 12:00:05'),
  ('991', 'set by hand', 's', 'SERVICE_RUNNING', 'pool', 'oms1', '2026-11-18 12:00:00', '2026-11-18 12:00:10', NULL, NULL, '2026-11-18 12:00:10'),
  ('992', 'set to finished', 's', 'SERVICE_FAILED', 'pool', 'oms1', '2026-11-18 12:00:00', '2026-11-18 12:00:00', '2026-11-18 12:00:10', NULL, '2026-11-18 12:00:10');
UPDATE job_sandbox SET status_id = 'SERVICE_CANCELLED', cancel_date_time = '2026-11-18 12:00:10', last_updated_tx_stamp = '2026-11-18 12:00:10' WHERE job_name = 'flaky' AND status_id = 'SERVICE_PENDING';
UPDATE job_sandbox SET status_id = 'SERVICE_CANCELLED' WHERE job_id = '1019'; -- with SQL, which leaves the timestamp alone

-- at 2026-11-18T17:00:30Z: mended
