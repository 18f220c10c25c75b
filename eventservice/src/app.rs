//! The wiring: everything that the service consists of is made and joined here, in the order in which it depends.
//!
//! `main`, `myevents` and the tests all start the service this way. Read next: `http/mod.rs`, or `messages.rs`.

use std::sync::Arc;

use actix_web::web;
use apidocs::page::Docs;
use messaging::Bus;
use process::health::Health;
use service::{Backend, Foundation, Service, Settings};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;

use crate::{
    http::{Api, Context, configure},
    listener::QUEUE,
    messages,
    metrics::EventMetrics,
    store,
};

pub use service::StartError;

/// Makes the service. It listens at once, and answers when it runs.
pub async fn build(settings: Settings, bus: Arc<dyn Bus>, stop: CancellationToken) -> Result<Service, StartError> {
    let (api, choice, wake) = (Api::openapi(), settings.clone(), Arc::new(Notify::new()));
    let stories = settings.stories.clone();
    let mut base = Foundation::bind(settings, env!("CARGO_PKG_VERSION"), &api)?;
    let metrics = EventMetrics::new(&base.metrics.registry)?;
    let backend = store::open(choice, &mut base.metrics, metrics, wake.clone()).await?;
    let Backend { store, outbox, dead, probe, resources } = backend;

    let endpoint = messages::endpoint(store.clone());
    let (relay, dead) = endpoint.connect(&bus, outbox, dead, wake, &mut base.metrics, stories).await?;

    let health = Health::new(stop).required("store", probe).informational("broker", messaging::probe(bus));
    let (context, docs) = (web::Data::new(Context { store }), Docs::new(&api));
    base.build(QUEUE, health, dead, relay, resources, move |app| configure(app, &context, &docs))
}
