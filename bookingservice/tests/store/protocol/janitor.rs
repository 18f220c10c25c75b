//! The janitor itself: it dies or loses an answer in the middle of a repair, meets what it cannot repair, and takes over what
//! the cleanup of holds did not do.

use std::time::Duration;

use bookingservice::store::{Store, mongo::janitor::Pace};
use futures_util::future::join_all;
use mongo::{
    error::Deadline,
    faults::{Fault, Faults},
    key,
    table::Table,
};
use mongodb::bson::{Document, doc};
use testing::logs::Log;
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use super::world::{DIED, Replica, World, eventually, longest_list, once};
use crate::suite::{new, request};

const FAULTS: [Fault; 5] =
    [Fault::CrashBefore, Fault::CrashAfter, Fault::LostRequest, Fault::LostAnswer, Fault::Late(150)];

/// Nothing is old enough for its janitor.
const NEVER: Pace = Pace { older_than: Duration::from_secs(3600), every: Duration::from_secs(3600) };

/// One run, which the janitor may not survive.
async fn repair(janitor: &Replica) {
    let _ = tokio::time::timeout(DIED, janitor.store.repair(Duration::ZERO)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_janitor_that_fails_in_the_middle_of_a_booking_is_replaced_by_the_next_one_which_makes_it_once() {
    let cases = ["insert", "remove_holds"].into_iter().flat_map(|step| FAULTS.map(|fault| (step, fault)));
    join_all(cases.map(async |(step, fault)| {
        let Some(world) = World::new() else { return };
        let (next, dying) =
            (world.replica(Faults::none()).await, world.replica(once("reserve", Fault::CrashAfter)).await);
        let (event, unlucky) = (next.event(10).await, world.replica(once(step, fault)).await);
        let request = request(event, 3);
        assert!(dying.book(&request).await.is_none());
        repair(&unlucky).await;
        unlucky.late_steps_done().await;
        next.complete_all().await;
        assert_eq!(next.messages_of(request.id()).await, ["eventBooked"], "{step} {fault:?}");
        assert_eq!(next.store.event(event).await.unwrap().unwrap().record().booked, 3, "{step} {fault:?}");
        let counted: f64 = [&next, &unlucky].map(|r| r.metric("myevents_bookings_accepted_total")).iter().sum();
        assert!(counted <= 1.0, "{step} {fault:?}: counted {counted} times");
        assert!(step == "insert" || counted == 1.0, "{step} {fault:?}: the answer of the insert was seen");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_janitor_that_fails_in_the_middle_of_a_cancellation_is_replaced_by_the_next_one_which_releases_the_seats_once()
 {
    let cases = ["mark_cancelled", "release"].into_iter().flat_map(|step| FAULTS.map(|fault| (step, fault)));
    join_all(cases.map(async |(step, fault)| {
        let Some(world) = World::new() else { return };
        let (next, dying) =
            (world.replica(Faults::none()).await, world.replica(once("request_cancel", Fault::CrashAfter)).await);
        let (event, unlucky) = (next.event(10).await, world.replica(once(step, fault)).await);
        let booking = new(next.store.book(request(event, 3)).await.unwrap()).id();
        assert!(dying.cancel(booking).await.is_none());
        repair(&unlucky).await;
        unlucky.late_steps_done().await;
        next.complete_all().await;
        assert_eq!(next.messages_of(booking).await, ["eventBooked", "bookingCancelled"], "{step} {fault:?}");
        let stored = next.store.event(event).await.unwrap().unwrap();
        assert_eq!((stored.left(), stored.record().booked), (Some(10), 0), "{step} {fault:?}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_whose_removal_failed_in_any_way_are_removed_by_the_janitor() {
    join_all(FAULTS.map(async |fault| {
        let Some(world) = World::new() else { return };
        let without_cleanup = world.running(once("remove_holds", fault), NEVER).await;
        let event = without_cleanup.event(10).await;
        new(without_cleanup.store.book(request(event, 1)).await.unwrap());
        let janitor = world.replica(Faults::none()).await;
        eventually(Duration::from_secs(5), "the janitor removes what was left", async || {
            janitor.store.repair(Duration::ZERO).await.unwrap();
            longest_list(&janitor).await == 0
        })
        .await;
        janitor.is_complete().await.unwrap();
        assert_eq!(without_cleanup.metric("myevents_bookings_accepted_total"), 1.0, "{fault:?}");
        assert_eq!(janitor.metric("myevents_bookings_accepted_total"), 0.0, "{fault:?}");
    }))
    .await;
}

/// Leaves a hold whose booking is made.
async fn left(world: &World, janitor: &Replica) -> (Uuid, Uuid) {
    let event = janitor.event(10).await;
    let (dying, request) = (world.replica(once("insert", Fault::CrashAfter)).await, request(event, 1));
    assert!(dying.book(&request).await.is_none());
    (event, request.id())
}

async fn change(replica: &Replica, table: &str, id: Uuid, update: Document) {
    let table = Table::<Document>::of(&replica.mongo, table);
    assert!(table.change(Deadline::new(), "test", doc! { "_id": key(id) }, update).await.unwrap());
}

#[tokio::test] // on one thread: the log is its own
async fn what_cannot_be_repaired_does_not_hold_up_the_others_and_is_repaired_once_it_can_be() {
    let Some(world) = World::new() else { return };
    let (log, janitor) = (Log::default(), world.replica(Faults::none()).await);
    // While there is only one subscriber, a line that another thread meets first is taken for one that nobody wants.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _logs = tracing_subscriber::fmt().with_ansi(false).with_writer(log.writer()).set_default();
    // The oldest ones are those that cannot be read: an event, and a booking.
    let (event, _) = left(&world, &janitor).await;
    change(&janitor, "events", event, doc! { "$unset": { "name": "" } }).await;
    let (_, booking) = left(&world, &janitor).await;
    change(&janitor, "bookings", booking, doc! { "$unset": { "user": "" } }).await;
    let (sound, _) = left(&world, &janitor).await;

    assert_eq!(janitor.store.repair(Duration::ZERO).await.unwrap(), 1);
    let events = janitor.documents("events").await;
    let done = events.iter().filter(|event| event.get_array("holds").unwrap().is_empty()).collect::<Vec<_>>();
    assert_eq!(done.iter().map(|event| event.get("_id")).collect::<Vec<_>>(), [Some(&key(sound).into())]);
    for _ in 0..3 {
        assert_eq!(janitor.store.repair(Duration::ZERO).await.unwrap(), 0);
    }
    assert_eq!(log.lines_with("a hold cannot be completed").len(), 1, "{}", log.text());
    assert_eq!(log.lines_with("cannot be read, as if somebody else had written there").len(), 2, "{}", log.text());
    assert_eq!(log.lines_with("the database does not work").len(), 0, "{}", log.text());

    change(&janitor, "events", event, doc! { "$set": { "name": "Tango" } }).await;
    change(&janitor, "bookings", booking, doc! { "$set": { "user": "guest" } }).await;
    assert_eq!(janitor.store.repair(Duration::ZERO).await.unwrap(), 2);
    janitor.is_complete().await.unwrap();
}
