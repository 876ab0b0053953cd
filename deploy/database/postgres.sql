-- Lets oms_exporter read what its statements name in PostgreSQL, column by column, and nothing else. Each client gets a user of
-- its own: its limits and its password then concern no other client. Put a password in quotes in the place of <password>, and
-- execute this in the client's database, here krewe, with a name for the user:
--
--   sed 's/\bexporter\b/exporter_krewe/' postgres.sql | psql --dbname=krewe
--
-- psql goes on where this OMS version lacks a table or column: so does the exporter, and oms_schema_missing reports what it does
-- without. Execute it again after an upgrade of the OMS, or to set another password or limit: that the user already exists is then
-- no error. Where the tables are in another schema than public, put its name everywhere, and have the user look there:
-- ALTER USER exporter_krewe IN DATABASE krewe SET search_path = NAME.
--
-- Nothing else is needed: every user may set limits for its own statements, cancel them, and see in pg_catalog what it may
-- read. Where PUBLIC may not connect, also GRANT CONNECT ON DATABASE krewe TO exporter_krewe. Up to PostgreSQL 14 everybody may
-- create tables in public, unless you REVOKE CREATE ON SCHEMA public FROM PUBLIC.

CREATE USER exporter;
-- The limit is for two exporters with database.max_connections 6 (the default), and for connections that are just being closed.
-- By PgBouncer its default_pool_size counts instead.
ALTER USER exporter CONNECTION LIMIT 24 PASSWORD <password>;
-- The exporter asks for reading only, and gives each statement a limit, mostly a shorter one. This holds for whoever else
-- comes by its name, and where the exporter's machine vanishes in the middle.
ALTER USER exporter SET default_transaction_read_only = on;
ALTER USER exporter SET statement_timeout = '1min';
ALTER USER exporter SET idle_in_transaction_session_timeout = '1min';

