//! The wiring: everything the service consists of is made and joined here, in the order in which it depends.
//!
//! `main`, `myevents` and the tests all start it this way.

use std::sync::Arc;

use actix_web::web;
use contracts::{BookingCancelled, Contract, EventBooked, ResyncRequested, SeatsChanged};
use messaging::{
    Bus, DeadLetters, Entry, Subscription,
    metrics::{ConsumeMetrics, PublishMetrics},
    outbox::{
        metrics::{RelayMetrics, show_backlog},
        relay::Relay,
        resync,
    },
};
use process::health::Health;
use service::{Backend, Foundation, Service, Settings};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use webserver::docs::Docs;

use crate::{
    http::{Api, Context, configure},
    listener::{Listener, QUEUE, READS},
    metrics::BookingMetrics,
    snapshot::SeatsSnapshot,
    store,
};

pub use service::StartError;

/// What this service publishes.
const PUBLISHES: [&str; 3] = [EventBooked::NAME, BookingCancelled::NAME, SeatsChanged::NAME];

/// The queues that read it. Where the bus keeps no dead letters, theirs are in this service's outbox; where it does, each
/// service looks after those of its own queue.
const READERS: [&str; 1] = ["eventservice"];

/// Makes the service. It listens at once, and answers when it runs.
pub async fn build(settings: Settings, bus: Arc<dyn Bus>, stop: CancellationToken) -> Result<Service, StartError> {
    let (api, choice) = (Api::openapi(), settings.clone());
    let mut base = Foundation::bind(settings, env!("CARGO_PKG_VERSION"), &api)?;
    let registry = base.metrics.registry.clone();

    let wake = Arc::new(Notify::new());
    let metrics = BookingMetrics::new(&registry)?;
    let backend = store::open(choice, &mut base.metrics, metrics.clone(), wake.clone()).await?;
    let Backend { store, outbox, dead, probe, resources } = backend;
    bus.register(&registry)?;
    let (dead, queues): (Arc<dyn DeadLetters>, _) = match bus.dead_letters() {
        Some(dead) => (dead, [QUEUE]),
        None => (dead, READERS),
    };
    show_backlog(&mut base.metrics, outbox.clone(), dead.clone(), &queues)?;

    let outbox = resync::ResyncOutbox::new(outbox, Arc::new(SeatsSnapshot(store.clone())));
    let handler = Arc::new(Listener { store: store.clone() });
    let handler = resync::ResyncHandler::new(ResyncRequested::NAME, outbox.clone(), handler);
    let consumed = ConsumeMetrics::new(&registry, QUEUE, READS)?;
    bus.subscribe(Subscription { queue: QUEUE, names: READS, handler, metrics: consumed, when_new: Some(ask) }).await;
    let published = PublishMetrics::new(&registry, &PUBLISHES)?;
    let relay = Relay::new(outbox, bus.clone(), wake, RelayMetrics::new(&registry)?, published);

    let health = Health::new(stop).required("store", probe).informational("broker", messaging::probe(bus));
    let (context, docs) = (web::Data::new(Context { store, metrics }), Docs::new(&api));
    base.build(QUEUE, health, dead, relay, resources, move |app| configure(app, &context, &docs))
}

/// What others are asked for, where this service's queue is new.
fn ask() -> Entry {
    let request = ResyncRequested { queue: QUEUE.to_owned() };
    Entry::new(ResyncRequested::NAME, ResyncRequested::MANDATORY, request.to_json(), None)
}
