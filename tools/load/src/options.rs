//! The options of `myevents load`, and the plan they mean. Each is a text here, so that all problems are reported at once.

use std::{path::PathBuf, time::Duration};

use process::checks::{Checks, ConfigError, option};
use rest::{Target, urls::targets};
use tokio::sync::watch;

use crate::{mix::Shares, seen::Seen};

/// Loads a running system and shows how fast it answers
///
/// It needs no preparation: it creates the events it books, or takes those that an earlier run left. Each of them is held
/// between 20 % and 90 % sold by cancelling, so it can go on for days. Ctrl-C ends it with the table of what was done.
#[derive(clap::Args)]
pub struct Options {
    /// The event service's REST; of several replicas all, separated by commas, here and below
    #[arg(long, env = "EVENTS_URL", default_value = "http://127.0.0.1:8181")]
    events_url: Option<String>,
    /// The booking service's REST
    #[arg(long, env = "BOOKINGS_URL", default_value = "http://127.0.0.1:8282")]
    bookings_url: Option<String>,
    /// Clients at once; each has one request under way, and a connection to each service
    #[arg(long, allow_negative_numbers = true, default_value = "16")]
    connections: Option<String>,
    /// Requests a second, whether the system keeps up or not [default: as many as it answers]
    #[arg(long, allow_negative_numbers = true)]
    rate: Option<String>,
    /// Seconds; 0 goes on until Ctrl-C
    #[arg(long, allow_negative_numbers = true, default_value = "30")]
    duration: Option<String>,
    /// Seconds within which the system must answer at the start; it may have been started together with this
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, default_value = "0")]
    patience: Option<String>,
    /// How many events are booked
    #[arg(long, allow_negative_numbers = true, default_value = "20")]
    events: Option<String>,
    /// Seats of each event; 0 makes them unlimited, and then nothing is held
    #[arg(long, allow_negative_numbers = true, default_value = "1000")]
    capacity: Option<String>,
    /// How the events' names begin; two loads at once need different ones
    #[arg(long, default_value = "Load")]
    names: Option<String>,
    /// Share of reads; the shares are weights, they need not add up to 100
    #[arg(long, allow_negative_numbers = true, default_value = "60", help_heading = "Shares")]
    reads: Option<String>,
    /// Share of bookings, 1 to 4 seats each. One that would sell more than 90 % cancels another instead
    #[arg(long, allow_negative_numbers = true, default_value = "15", help_heading = "Shares")]
    bookings: Option<String>,
    /// Share of bookings sent again under the same key
    #[arg(long, allow_negative_numbers = true, default_value = "5", help_heading = "Shares")]
    repeats: Option<String>,
    /// Share of cancellations. One that would leave less than 20 % sold books instead
    #[arg(long, allow_negative_numbers = true, default_value = "15", help_heading = "Shares")]
    cancels: Option<String>,
    /// Share of requests that must be refused
    #[arg(long, allow_negative_numbers = true, default_value = "5", help_heading = "Shares")]
    bad: Option<String>,
    /// How many of 100 bookings have an Idempotency-Key [default: 50; with --record: 100]
    #[arg(long, allow_negative_numbers = true, help_heading = "Shares")]
    keyed: Option<String>,
    /// Append the fate of every booking and cancellation to this file, for `myevents verify --against`
    #[arg(long)]
    record: Option<String>,
    /// Tell the result to the Pushgateway at this address, like http://127.0.0.1:9091, in place of the last one of the same names
    #[arg(long, value_name = "URL")]
    pub(crate) push: Option<String>,
    /// Load nothing; take away what an earlier load with these names has left at the Pushgateway
    #[arg(long)]
    pub(crate) push_delete: bool,
    /// Print JSON instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the options mean.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The event service, each replica.
    pub events: Vec<Target>,
    /// The booking service, each replica.
    pub bookings: Vec<Target>,
    /// Clients at once.
    pub connections: u32,
    /// Requests a second; `None` is a closed loop.
    pub rate: Option<f64>,
    /// The same while the first seats are sold.
    pub fill_rate: Option<f64>,
    /// `None` goes on until it is stopped.
    pub duration: Option<Duration>,
    /// How long the system is waited for at the start.
    pub patience: Duration,
    /// How many events.
    pub event_count: u32,
    /// Seats of each; `None` is unlimited.
    pub capacity: Option<u64>,
    /// How their names begin.
    pub names: String,
    /// How often each kind of request is made.
    pub shares: Shares,
    /// Of 100 bookings, how many under a key.
    pub keyed: u32,
    /// Where the record goes.
    pub record: Option<PathBuf>,
    /// Whom to tell how it goes, once a second, in place of a bar on the terminal.
    pub seen: Option<watch::Sender<Seen>>,
}

