-- Lets oms_exporter read what its statements name in MySQL or MariaDB, column by column, and nothing else. Each client gets an
-- account of its own: its limits, its password and a lock then concern no other client. Put a password in quotes in the two
-- places of <password>, and execute this in the client's database, here krewe, with a name for the account:
--
--   sed 's/\bexporter\b/exporter_krewe/' mysql.sql | mysql --force krewe
--
-- --force goes on where this OMS version lacks a table or column: so does the exporter, and oms_schema_missing reports what it
-- does without. Execute it again after an upgrade of the OMS, or to set another password or limit. Where the server tells cases
-- apart and the tables are in upper case:
--
--   sed --regexp-extended 's/\bexporter\b/exporter_krewe/; s/ ON (\w+) TO / ON \U\1 TO /' mysql.sql | mysql --force krewe
--
-- Nothing else is needed: every account may set limits for its own statements, kill them, and see in information_schema what
-- it may read.

CREATE USER IF NOT EXISTS exporter IDENTIFIED BY <password>;
-- The limit is for two exporters with database.max_connections 6 (the default): each may use as many connections again to
-- cancel its statements. Where the exporter comes by TLS (database.tls), put
-- REQUIRE SSL before WITH, or REQUIRE X509 where it has a client certificate.
ALTER USER exporter IDENTIFIED BY <password> WITH MAX_USER_CONNECTIONS 24;

-- The columns that every vintage has, in one statement per table, and those that some lack one by one.
GRANT SELECT (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, order_date, entry_date) ON order_header TO exporter;
GRANT SELECT (created_tx_stamp) ON order_header TO exporter;
GRANT SELECT (external_id) ON order_header TO exporter;
GRANT SELECT (order_name) ON order_header TO exporter;
GRANT SELECT (order_id, order_item_seq_id, status_id) ON order_item TO exporter;
GRANT SELECT (ship_group_seq_id) ON order_item TO exporter;
GRANT SELECT (order_id, ship_group_seq_id, facility_id) ON order_item_ship_group TO exporter;
GRANT SELECT (order_id, order_item_seq_id, ship_group_seq_id) ON order_item_ship_group_assoc TO exporter;
GRANT SELECT (order_id, order_item_seq_id, facility_id, change_datetime) ON order_facility_change TO exporter;
GRANT SELECT (from_facility_id) ON order_facility_change TO exporter;
GRANT SELECT (created_tx_stamp) ON order_facility_change TO exporter;
GRANT SELECT (order_facility_change_id) ON order_facility_change TO exporter;
GRANT SELECT (order_id, order_item_seq_id, status_id, status_datetime) ON order_status TO exporter;
GRANT SELECT (created_tx_stamp) ON order_status TO exporter;
GRANT SELECT (order_status_id) ON order_status TO exporter;
GRANT SELECT (order_id, attr_name) ON order_attribute TO exporter;
GRANT SELECT (order_identification_type_id, order_id, id_value, thru_date) ON order_identification TO exporter;
GRANT SELECT (fulfillment_log_id, order_id, external_fulfillment_id, created_date) ON order_fulfillment_history TO exporter;
GRANT SELECT (created_tx_stamp) ON order_fulfillment_history TO exporter;
GRANT SELECT (facility_id, facility_type_id) ON facility TO exporter;
GRANT SELECT (facility_type_id, parent_type_id) ON facility_type TO exporter;
GRANT SELECT (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp) ON job_sandbox TO exporter;
GRANT SELECT (system_job_enum_id) ON job_sandbox TO exporter;
GRANT SELECT (product_store_id) ON job_sandbox TO exporter;
GRANT SELECT (shop_id) ON job_sandbox TO exporter;
GRANT SELECT (temp_expr_id) ON job_sandbox TO exporter;
GRANT SELECT (recurrence_info_id) ON job_sandbox TO exporter;
GRANT SELECT (current_retry_count) ON job_sandbox TO exporter;
GRANT SELECT (created_tx_stamp) ON job_sandbox TO exporter;
GRANT SELECT (lease_updated_stamp) ON job_sandbox TO exporter;
GRANT SELECT (recurrence_time_zone) ON job_sandbox TO exporter;
GRANT SELECT (instance_id, from_date, thru_date) ON job_manager_lock TO exporter;
GRANT SELECT (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, last_updated_stamp) ON data_manager_log TO exporter;
GRANT SELECT (last_updated_tx_stamp) ON data_manager_log TO exporter;
GRANT SELECT (parent_log_id) ON data_manager_log TO exporter;
GRANT SELECT (cancel_date_time) ON data_manager_log TO exporter;
GRANT SELECT (total_record_count) ON data_manager_log TO exporter;
GRANT SELECT (failed_record_count) ON data_manager_log TO exporter;
GRANT SELECT (job_id) ON data_manager_log TO exporter;
GRANT SELECT (run_by_instance_id) ON data_manager_log TO exporter;
GRANT SELECT (error_record_content_id) ON data_manager_log TO exporter;
GRANT SELECT (config_id) ON data_manager_config TO exporter;
GRANT SELECT (execution_mode_id) ON data_manager_config TO exporter;
GRANT SELECT (description) ON data_manager_config TO exporter;
GRANT SELECT (import_service_name) ON data_manager_config TO exporter;
GRANT SELECT (import_path) ON data_manager_config TO exporter;
GRANT SELECT (file_name_pattern) ON data_manager_config TO exporter;
GRANT SELECT (job_name, cron_expression, paused) ON service_job TO exporter;
GRANT SELECT (from_date) ON service_job TO exporter;
GRANT SELECT (thru_date) ON service_job TO exporter;
GRANT SELECT (repeat_count) ON service_job TO exporter;
GRANT SELECT (expire_lock_time) ON service_job TO exporter;
GRANT SELECT (min_retry_time) ON service_job TO exporter;
GRANT SELECT (last_updated_stamp) ON service_job TO exporter;
GRANT SELECT (job_run_id, job_name, has_error, start_time, end_time) ON service_job_run TO exporter;
GRANT SELECT (host_name) ON service_job_run TO exporter;
GRANT SELECT (parameters) ON service_job_run TO exporter;
GRANT SELECT (last_updated_stamp) ON service_job_run TO exporter;
GRANT SELECT (job_name, job_run_id, last_run_time) ON service_job_run_lock TO exporter;
GRANT SELECT (last_updated_stamp) ON service_job_run_lock TO exporter;
GRANT SELECT (system_message_type_id, status_id, is_outgoing, init_date, last_attempt_date, fail_count, last_updated_stamp) ON system_message TO exporter;
GRANT SELECT (system_message_remote_id, shopify_order_id, shop_id, order_created_at, last_updated_stamp) ON shopify_oms_order_recon TO exporter;
GRANT SELECT (default_time_zone_string) ON product_store TO exporter;
