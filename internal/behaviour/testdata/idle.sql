-- Every collector with nothing to measure. It is 12:00 in New York.
-- collectors: client data_manager jobs orders reset_inventory system_messages

-- at 2026-11-18T17:00:00Z: nothing has happened yet