GRANT USAGE ON SCHEMA public TO exporter;
-- The columns that every vintage has, in one statement per table, and those that some lack one by one.
GRANT SELECT (order_id, order_type_id, status_id, product_store_id, sales_channel_enum_id, order_date, entry_date) ON public.order_header TO exporter;
GRANT SELECT (created_tx_stamp) ON public.order_header TO exporter;
GRANT SELECT (external_id) ON public.order_header TO exporter;
GRANT SELECT (order_name) ON public.order_header TO exporter;
GRANT SELECT (order_id, order_item_seq_id, status_id) ON public.order_item TO exporter;
GRANT SELECT (ship_group_seq_id) ON public.order_item TO exporter;
GRANT SELECT (order_id, ship_group_seq_id, facility_id) ON public.order_item_ship_group TO exporter;
GRANT SELECT (order_id, order_item_seq_id, ship_group_seq_id) ON public.order_item_ship_group_assoc TO exporter;
GRANT SELECT (order_id, order_item_seq_id, facility_id, change_datetime) ON public.order_facility_change TO exporter;
GRANT SELECT (from_facility_id) ON public.order_facility_change TO exporter;
GRANT SELECT (created_tx_stamp) ON public.order_facility_change TO exporter;
GRANT SELECT (order_facility_change_id) ON public.order_facility_change TO exporter;
GRANT SELECT (order_id, order_item_seq_id, status_id, status_datetime) ON public.order_status TO exporter;
GRANT SELECT (created_tx_stamp) ON public.order_status TO exporter;
GRANT SELECT (order_status_id) ON public.order_status TO exporter;
GRANT SELECT (order_id, attr_name) ON public.order_attribute TO exporter;
GRANT SELECT (order_identification_type_id, order_id, id_value, thru_date) ON public.order_identification TO exporter;
GRANT SELECT (fulfillment_log_id, order_id, external_fulfillment_id, created_date) ON public.order_fulfillment_history TO exporter;
GRANT SELECT (created_tx_stamp) ON public.order_fulfillment_history TO exporter;
GRANT SELECT (facility_id, facility_type_id) ON public.facility TO exporter;
GRANT SELECT (facility_type_id, parent_type_id) ON public.facility_type TO exporter;
GRANT SELECT (job_id, job_name, service_name, status_id, pool_id, run_by_instance_id, run_time, start_date_time, finish_date_time, cancel_date_time, last_updated_tx_stamp) ON public.job_sandbox TO exporter;
GRANT SELECT (system_job_enum_id) ON public.job_sandbox TO exporter;
GRANT SELECT (product_store_id) ON public.job_sandbox TO exporter;
GRANT SELECT (shop_id) ON public.job_sandbox TO exporter;
GRANT SELECT (temp_expr_id) ON public.job_sandbox TO exporter;
GRANT SELECT (recurrence_info_id) ON public.job_sandbox TO exporter;
GRANT SELECT (current_retry_count) ON public.job_sandbox TO exporter;
GRANT SELECT (created_tx_stamp) ON public.job_sandbox TO exporter;
GRANT SELECT (lease_updated_stamp) ON public.job_sandbox TO exporter;
GRANT SELECT (recurrence_time_zone) ON public.job_sandbox TO exporter;
GRANT SELECT (instance_id, from_date, thru_date) ON public.job_manager_lock TO exporter;
GRANT SELECT (log_id, config_id, status_id, created_date, start_date_time, finish_date_time, last_updated_stamp) ON public.data_manager_log TO exporter;
GRANT SELECT (last_updated_tx_stamp) ON public.data_manager_log TO exporter;
GRANT SELECT (parent_log_id) ON public.data_manager_log TO exporter;
GRANT SELECT (cancel_date_time) ON public.data_manager_log TO exporter;
GRANT SELECT (total_record_count) ON public.data_manager_log TO exporter;
GRANT SELECT (failed_record_count) ON public.data_manager_log TO exporter;
GRANT SELECT (job_id) ON public.data_manager_log TO exporter;
GRANT SELECT (run_by_instance_id) ON public.data_manager_log TO exporter;
GRANT SELECT (error_record_content_id) ON public.data_manager_log TO exporter;
GRANT SELECT (config_id) ON public.data_manager_config TO exporter;
GRANT SELECT (execution_mode_id) ON public.data_manager_config TO exporter;
GRANT SELECT (description) ON public.data_manager_config TO exporter;
GRANT SELECT (import_service_name) ON public.data_manager_config TO exporter;
GRANT SELECT (import_path) ON public.data_manager_config TO exporter;
GRANT SELECT (file_name_pattern) ON public.data_manager_config TO exporter;
GRANT SELECT (job_name, cron_expression, paused) ON public.service_job TO exporter;
GRANT SELECT (from_date) ON public.service_job TO exporter;
GRANT SELECT (thru_date) ON public.service_job TO exporter;
GRANT SELECT (repeat_count) ON public.service_job TO exporter;
GRANT SELECT (expire_lock_time) ON public.service_job TO exporter;
GRANT SELECT (min_retry_time) ON public.service_job TO exporter;
GRANT SELECT (last_updated_stamp) ON public.service_job TO exporter;
GRANT SELECT (job_run_id, job_name, has_error, start_time, end_time) ON public.service_job_run TO exporter;
GRANT SELECT (host_name) ON public.service_job_run TO exporter;
GRANT SELECT (parameters) ON public.service_job_run TO exporter;
GRANT SELECT (last_updated_stamp) ON public.service_job_run TO exporter;
GRANT SELECT (job_name, job_run_id, last_run_time) ON public.service_job_run_lock TO exporter;
GRANT SELECT (last_updated_stamp) ON public.service_job_run_lock TO exporter;
GRANT SELECT (system_message_type_id, status_id, is_outgoing, init_date, last_attempt_date, fail_count, last_updated_stamp) ON public.system_message TO exporter;
GRANT SELECT (system_message_remote_id, shopify_order_id, shop_id, order_created_at, last_updated_stamp) ON public.shopify_oms_order_recon TO exporter;
GRANT SELECT (default_time_zone_string) ON public.product_store TO exporter;
