//! The panels whose value need not differ between idle and load, with the value that it must have. At most ten: a panel that
//! never moves is one that nobody needs, unless it shows trouble.

/// An expression as it stands in a dashboard.
pub(crate) struct Constant {
    pub(crate) expression: &'static str,
    pub(crate) least: f64,
    pub(crate) most: f64,
    /// The value in words.
    pub(crate) why: &'static str,
}

const fn constant(expression: &'static str, least: f64, most: f64, why: &'static str) -> Constant {
    Constant { expression, least, most, why }
}

pub(crate) const CONSTANTS: [Constant; 10] = [
    constant(
        r#"count(count by (job) (up{job=~"eventservice|bookingservice|rabbitmq"} == 1)) or vector(0)"#,
        3.0,
        3.0,
        "3: all parts run",
    ),
    constant("max by (job, instance) (up)", 1.0, 1.0, "1: every target is up"),
    constant(
        r#"sum by (job, instance) (process_threads{job=~"$job",instance=~"$instance"})"#,
        4.0,
        8.0,
        "within the budget of 8 threads",
    ),
    constant(
        "clamp_min(max(myevents_seat_changes offset 30s) - max(myevents_view_seat_changes), 0)",
        0.0,
        0.0,
        "0: messages arrive within seconds",
    ),
    constant("max by (queue) (myevents_dead_letters)", 0.0, 0.0, "0: nothing was given up"),
    // Scraped every 15 s, these see a message that waits for milliseconds only now and then.
    constant(
        r#"max by (job) (myevents_outbox_pending_messages{job=~"$job",instance=~"$instance"})"#,
        0.0,
        50.0,
        "a few: the outbox is emptied at once",
    ),
    constant(
        r#"(time() - max by (job) (myevents_outbox_oldest_pending_timestamp_seconds{job=~"$job",instance=~"$instance"})) * (max by (job) (myevents_outbox_pending_messages{job=~"$job",instance=~"$instance"}) > bool 0)"#,
        0.0,
        15.0,
        "0, or seconds: nothing waits for long",
    ),
    constant(
        r#"sum by (queue) (rabbitmq_detailed_queue_messages{queue=~"eventservice|bookingservice"})"#,
        0.0,
        50.0,
        "a few: the queues are emptied at once",
    ),
    constant(
        r#"max by (job, instance) (myevents_amqp_connected{job=~"$job",instance=~"$instance"} + 2 * myevents_amqp_blocked{job=~"$job",instance=~"$instance"})"#,
        1.0,
        1.0,
        "1: connected, and not blocked",
    ),
    // A process that has found its size stays there.
    constant(
        r#"sum by (job) (process_resident_memory_bytes{job=~"$job",instance=~"$instance"})"#,
        1e6,
        64.0 * 1024.0 * 1024.0,
        "below the container's limit",
    ),
];