impl Options {
    /// Checks them all.
    pub fn plan(&self) -> Result<Plan, ConfigError> {
        let mut checks = Checks::new();
        let mut count = |name, text, range: std::ops::RangeInclusive<u32>| {
            let right = format!("a whole number from {} to {}", range.start(), range.end());
            checks.value(option(name, text), 1, &right, |text| text.parse().ok().filter(|n| range.contains(n)))
        };
        let shares = Shares {
            reads: count("--reads", &self.reads, 0..=10_000),
            bookings: count("--bookings", &self.bookings, 0..=10_000),
            repeats: count("--repeats", &self.repeats, 0..=10_000),
            cancels: count("--cancels", &self.cancels, 0..=10_000),
            bad: count("--bad", &self.bad, 0..=10_000),
        };
        let connections = count("--connections", &self.connections, 1..=10_000);
        let event_count = count("--events", &self.events, 1..=1000);
        let capacity = u64::from(count("--capacity", &self.capacity, 0..=1_000_000_000));
        let keyed = self.keyed.is_some().then(|| count("--keyed", &self.keyed, 0..=100));
        let plan = Plan {
            events: targets(&mut checks, option("EVENTS_URL", &self.events_url)),
            bookings: targets(&mut checks, option("BOOKINGS_URL", &self.bookings_url)),
            connections,
            rate: self.rate.is_some().then(|| number(&mut checks, "--rate", &self.rate, 0.01, 1_000_000.0)),
            fill_rate: None,
            duration: Some(number(&mut checks, "--duration", &self.duration, 0.0, 1e9))
                .filter(|seconds| *seconds > 0.0)
                .map(Duration::from_secs_f64),
            patience: Duration::from_secs_f64(number(&mut checks, "--patience", &self.patience, 0.0, 86_400.0)),
            event_count,
            capacity: (capacity > 0).then_some(capacity),
            names: checks.value(option("--names", &self.names), String::new(), NAMES, name),
            shares,
            keyed: keyed.unwrap_or(if self.record.is_some() { 100 } else { 50 }),
            record: self.record.is_some().then(|| checks.file(option("--record", &self.record))),
            seen: None,
        };
        if (1..40).contains(&capacity) {
            checks.problem("--capacity is below 40: so few seats cannot be held between 20 % and 90 %");
        }
        if shares.sum() == 0 {
            checks
                .problem("all shares are 0 (--reads, --bookings, --repeats, --cancels, --bad): nothing would be done");
        }
        if plan.record.is_some() && plan.keyed < 100 {
            checks.problem(
                "--keyed must be 100 with --record: without a key an unanswered booking cannot be found again",
            );
        }
        checks.finish()?;
        Ok(plan)
    }
}

const NAMES: &str = "1 to 100 letters, digits, blanks, - or _";

fn name(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_');
    ((1..=100).contains(&text.trim().len()) && text.chars().all(fits)).then(|| text.trim().to_owned())
}

fn number(checks: &mut Checks, name: &'static str, text: &Option<String>, min: f64, max: f64) -> f64 {
    let right = format!("a number from {min} to {max}");
    checks.value(option(name, text), min, &right, |text| text.parse().ok().filter(|n| (min..=max).contains(n)))
}

impl Plan {
    /// A gentle load for `myevents` itself: so many requests a second, from the beginning on, on three events of 200 seats.
    pub fn gentle(events: Vec<Target>, bookings: Vec<Target>, rate: f64, duration: Duration) -> Self {
        Self {
            events,
            bookings,
            connections: 4,
            rate: Some(rate),
            fill_rate: Some(rate),
            duration: Some(duration),
            patience: Duration::ZERO,
            event_count: 3,
            capacity: Some(200),
            names: "Play".into(),
            shares: Shares { reads: 40, bookings: 30, repeats: 3, cancels: 25, bad: 2 },
            keyed: 100,
            record: None,
            seen: None,
        }
    }
}
