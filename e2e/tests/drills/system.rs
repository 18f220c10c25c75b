//! Both services with a broker, as processes of their own.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use e2e::{SOON, binary, eventually, samples};
use serde_json::json;
use tempfile::TempDir;
use testing::rabbitmq::{self, RabbitMq};

use crate::{
    process::{answers, port},
    replica::{Plan, Replica},
    watch::Watch,
};

pub(crate) struct System {
    pub(crate) events: Replica,
    pub(crate) bookings: Replica,
    pub(crate) broker: RabbitMq,
    _folder: TempDir,
}

/// After a fault: what waited arrives.
const LATE: Duration = Duration::from_secs(30);

/// Prometheus, Alertmanager, the bridge, both services, and the broker, which is asked twice.
pub(crate) const TARGETS: usize = 7;

impl System {
    /// `None` where there is no RabbitMQ.
    pub(crate) async fn start(watch: &Watch) -> Option<Self> {
        let system = Self::unwatched().await?;
        system.is_watched(watch);
        Some(system)
    }

    /// One of which Prometheus does not know yet.
    pub(crate) async fn unwatched() -> Option<Self> {
        let broker = rabbitmq::with_metrics().await?;
        let folder = tempfile::tempdir().unwrap();
        let start = |service| {
            let env = vec![("AMQP_BROKER_URL", broker.url().to_owned())];
            Replica::start(&folder.path().join(service), Plan { service, env, ports: (port(), port()) })
        };
        let (events, bookings) = (start("eventservice"), start("bookingservice"));
        let system = Self { events, bookings, broker, _folder: folder };
        answers(&system.events.ops, "/readyz").await;
        answers(&system.bookings.ops, "/readyz").await;
        Some(system)
    }

    /// Its names are there, and Prometheus finds it by them.
    pub(crate) fn is_watched(&self, watch: &Watch) {
        watch.targets("events", &[address(&self.events)]);
        watch.targets("bookings", &[address(&self.bookings)]);
        watch.targets("rabbitmq", &[format!("127.0.0.1:{}", self.broker.metrics())]);
    }

    /// An event that can be booked.
    pub(crate) async fn event(&self) -> String {
        let event = self.events.rest.post("/events", &samples::unlimited("drill")).await.expect(201).id();
        let path = format!("/events/{event}");
        eventually(SOON, "the booking service knows the event", async || {
            (self.bookings.rest.get(&path).await.status == 200).then_some(())
        })
        .await;
        event
    }

    /// Books a seat.
    pub(crate) async fn book(&self, event: &str) {
        self.bookings.rest.post(&format!("/events/{event}/bookings"), &json!({"seats": 1})).await.expect(201);
    }

    /// The event service learns of this many seats, and not of more.
    pub(crate) async fn shows(&self, event: &str, seats: usize) {
        let path = format!("/events/{event}");
        eventually(LATE, &format!("the event service shows {seats} seats"), async || {
            (self.events.rest.get(&path).await.expect(200).json()["booked_seats"] == seats).then_some(())
        })
        .await;
    }
}

/// Where its metrics are.
pub(crate) fn address(replica: &Replica) -> String {
    replica.urls.1.trim_start_matches("http://").to_owned()
}

/// Runs `myevents` to its end, which must be a good one; what it said.
pub(crate) fn myevents(arguments: &[&str]) -> String {
    let output = Command::new(binary::myevents()).args(arguments).env_clear().stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {printed}");
    printed
}
