//! What the rules ask for and no `myevents` process of a test exports: metrics of exporters, and of services that speak AMQP or
//! store in MongoDB. With their labels, beside `job` and `instance`.

pub(crate) const ELSEWHERE: &[(&str, &str)] = &[
    // Of services.
    ("myevents_amqp_blocked", ""),
    ("myevents_amqp_connected", ""),
    ("myevents_holds", ""),
    ("myevents_holds_oldest_timestamp_seconds", ""),
    ("myevents_mongodb_pool_checkout_failed_total", "reason"),
    ("myevents_mongodb_pool_wait_seconds_bucket", "le"),
    ("myevents_services_in_process", ""),
    // Of the bridge.
    ("myevents_notifications_sent_total", "channel result"),
    // Of Prometheus, about each target and about itself.
    ("up", ""),
    ("scrape_samples_post_metric_relabeling", ""),
    ("prometheus_config_last_reload_successful", ""),
    ("prometheus_notifications_alertmanagers_discovered", ""),
    ("prometheus_rule_evaluation_failures_total", "rule_group"),
    ("prometheus_tsdb_compactions_failed_total", ""),
    ("prometheus_tsdb_head_samples_appended_total", "type"),
    ("alertmanager_config_last_reload_successful", ""),
    ("alertmanager_notifications_failed_total", "integration reason"),
    ("push_time_seconds", ""),
    // https://www.rabbitmq.com/docs/prometheus
    ("rabbitmq_alarms_free_disk_space_watermark", ""),
    ("rabbitmq_alarms_memory_used_watermark", ""),
    ("rabbitmq_connections_opened_total", ""),
    ("rabbitmq_detailed_queue_consumers", "vhost queue"),
    ("rabbitmq_detailed_queue_info", "vhost queue queue_type membership"), // since RabbitMQ 4.1
    ("rabbitmq_detailed_queue_messages", "vhost queue"),
    ("rabbitmq_global_messages_unroutable_dropped_total", "protocol"),
    ("rabbitmq_global_messages_unroutable_returned_total", "protocol"),
    // https://github.com/percona/mongodb_exporter
    ("mongodb_up", ""),
    ("mongodb_ss_connections", "conn_type"),
    ("mongodb_rs_members_health", "rs_nm member_idx member_state"),
    ("mongodb_rs_members_optimeDate", "rs_nm member_idx member_state"),
    // https://github.com/prometheus/node_exporter
    ("node_cpu_seconds_total", "cpu mode"),
    ("node_filesystem_avail_bytes", "device fstype mountpoint"),
    ("node_filesystem_size_bytes", "device fstype mountpoint"),
    ("node_memory_MemAvailable_bytes", ""),
    ("node_memory_MemTotal_bytes", ""),
];
