//! A service between a fault and its end: what it commits meanwhile waits in the outbox, and all of it arrives within ten
//! seconds of the end, without a restart by hand.

use std::{sync::Arc, time::Duration};

use testing::{
    bus_world::{Reader, World},
    eventually,
};

use crate::bus::amqp;

pub(crate) const NOTES: &[&str] = &["noteWritten"];

/// After the end of a fault.
pub(crate) const HEALED: Duration = Duration::from_secs(10);

/// Before its end.
pub(crate) const NOTICED: Duration = Duration::from_secs(20);

/// A service with a reader of its own messages, connected where there is something to connect to.
pub(crate) struct Service {
    pub(crate) world: World,
    reader: Arc<Reader>,
    /// How many messages were committed and must arrive.
    pub(crate) sent: usize,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let mut service = Self::start_without_a_broker().await;
        service.commit(1).await;
        service.all_arrive(NOTICED).await;
        service
    }

    pub(crate) async fn start_without_a_broker() -> Self {
        Self::on(World::new(amqp).await).await
    }

    /// The same service, as after a kill. Nothing waits in it.
    pub(crate) async fn started_again(&self) -> Self {
        Self::on(self.world.killed_and_started_again().await).await
    }

    async fn on(mut world: World) -> Self {
        let reader = Reader::accepting();
        world.bus.register(&world.metrics.registry).unwrap();
        world.subscribe(NOTES, &reader).await;
        world.start();
        Self { world, reader, sent: 0 }
    }

    /// Commits further messages, as bookings would.
    pub(crate) async fn commit(&mut self, count: usize) {
        let bodies: Vec<String> = (self.sent..self.sent + count).map(|n| n.to_string()).collect();
        self.world.commit("noteWritten", true, bodies.iter().map(String::as_str)).await;
        self.sent += count;
    }

    /// How many different ones arrived. Some may have come twice.
    pub(crate) fn arrived(&self) -> usize {
        self.reader.bodies().iter().collect::<std::collections::BTreeSet<_>>().len()
    }

    pub(crate) async fn all_arrive(&self, deadline: Duration) {
        let what = format!("all {} have arrived", self.sent);
        eventually(deadline, &what, async || self.arrived() == self.sent).await;
        eventually(deadline, "the outbox is empty", async || self.world.pending().await == 0).await;
        assert_eq!(self.world.dead.list().await.unwrap(), [], "a good message was given up");
    }

    pub(crate) async fn metric(&self, name: &str) -> f64 {
        self.world.metric(name).await
    }

    pub(crate) async fn is_away(&self) {
        eventually(NOTICED, "the loss is noticed", async || self.world.bus.state().is_err()).await;
        assert_eq!(self.metric("myevents_amqp_connected").await, 0.0);
    }
}
