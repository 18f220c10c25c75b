//! Replicas whose clocks are wrong: what they left behind is neither delayed nor hurried by that.

use std::time::{Duration, Instant};

use bookingservice::store::{Store, mongo::janitor::Pace};
use contracts::{Contract, SeatsChanged};
use jiff::{SignedDuration, Timestamp};
use mongo::{
    error::Deadline,
    faults::{Fault, Faults},
    key,
    table::Table,
};
use mongodb::bson::{DateTime, Document, doc};
use uuid::Uuid;

use super::world::{Replica, World, eventually, once};
use crate::suite::{new, request};

/// By how much their clocks are wrong.
const WRONG: [SignedDuration; 2] = [SignedDuration::from_mins(-10), SignedDuration::from_mins(10)];

async fn set(replica: &Replica, event: Uuid, fields: Document) {
    let events = Table::<Document>::of(&replica.mongo, "events");
    let set = doc! { "$set": fields };
    assert!(events.change(Deadline::new(), "test", doc! { "_id": key(event) }, set).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_janitor_counts_the_age_of_a_hold_from_when_it_saw_it() {
    let Some(world) = World::new() else { return };
    let janitor = world.replica(Faults::none()).await;
    for wrong in WRONG {
        let (event, dying) = (janitor.event(10).await, world.replica(once("insert", Fault::CrashBefore)).await);
        assert!(dying.book(&request(event, 1)).await.is_none());
        let at = DateTime::from_millis((Timestamp::now() + wrong).as_millisecond());
        set(&janitor, event, doc! { "holds.0.at": at }).await;
    }
    let age = Duration::from_secs(1);
    assert_eq!(janitor.store.repair(age).await.unwrap(), 0, "they may belong to requests that run");
    tokio::time::sleep(age).await;
    assert_eq!(janitor.store.repair(age).await.unwrap(), 2);
    janitor.is_complete().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_that_another_process_left_unpublished_are_published_as_soon_whatever_its_clock_said() {
    let Some(world) = World::new() else { return };
    let leader = world.running(Faults::none(), Pace::default()).await;
    let outbox = leader.store.outbox();
    eventually(Duration::from_secs(10), "it is the leader", async || outbox.is_leader()).await;
    let (dead, mut left) = (world.replica(Faults::none()).await, Vec::new());
    for wrong in WRONG {
        let event = dead.event(10).await;
        let booking = new(dead.store.book(request(event, 3)).await.unwrap()).id();
        dead.store.cancel(booking, None).await.unwrap().unwrap();
        let at = (Timestamp::now() + wrong).as_microsecond();
        set(&leader, event, doc! { "seats_unpublished_at": at }).await;
        left.push(event);
    }
    let began = Instant::now();
    let mut found = Vec::new();
    eventually(Duration::from_secs(9), "both are published", async || {
        for entry in outbox.pending(100).await.unwrap() {
            if entry.message.name == SeatsChanged::NAME {
                assert!(began.elapsed() > Duration::from_secs(4), "its own process may publish it");
                found.push(SeatsChanged::from_json(&entry.message.body).unwrap().event_id);
            }
        }
        left.iter().all(|event| found.contains(event))
    })
    .await;
}
