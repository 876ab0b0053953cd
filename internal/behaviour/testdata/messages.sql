-- A clinic of system messages. The OMS writes New York's wall clock (UTC-5 in November); the first look is at 12:00 there.
-- collectors: system_messages

INSERT INTO system_message (system_message_id, system_message_type_id, status_id, is_outgoing, init_date, last_attempt_date, processed_date, fail_count, message_text, last_updated_stamp) VALUES
  -- ends do not count, however many and old
  ('100', 'FulfillmentFeed', 'SmsgSent', 'Y', '2026-11-01 10:00:00', '2026-11-01 10:00:01', '2026-11-01 10:00:01', 0, 'text', '2026-11-01 10:00:01'),
  ('101', 'FulfillmentFeed', 'SmsgConfirmed', 'Y', '2026-11-01 10:00:00', '2026-11-01 10:00:01', '2026-11-01 10:00:01', 0, 'text', '2026-11-01 10:00:01'),
  ('102', 'OrderWebhook', 'SmsgConsumed', 'N', '2026-11-01 10:00:00', '2026-11-01 10:00:01', '2026-11-01 10:00:01', 0, 'text', '2026-11-01 10:00:01'),
  ('103', 'OrderWebhook', 'SmsgRejected', 'N', '2026-11-01 10:00:00', NULL, NULL, NULL, 'text', '2026-11-01 10:00:01'),
  ('104', 'ForgottenFeed', 'SmsgCancelled', 'Y', '2026-11-01 10:00:00', NULL, NULL, 3, 'text', '2026-11-01 10:00:01'),
  -- waiting to be sent: for an hour, and never tried
  ('110', 'FulfillmentFeed', 'SmsgProduced', 'Y', '2026-11-18 11:00:00', NULL, NULL, NULL, 'text', '2026-11-18 11:00:00'),
  ('111', 'FulfillmentFeed', 'SmsgProduced', 'Y', '2026-11-18 11:30:00', NULL, NULL, 0, 'text', '2026-11-18 11:30:00'),
  -- tried in vain: failing since its creation, however lately it was tried
  ('112', 'FulfillmentFeed', 'SmsgProduced', 'Y', '2026-11-18 08:00:00', '2026-11-18 11:50:00', NULL, 4, 'text', '2026-11-18 11:50:00'),
  -- in work since its attempt, not since its creation, and whatever became of earlier attempts
  ('113', 'FulfillmentFeed', 'SmsgSending', 'Y', '2026-11-18 06:00:00', '2026-11-18 11:59:00', NULL, 2, 'text', '2026-11-18 11:59:00'),
  -- given up after 24 attempts: in error since the last stamp of an attempt
  ('114', 'FulfillmentFeed', 'SmsgError', 'Y', '2026-11-15 06:00:00', '2026-11-16 07:00:00', NULL, 24, 'text', '2026-11-17 07:00:00'),
  ('115', 'FulfillmentFeed', 'SmsgError', 'Y', '2026-11-17 06:00:00', NULL, NULL, NULL, 'text', '2026-11-17 07:00:00'),
  -- put back by a person after an error: waiting since then, at most
  ('116', 'InventoryFeed', 'SmsgProduced', 'Y', '2026-11-10 06:00:00', '2026-11-18 09:00:00', NULL, 0, 'text', '2026-11-18 11:59:00'),
  ('117', 'InventoryFeed', 'SmsgTriggered', 'Y', '2026-11-18 11:00:00', NULL, NULL, NULL, NULL, '2026-11-18 11:00:00'),
  -- incoming
  ('120', 'OrderWebhook', 'SmsgReceived', 'N', '2026-11-18 11:45:00', NULL, NULL, 0, 'text', '2026-11-18 11:45:00'),
  ('121', 'OrderWebhook', 'SmsgReceived', 'N', '2026-11-18 11:40:00', '2026-11-18 11:55:00', NULL, 2, 'text', '2026-11-18 11:55:00'),
  ('122', 'OrderWebhook', 'SmsgConsuming', 'N', '2026-11-18 11:40:00', '2026-11-18 11:50:00', NULL, 0, 'text', '2026-11-18 11:50:00'),
  -- without type, direction and dates; in states that nobody knows, and in none
  ('130', NULL, 'SmsgReceived', NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-18 10:00:00'),
  ('131', 'OrderWebhook', 'SmsgNewInTown', 'N', '2026-11-18 10:00:00', NULL, NULL, 5, 'text', '2026-11-18 10:00:00'),
  ('132', 'OrderWebhook', 'SmsgOther', 'N', '2026-11-18 09:00:00', NULL, NULL, NULL, 'text', '2026-11-18 09:00:00'),
  ('133', 'OrderWebhook', NULL, 'N', '2026-11-18 11:00:00', NULL, NULL, NULL, 'text', '2026-11-18 11:00:00');

-- at 2026-11-18T17:00:00Z: the clinic as it stands

UPDATE system_message SET status_id = 'SmsgSent', last_attempt_date = '2026-11-18 12:00:10' WHERE is_outgoing = 'Y';
UPDATE system_message SET status_id = 'SmsgConsumed', last_attempt_date = '2026-11-18 12:00:10' WHERE is_outgoing = 'N' OR is_outgoing IS NULL;

-- at 2026-11-18T17:00:30Z: all have come to an end
