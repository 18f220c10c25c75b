//! Empty MongoDB stores.

use std::sync::Arc;

use eventservice::{metrics::EventMetrics, store::mongo::MongoStore};
use metrics::Registry;
use mongo::{Mongo, address::MongoUrl, metrics::ClientMetrics};
use process::{
    background::Background,
    checks::{Checks, option},
};
use testing::mongo_server;
use uuid::Uuid;

use crate::suite::Fixture;

pub(crate) async fn fixture() -> Option<Fixture> {
    Some(on(&mongo_server::shared()?.url(&format!("myevents-test-{}", Uuid::new_v4().simple()))).await)
}

/// The database.
pub(crate) async fn database(url: &str, registry: &Registry) -> Mongo {
    let url =
        MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &Some(url.to_owned())), option("", &None)).unwrap();
    Mongo::open(&url, "eventservice", ClientMetrics::new(registry).unwrap()).await.unwrap()
}

/// A store in a database.
pub(crate) async fn on(url: &str) -> Fixture {
    let registry = Registry::new();
    let mongo = database(url, &registry).await;
    let store = Arc::new(MongoStore::new(&mongo, EventMetrics::new(&registry).unwrap(), Arc::default()));
    let background = Background::default();
    store.start(&mongo, &background);
    Fixture { outbox: store.outbox(), store, registry, _kept: Box::new(background) }
}
