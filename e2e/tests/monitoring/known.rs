//! What the tests here know by themselves, because a `myevents` process does not export it or does not say it.

/// Metrics with their labels, beside `job` and `instance`: of Prometheus itself and its helpers, of RabbitMQ, and of services
/// that speak AMQP. `.ci/compose-test` asks a real Prometheus for all.
pub(crate) const ELSEWHERE: &[(&str, &[&str])] = &[
    ("up", &[]),
    ("scrape_duration_seconds", &[]),
    ("scrape_samples_scraped", &[]),
    ("scrape_samples_post_metric_relabeling", &[]),
    ("ALERTS", &["alertname", "alertstate", "severity", "team"]),
    ("ALERTS_FOR_STATE", &["alertname", "severity", "team"]),
    ("prometheus_config_last_reload_successful", &[]),
    ("prometheus_notifications_dropped_total", &["alertmanager"]),
    ("prometheus_notifications_sent_total", &["alertmanager"]),
    ("prometheus_rule_evaluation_failures_total", &["rule_group"]),
    ("prometheus_rule_evaluations_total", &["rule_group"]),
    ("prometheus_rule_group_last_duration_seconds", &["rule_group"]),
    ("prometheus_tsdb_head_series", &[]),
    ("alertmanager_config_last_reload_successful", &[]),
    ("alertmanager_notifications_failed_total", &["integration", "reason"]),
    ("alertmanager_notifications_total", &["integration"]),
    ("push_time_seconds", &[]),
    ("myevents_notifications_sent_total", &["channel", "result"]), // the bridge to DingTalk
    ("rabbitmq_detailed_queue_messages", &["vhost", "queue"]),
    ("myevents_amqp_connected", &[]),
    ("myevents_amqp_blocked", &[]),
];

/// Histograms that are there under their bare name, too, with native buckets: only where the scrape is protobuf.
pub(crate) const NATIVE: &[&str] = &["myevents_request_duration_seconds"];

/// Metrics of the store: two replicas on one database both report the same, so a sum would double it. All others are of the
/// process. The table is in each metric's place in the code; what is new there and read from the store belongs here.
pub(crate) const OF_THE_STORE: &[&str] = &[
    "myevents_dead_letters",
    "myevents_outbox_pending_messages",
    "myevents_outbox_oldest_pending_timestamp_seconds",
    "myevents_seat_changes",
    "myevents_view_seat_changes",
    "myevents_seats_confirmed",
    "myevents_holds",
    "myevents_holds_oldest_timestamp_seconds",
];

/// What Prometheus records, with the windows of the ratios: see `prometheus/rules`. Each has the label `job`.
pub(crate) const RECORDED: &[(&str, &[&str])] = &[
    ("job:myevents_request_errors_per_request:ratio_rate", &["5m", "1h", "6h", "1d", "3d"]),
    ("job:myevents_request_slow_per_request:ratio_rate", &["5m", "1h", "6h", "1d", "3d"]),
    ("job:myevents_message_stale_per_message:ratio_rate", &["5m", "1h", "6h", "1d", "3d"]),
    ("job:myevents_availability_budget_left:ratio", &["30d"]),
    ("job:myevents_latency_budget_left:ratio", &["30d"]),
    ("job:myevents_freshness_budget_left:ratio", &["30d"]),
];

/// What exporters, RabbitMQ and services with MongoDB export, with the labels that the folder Exporters asks for. No dashboard of
/// the folder MyEvents may: there every panel has something to show without them.
pub(crate) const EXPORTED: &[(&str, &[&str])] = &[
    ("myevents_mongodb_command_duration_seconds_bucket", &["command", "result", "le"]),
    ("myevents_mongodb_pool_connections", &["state"]),
    ("myevents_mongodb_pool_wait_seconds_bucket", &["le"]),
    // percona/mongodb_exporter 0.53
    ("mongodb_up", &[]),
    ("mongodb_dbstats_dataSize", &["database"]),
    ("mongodb_rs_members_optimeDate", &["rs_nm", "member_idx", "member_state"]),
    ("mongodb_rs_members_state", &["rs_nm", "member_idx", "member_state"]),
    ("mongodb_ss_connections", &["conn_type"]),
    ("mongodb_ss_metrics_document", &["doc_op_type"]),
    ("mongodb_ss_opLatencies_latency", &["op_type"]),
    ("mongodb_ss_opLatencies_ops", &["op_type"]),
    ("mongodb_ss_opcounters", &["legacy_op_type"]),
    ("mongodb_ss_wt_cache_bytes_currently_in_the_cache", &[]),
    ("mongodb_ss_wt_cache_maximum_bytes_configured", &[]),
    // node_exporter
    ("node_cpu_seconds_total", &["cpu", "mode"]),
    ("node_disk_read_bytes_total", &["device"]),
    ("node_disk_written_bytes_total", &["device"]),
    ("node_filesystem_avail_bytes", &["device", "fstype", "mountpoint"]),
    ("node_filesystem_size_bytes", &["device", "fstype", "mountpoint"]),
    ("node_memory_MemAvailable_bytes", &[]),
    ("node_memory_MemTotal_bytes", &[]),
    ("node_network_receive_bytes_total", &["device"]),
    ("node_network_transmit_bytes_total", &["device"]),
];

/// RabbitMQ's names begin so. Each series has `rabbitmq_node` once it is joined with `rabbitmq_identity_info`.
pub(crate) const OF_RABBITMQ: (&str, &[&str]) = ("rabbitmq_", &["rabbitmq_cluster", "rabbitmq_node", "queue", "vhost"]);
