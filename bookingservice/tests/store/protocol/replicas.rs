//! Two processes on one database: the same keys at once, and who relays what is left over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bookingservice::{
    domain::{Booked, Refused},
    store::{Store, mongo::janitor::Pace},
};
use mongo::faults::{Fault, Faults};
use uuid::Uuid;

use super::world::{Replica, World, eventually};
use crate::suite::{new, request, under_a_key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_keys_on_two_replicas_book_once_and_no_seat_leaks() {
    let Some(world) = World::new() else { return };
    let eager = Pace { older_than: Duration::ZERO, every: Duration::from_millis(5) };
    let replicas =
        [world.running(Faults::none(), eager).await, world.running(Faults::none(), eager).await].map(Arc::new);
    let (event, small) = (replicas[0].event(1000).await, replicas[0].event(5).await);
    let requests: Vec<_> = (0..20).map(|n| under_a_key(if n % 2 == 0 { event } else { small }, 2)).collect();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..4 {
        for request in &requests {
            for replica in &replicas {
                let (replica, request) = (replica.clone(), request.clone());
                running.spawn(async move { (request.id(), replica.store.book(request).await.unwrap()) });
            }
        }
    }
    let mut fresh: Vec<Uuid> = Vec::new();
    while let Some(done) = running.join_next().await {
        match done.unwrap() {
            (id, Ok(Booked::New(_))) => fresh.push(id),
            (_, Ok(Booked::Replay(_))) | (_, Err(Refused::SoldOut { .. })) => {}
            other => panic!("{other:?}"),
        }
    }
    let booked = fresh.len();
    fresh.sort_unstable();
    fresh.dedup();
    assert!(fresh.len() == booked, "a key has booked twice");
    replicas[0].complete_all().await;
    let stored = replicas[0].documents("bookings").await.len();
    assert_eq!(stored, 12, "ten keys, and two of those that shared five seats");
    let counted: f64 = replicas.iter().map(|r| r.metric("myevents_bookings_accepted_total")).sum();
    assert_eq!(counted, 12.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_booking_cancelled_on_two_replicas_gives_its_seats_back_once() {
    let Some(world) = World::new() else { return };
    let eager = Pace { older_than: Duration::ZERO, every: Duration::from_millis(5) };
    let replicas =
        [world.running(Faults::none(), eager).await, world.running(Faults::none(), eager).await].map(Arc::new);
    let event = replicas[0].event(100).await;
    for _ in 0..10 {
        let booking = new(replicas[0].store.book(request(event, 3)).await.unwrap()).id();
        let mut running = tokio::task::JoinSet::new();
        for replica in replicas.iter().cycle().take(16).cloned() {
            running.spawn(async move { replica.store.cancel(booking, None).await.unwrap().unwrap() });
        }
        while let Some(cancelled) = running.join_next().await {
            assert!(cancelled.unwrap().record().cancelled_at.is_some());
        }
    }
    replicas[0].complete_all().await;
    let stored = replicas[0].store.event(event).await.unwrap().unwrap();
    assert_eq!((stored.left(), stored.record().version), (Some(100), 20));
    let counted: f64 = replicas.iter().map(|r| r.metric("myevents_bookings_cancelled_total")).sum();
    assert_eq!(counted, 10.0);
}

fn leads(replica: &Replica) -> bool {
    replica.store.outbox().is_leader()
}

async fn offers(replica: &Replica, booking: Uuid) -> bool {
    let entries = replica.store.outbox().pending(1000).await.unwrap_or_default();
    entries.iter().any(|entry| String::from_utf8_lossy(&entry.message.body).contains(&booking.to_string()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_left_is_relayed_by_one_other_and_by_the_next_when_that_one_dies() {
    let Some(world) = World::new() else { return };
    // Its requests to the lease get lost from some moment on, which is how a dead one looks to the others.
    let dead = Arc::new(AtomicBool::new(false));
    let seen = dead.clone();
    let dies =
        move |step| if step == "lease" && seen.load(Ordering::Relaxed) { Fault::LostRequest } else { Fault::None };
    let first = world.running(Faults::new(dies), Pace::default()).await;
    eventually(Duration::from_secs(5), "the only process leads", async || leads(&first)).await;
    let second = world.running(Faults::none(), Pace::default()).await;

    let event = first.event(10).await;
    let gone = world.replica(Faults::none()).await;
    let booking = new(gone.store.book(request(event, 1)).await.unwrap());
    assert!(offers(&gone, booking.id()).await, "a process relays its own commits at once");
    assert!(!offers(&first, booking.id()).await, "nobody else does, for a while");
    drop(gone);
    let within = Duration::from_secs(8);
    eventually(within, "the leader relays it", async || offers(&first, booking.id()).await).await;
    assert!(!leads(&second) && !offers(&second, booking.id()).await, "two relay the same");

    dead.store(true, Ordering::Relaxed);
    eventually(within, "the second one leads", async || leads(&second)).await;
    assert!(!leads(&first), "two lead");
    eventually(within, "the second one relays it", async || offers(&second, booking.id()).await).await;

    // One that stops gives the lease back, and the next one need not wait until it expires.
    dead.store(false, Ordering::Relaxed);
    second.background.end().await;
    eventually(Duration::from_secs(3), "the first one leads again", async || leads(&first)).await;
}
