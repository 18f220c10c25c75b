//! One service's side of the messaging: what it publishes, what it reads, and what it republishes in a resync.
//!
//! Both services connect to a bus in this one way, so that their wiring (`app.rs`) names only what differs.

use std::sync::Arc;

use metrics::Result;
use process::metrics::Metrics;
use tokio::sync::Notify;
use trace::Stories;

use crate::{
    bus::{Bus, Handler, Subscription},
    dead_letters::DeadLetters,
    message::Entry,
    metrics::{ConsumeMetrics, RelayMetrics, show_backlog},
    outbox::{
        Outbox,
        relay::Relay,
        resync::{ResyncHandler, ResyncOutbox, Snapshot},
    },
};

/// What a service publishes and reads.
pub struct Endpoint {
    /// Its queue, named after the service.
    pub queue: &'static str,
    /// The names of the messages it reads.
    pub reads: &'static [&'static str],
    /// The names of the messages it publishes.
    pub publishes: &'static [&'static str],
    /// Handles what it reads, except requests for a resync.
    pub handler: Arc<dyn Handler>,
    /// Its current state, which a resync republishes.
    pub snapshot: Arc<dyn Snapshot>,
    /// Makes the message that requests a resync of others.
    pub resync_request: fn() -> Entry,
}

impl Endpoint {
    /// Subscribes on a bus. Gives the relay that publishes on it, and the dead letters that this service keeps: those of its
    /// store if the bus keeps none. `wake` is notified by the store after each commit with messages in it.
    pub async fn connect(
        self,
        bus: &Arc<dyn Bus>,
        outbox: Arc<dyn Outbox>,
        dead_letters: Arc<dyn DeadLetters>,
        wake: Arc<Notify>,
        metrics: &mut Metrics,
        stories: Stories,
    ) -> Result<(Relay, Arc<dyn DeadLetters>)> {
        let registry = metrics.registry.clone();
        bus.register(&registry)?;
        let dead_letters = bus.dead_letters().unwrap_or(dead_letters);
        let (queues, publishes) = (bus.clone(), self.publishes);
        show_backlog(metrics, outbox.clone(), dead_letters.clone(), move || queues.dead_letter_queues(publishes))?;

        let outbox = ResyncOutbox::new(outbox, self.snapshot);
        let request = (self.resync_request)().message.name;
        bus.subscribe(Subscription {
            queue: self.queue,
            names: self.reads,
            handler: ResyncHandler::new(request, outbox.clone(), self.handler),
            metrics: ConsumeMetrics::new(&registry, self.queue, self.reads)?,
            stories: stories.clone(),
            resync_request: Some(self.resync_request),
        })
        .await;
        let metrics = RelayMetrics::new(&registry, self.publishes)?;
        Ok((Relay::new(outbox, bus.clone(), wake, metrics, stories), dead_letters))
    }
}
