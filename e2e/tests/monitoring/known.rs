//! What the tests here know by themselves, because a `myevents` process does not export it or does not say it.

/// Metrics with their labels, beside `job` and `instance`: of Prometheus itself, of RabbitMQ, and of services that speak AMQP.
/// `.ci/compose-test` asks a real Prometheus for each.
pub(crate) const ELSEWHERE: &[(&str, &[&str])] = &[
    ("up", &[]),
    ("ALERTS", &["alertname", "alertstate", "severity", "team"]),
    ("rabbitmq_detailed_queue_messages", &["vhost", "queue"]),
    ("myevents_amqp_connected", &[]),
    ("myevents_amqp_blocked", &[]),
];

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
