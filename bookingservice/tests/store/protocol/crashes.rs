//! A process that dies before or after any step: another one's janitor comes to the same end, and nothing is counted twice.

use bookingservice::{
    domain::{Booked, Status},
    store::Store,
};
use futures_util::future::join_all;
use mongo::faults::{Fault, Faults};

use super::world::{World, once, watched};
use crate::suite::{new, request, under_a_key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_are_those_of_the_protocol() {
    let Some(world) = World::new() else { return };
    let (faults, steps) = watched();
    let replica = world.replica(faults).await;
    let event = replica.event(10).await;
    let booking = new(replica.store.book(request(event, 2)).await.unwrap());
    replica.store.cancel(booking.id(), None).await.unwrap();
    let writes: Vec<_> = steps.lock().unwrap().iter().copied().filter(|step| *step != "read").collect();
    assert_eq!(writes, ["add", "reserve", "insert", "request_cancel", "mark_cancelled", "release"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_whose_process_dies_is_made_if_its_seats_were_taken() {
    let Some(world) = World::new() else { return };
    let janitor = world.replica(Faults::none()).await;
    let (world, alive) = (&world, &janitor);
    let cases = [
        ("reserve", Fault::CrashBefore, false),
        ("reserve", Fault::CrashAfter, true),
        ("insert", Fault::CrashBefore, true),
        ("insert", Fault::CrashAfter, true),
    ];
    let dead = join_all(cases.map(async |(step, fault, made)| {
        let event = alive.event(10).await;
        let (dying, request) = (world.replica(once(step, fault)).await, request(event, 3));
        assert!(dying.book(&request).await.is_none(), "{step} {fault:?} did not kill it");
        (step, fault, made, event, request.id())
    }))
    .await;
    janitor.complete_all().await;
    for (step, fault, made, event, booking) in dead {
        let stored = janitor.store.booking(booking).await.unwrap();
        assert_eq!(stored.is_some(), made, "{step} {fault:?}");
        let messages = if made { vec!["eventBooked"] } else { vec![] };
        assert_eq!(janitor.messages_of(booking).await, messages, "{step} {fault:?}");
        let stored = janitor.store.event(event).await.unwrap().unwrap();
        assert_eq!(stored.record().booked, if made { 3 } else { 0 }, "{step} {fault:?}");
    }
    // The janitor has made two of the three; the third was on disk, and its process died before it could count.
    assert_eq!(janitor.metric("myevents_bookings_accepted_total"), 2.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_whose_process_dies_gives_its_seats_back_if_it_had_begun() {
    let Some(world) = World::new() else { return };
    let janitor = world.replica(Faults::none()).await;
    let (world, alive) = (&world, &janitor);
    let cases = [
        ("request_cancel", Fault::CrashBefore, false),
        ("request_cancel", Fault::CrashAfter, true),
        ("mark_cancelled", Fault::CrashBefore, true),
        ("mark_cancelled", Fault::CrashAfter, true),
        ("release", Fault::CrashBefore, true),
        ("release", Fault::CrashAfter, true),
    ];
    let dead = join_all(cases.map(async |(step, fault, cancelled)| {
        let event = alive.event(10).await;
        let booking = new(alive.store.book(request(event, 3)).await.unwrap()).id();
        let dying = world.replica(once(step, fault)).await;
        assert!(dying.cancel(booking).await.is_none(), "{step} {fault:?} did not kill it");
        (step, fault, cancelled, event, booking)
    }))
    .await;
    janitor.complete_all().await;
    for (step, fault, cancelled, event, booking) in dead {
        let stored = janitor.store.booking(booking).await.unwrap().unwrap();
        assert_eq!(stored.record().status == Status::Cancelled, cancelled, "{step} {fault:?}");
        let messages = if cancelled { vec!["eventBooked", "bookingCancelled"] } else { vec!["eventBooked"] };
        assert_eq!(janitor.messages_of(booking).await, messages, "{step} {fault:?}");
        let stored = janitor.store.event(event).await.unwrap().unwrap();
        assert_eq!(stored.left(), Some(if cancelled { 10 } else { 7 }), "{step} {fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_the_same_key_finishes_what_a_dead_one_began() {
    let Some(world) = World::new() else { return };
    let alive = world.replica(Faults::none()).await;
    let event = alive.event(3).await;
    let request = under_a_key(event, 3);
    let dying = world.replica(once("reserve", Fault::CrashAfter)).await;
    assert!(dying.book(&request).await.is_none());
    // All seats are in the dead one's hold: to answer "sold out" would be wrong.
    let answer = alive.store.book(request.clone()).await.unwrap();
    assert!(matches!(&answer, Ok(Booked::Replay(booking)) if booking.id() == request.id()), "{answer:?}");
    alive.complete_all().await;
    assert_eq!(alive.metric("myevents_bookings_accepted_total"), 1.0);
}
