//! Both services with a broker, as processes of their own.

use std::process::{Command, Stdio};

use e2e::{binary, eventually, samples, wait::SOON};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    process::{answers, port},
    rabbitmq::{self, RabbitMq},
    replica::{Plan, Replica},
    watch::Watch,
};

pub(crate) struct System {
    pub(crate) events: Replica,
    pub(crate) bookings: Replica,
    pub(crate) broker: RabbitMq,
    _folder: TempDir,
}

/// Prometheus, Alertmanager, the bridge, both services, and the broker, which is asked twice.
pub(crate) const TARGETS: usize = 7;

impl System {
    /// `None` where there is no RabbitMQ.
    pub(crate) async fn start(watch: &Watch) -> Option<Self> {
        let broker = rabbitmq::watched().await?;
        let folder = tempfile::tempdir().unwrap();
        let start = |service| {
            let env = vec![("AMQP_BROKER_URL", broker.url().to_owned())];
            Replica::start(&folder.path().join(service), Plan { service, env, ports: (port(), port()) })
        };
        let (events, bookings) = (start("eventservice"), start("bookingservice"));
        let system = Self { events, bookings, broker, _folder: folder };
        for (name, replica) in [("events", &system.events), ("bookings", &system.bookings)] {
            answers(&replica.ops, "/readyz").await;
            watch.targets(name, &[address(replica)]);
        }
        watch.targets("rabbitmq", &[format!("127.0.0.1:{}", system.broker.metrics())]);
        Some(system)
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
}

/// Where its metrics are.
pub(crate) fn address(replica: &Replica) -> String {
    replica.urls.1.trim_start_matches("http://").to_owned()
}

/// Runs `myevents` to its end, which must be a good one; what it said.
pub(crate) fn myevents(arguments: &[&str]) -> String {
    let output = Command::new(binary::myevents()).args(arguments).env_clear().stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    told
}
