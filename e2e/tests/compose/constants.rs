//! The panels whose value need not differ between idle and load, with the value that it must have. At most ten: a panel that
//! never moves is one that nobody needs, unless it shows trouble.

use std::ops::RangeInclusive;

/// An expression as it stands in a dashboard.
pub(crate) struct Constant {
    pub(crate) expression: &'static str,
    pub(crate) under_load: RangeInclusive<f64>,
    pub(crate) at_idle: RangeInclusive<f64>,
    /// The value in words.
    pub(crate) why: &'static str,
}

/// One value, always.
const fn exact(expression: &'static str, value: f64, why: &'static str) -> Constant {
    Constant { expression, under_load: value..=value, at_idle: value..=value, why }
}

/// 0 at idle. Under load each scrape may come upon some, since what passes within milliseconds is there for those.
const fn passing(expression: &'static str, most: f64, why: &'static str) -> Constant {
    Constant { expression, under_load: 0.0..=most, at_idle: 0.0..=0.0, why }
}

pub(crate) const CONSTANTS: [Constant; 10] = [
    exact(
        r#"count(count by (job) (up{job=~"eventservice|bookingservice|rabbitmq"} == 1)) or vector(0)"#,
        3.0,
        "3: all parts run",
    ),
    exact("max by (job, instance) (up)", 1.0, "1: every target is up"),
    // Not one value: with MongoDB and a broker it is 6, and a 7th for some seconds where a name is looked up.
    Constant {
        expression: r#"sum by (job, instance) (process_threads{job=~"$job",instance=~"$instance"})"#,
        under_load: 6.0..=7.0,
        at_idle: 6.0..=7.0,
        why: "6, or 7 for a while: within the budget of 8",
    },
    exact(
        "clamp_min(max(myevents_seat_changes offset 20s) - max(myevents_view_seat_changes), scalar(100 * sum(1 - myevents_amqp_connected) or vector(0)))",
        0.0,
        "0: messages arrive within seconds, and all have a session with the broker",
    ),
    exact("max by (queue) (myevents_dead_letters)", 0.0, "0: nothing was given up"),
    passing(
        r#"max by (job) (myevents_outbox_pending_messages{job=~"$job",instance=~"$instance"})"#,
        50.0,
        "a few under load, 0 at idle: the outbox is emptied at once",
    ),
    // Computed when it is asked for, from a scrape that may be 15 s old.
    passing(
        r#"(time() - max by (job) (myevents_outbox_oldest_pending_timestamp_seconds{job=~"$job",instance=~"$instance"})) * (max by (job) (myevents_outbox_pending_messages{job=~"$job",instance=~"$instance"}) > bool 0)"#,
        20.0,
        "seconds under load, 0 at idle: nothing waits for long",
    ),
    passing(
        r#"sum by (queue) (rabbitmq_detailed_queue_messages{queue=~"eventservice|bookingservice"})"#,
        50.0,
        "a few under load, 0 at idle: the queues are emptied at once",
    ),
    exact(
        r#"max by (job, instance) (myevents_amqp_connected{job=~"$job",instance=~"$instance"} + 2 * myevents_amqp_blocked{job=~"$job",instance=~"$instance"})"#,
        1.0,
        "1: connected, and not blocked",
    ),
    // Not one value: it is another in each build. A process that has found its size stays there, to the byte for minutes; the
    // limit is 64 MiB, and what comes near it is ended.
    Constant {
        expression: r#"sum by (job) (process_resident_memory_bytes{job=~"$job",instance=~"$instance"})"#,
        under_load: 8e6..=60e6,
        at_idle: 8e6..=60e6,
        why: "8 to 60 MB: well below the container's limit",
    },
];
