//! Several replicas of each service on one database and one broker.

use e2e::samples;
use tempfile::TempDir;
use testing::{
    mongo_server,
    rabbitmq::{self, RabbitMq},
};

use crate::{
    process::{answers, port},
    replica::{Plan, Replica},
    system::address,
    watch::Watch,
};

pub(crate) struct Replicated {
    pub(crate) events: Vec<Replica>,
    pub(crate) bookings: Vec<Replica>,
    broker: RabbitMq,
    _folder: TempDir,
}

impl Replicated {
    /// So many of each, with this in the environment of the booking service. `None` where a server is missing.
    pub(crate) async fn start(count: usize, env: &[(&'static str, String)]) -> Option<Self> {
        let (broker, mongo) = (rabbitmq::with_metrics().await?, mongo_server::shared()?);
        let folder = tempfile::tempdir().unwrap();
        let run = samples::unique("drill").replace(' ', "-");
        let start = |service: &'static str, more: &[(&'static str, String)]| {
            let start = |number| {
                let servers = [
                    ("AMQP_BROKER_URL", broker.url().to_owned()),
                    ("MONGO_URL", mongo.url(&format!("{run}-{service}"))),
                ];
                let env = servers.into_iter().chain(more.iter().cloned()).collect();
                Replica::start(
                    &folder.path().join(format!("{service}-{number}")),
                    Plan { service, env, ports: (port(), port()) },
                )
            };
            (0..count).map(start).collect::<Vec<_>>()
        };
        let (events, bookings) = (start("eventservice", &[]), start("bookingservice", env));
        let system = Self { events, bookings, broker, _folder: folder };
        for replica in system.events.iter().chain(&system.bookings) {
            answers(&replica.ops, "/readyz").await;
        }
        Some(system)
    }

    pub(crate) fn of(&mut self, service: &str) -> &mut Vec<Replica> {
        if service == "eventservice" { &mut self.events } else { &mut self.bookings }
    }

    /// From now on Prometheus finds those that run. Returns how many targets there are in all.
    pub(crate) fn found_by(&mut self, watch: &Watch) -> usize {
        let mut count = 5; // Prometheus, Alertmanager, the bridge, and the broker, which is asked twice
        for (name, service) in [("events", "eventservice"), ("bookings", "bookingservice")] {
            let running = self.of(service).iter_mut().filter_map(|replica| replica.runs().then(|| address(replica)));
            let running: Vec<_> = running.collect();
            watch.targets(name, &running);
            count += running.len();
        }
        watch.targets("rabbitmq", &[format!("127.0.0.1:{}", self.broker.metrics())]);
        count
    }

    /// An event that can be booked at every replica.
    pub(crate) async fn event(&self) -> String {
        let event = self.events[0].rest.post("/events", &samples::unlimited("drill")).await.expect(201).id();
        for replica in &self.bookings {
            answers(&replica.rest, &format!("/events/{event}")).await;
        }
        event
    }
}
