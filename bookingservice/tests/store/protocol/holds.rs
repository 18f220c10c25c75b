//! The list of holds of a hot event stays short: every reservation has to write it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bookingservice::store::{Store, mongo::janitor::Pace};
use mongo::faults::Faults;

use super::world::{World, eventually, longest_list};
use crate::suite::{new, request};

const CLIENTS: usize = 64;
const EACH: usize = 25;

/// The goal.
const LONGEST: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_holds_stays_short_under_64_clients_and_is_empty_afterwards() {
    let Some(world) = World::new() else { return };
    let replica = Arc::new(world.running(Faults::none(), Pace::default()).await);
    let event = replica.event(1_000_000).await;
    let running = Arc::new(AtomicBool::new(true));
    let (watched, still) = (replica.clone(), running.clone());
    let watch = tokio::spawn(async move {
        let mut longest = 0;
        while still.load(Ordering::Relaxed) {
            longest = longest.max(longest_list(&watched).await);
        }
        longest
    });
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let store = replica.store.clone();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    new(store.book(request(event, 1)).await.unwrap());
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let rate = (CLIENTS * EACH) as f64 / began.elapsed().as_secs_f64();
    running.store(false, Ordering::Relaxed);
    let longest = watch.await.unwrap();
    println!("{CLIENTS} clients on one event: {rate:.0} bookings/s, the longest list had {longest} holds");
    assert!(longest < LONGEST, "{longest} holds");
    eventually(Duration::from_secs(5), "all holds are removed", async || longest_list(&replica).await == 0).await;
    replica.complete_all().await;
    assert_eq!(replica.metric("myevents_bookings_accepted_total"), (CLIENTS * EACH) as f64);
}
