//! Empty MongoDB stores.

use std::sync::Arc;

use bookingservice::{
    metrics::BookingMetrics,
    store::mongo::{MongoStore, janitor::Pace},
};
use metrics::Registry;
use mongo::{Mongo, address::MongoUrl, metrics::ClientMetrics};
use process::{
    background::Background,
    checks::{Checks, option},
};
use testing::mongo_server;
use uuid::Uuid;

use crate::suite::Fixture;

/// A client of a database that nobody else uses.
pub(crate) async fn connect(url: &str, registry: &Registry) -> Mongo {
    let url =
        MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &Some(url.to_owned())), option("", &None)).unwrap();
    Mongo::open(&url, "bookingservice", ClientMetrics::new(registry).unwrap()).await.unwrap()
}

/// A name that no other test takes.
pub(crate) fn new_name() -> String {
    format!("myevents-test-{}", Uuid::new_v4().simple())
}

pub(crate) async fn fixture() -> Option<Fixture> {
    let url = mongo_server::shared()?.url(&new_name());
    let registry = Registry::new();
    let mongo = connect(&url, &registry).await;
    let metrics = BookingMetrics::new(&registry).unwrap();
    let store = Arc::new(MongoStore::new(&mongo, &registry, metrics, Arc::default(), Default::default()).unwrap());
    let background = Background::default();
    store.start(&mongo, Pace::default(), &background);
    Some(Fixture { outbox: store.outbox(), store, registry, tries: 5, _kept: Box::new(background) })
}
