//! Which program exports a metric, and when: seen from the file that registers it.

/// What brings metrics along, in the order of `docs/metrics.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Both services, always.
    Service,
    /// Services that store in SQLite.
    Sqlite,
    /// Services with MongoDB.
    Mongo,
    /// Services with a broker.
    Broker,
    /// The event service.
    Events,
    /// The booking service.
    Bookings,
    /// The booking service with MongoDB.
    Holds,
    /// Services with go-micro's names.
    Micro,
    /// The bridge to DingTalk.
    Bridge,
    /// A load that pushes its result.
    Load,
    /// The demo of the tutorial.
    Random,
}

/// The first that fits: how the paths of its files begin, and what it is called.
const PARTS: [(Part, &str, &str); 11] = [
    (Part::Sqlite, "platform/sqlite/", "Services with a database file"),
    (Part::Mongo, "platform/mongo/", "Services with MongoDB"),
    (Part::Broker, "platform/amqp/", "Services with a broker"),
    (Part::Micro, "platform/webserver/src/micro.rs", "go-micro's names, with `METRICS_ALIASES=micro`"),
    (Part::Service, "platform/", "Both services"),
    (Part::Events, "eventservice/", "The event service"),
    (Part::Holds, "bookingservice/src/store/mongo/", "The booking service with MongoDB"),
    (Part::Bookings, "bookingservice/", "The booking service"),
    (
        Part::Bridge,
        "alerting/bridge/",
        "`myevents bridge`, beside what all processes have: `process_…`, build and log lines",
    ),
    (Part::Load, "tools/load/", "`myevents load --push`"),
    (Part::Random, "tutorial/random/", "`tutorial/random`, beside `process_…` and build"),
];

impl Part {
    /// The part to which a file belongs.
    pub fn of(file: &str) -> Self {
        let found = PARTS.iter().find(|(_, begins, _)| file.starts_with(begins));
        found.unwrap_or_else(|| panic!("{file} registers metrics, and e2e/src/catalogue/part.rs has no row for it")).0
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        PARTS.iter().find(|(part, ..)| *part == self).expect("each has a row").2
    }
}
