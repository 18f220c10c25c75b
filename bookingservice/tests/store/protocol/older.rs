//! A database that an older version has written: the service does not run on it, and says what to do.

use std::time::Duration;

use bookingservice::store::{Store, Unavailable, mongo::janitor::Pace};
use mongo::{error::Deadline, faults::Faults, key, table::Table};
use mongodb::bson::{Document, doc};
use testing::logs;

use super::world::{Replica, World, eventually, watched};
use crate::suite::request;

const SOON: Duration = Duration::from_secs(10);

/// What `/readyz` says of the store.
async fn readiness(replica: &Replica) -> Result<String, String> {
    replica.mongo.probe()().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_database_is_refused_with_what_to_do_until_its_field_is_renamed() {
    let Some(world) = World::new() else { return };
    logs::capture();
    let older = world.replica(Faults::none()).await;
    let event = older.event(10).await;
    let events = Table::<Document>::of(&older.mongo, "events");
    let change = async |update| {
        assert!(events.change(Deadline::new(), "test", doc! { "_id": key(event) }, update).await.unwrap());
    };
    change(doc! { "$set": { "untold": true, "untold_at": 1_i64 } }).await;

    let (faults, steps) = watched();
    let refused = world.running(faults, Pace::default()).await;
    assert_eq!(refused.store.book(request(event, 1)).await, Err(Unavailable::Away), "not even before it has looked");
    eventually(SOON, "it says why it is not ready", async || {
        readiness(&refused).await.is_err_and(|cause| cause.contains("the field `untold`") && cause.contains("$rename"))
    })
    .await;
    assert_eq!(refused.store.book(request(event, 1)).await, Err(Unavailable::Away));
    assert_eq!(refused.store.event(event).await, Err(Unavailable::Away));
    let steps = steps.lock().unwrap().clone();
    assert!(steps.iter().all(|step| ["ping", "owner", "version"].contains(step)), "{steps:?}");
    let lines = logs::lines_with(world.name());
    let lines: Vec<_> = lines.iter().filter(|line| line.contains("the field `untold`")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");

    change(doc! { "$rename": { "untold": "seats_unpublished", "untold_at": "seats_unpublished_at" } }).await;
    let current = world.running(Faults::none(), Pace::default()).await;
    eventually(SOON, "it is ready", async || readiness(&current).await.is_ok()).await;
    assert!(current.store.book(request(event, 1)).await.unwrap().is_ok());
}
