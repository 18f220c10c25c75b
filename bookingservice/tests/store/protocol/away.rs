//! A server that is away: what is asked meanwhile is refused soon, and when it comes all works again by itself.

use std::time::{Duration, Instant};

use ::mongo::faults::Faults;
use bookingservice::store::{Store, mongo::janitor::Pace};
use testing::mongo_server;

use super::world::{World, eventually};
use crate::{
    mongo,
    suite::{event_for_an_hour, request},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_and_starts_is_a_refusal_within_3_seconds_and_works_again_within_5() {
    let Some(mut server) = mongo_server::own() else { return };
    server.stop();
    // Started before the database is: it says so, and waits.
    let replica = World::on(server.url(&mongo::new_name())).running(Faults::none(), Pace::default()).await;
    let (event, ready) = (event_for_an_hour(Some(1000)), replica.mongo.probe());
    for round in 0..3 {
        let began = Instant::now();
        assert!(replica.store.book(request(event.id, 1)).await.is_err());
        assert!(began.elapsed() < Duration::from_secs(3), "round {round}: {:?}", began.elapsed());
        assert!(ready().await.is_err(), "round {round}");

        server.start();
        eventually(Duration::from_secs(5), "bookings are made again, and it is ready", async || {
            // A server in memory has forgotten the event.
            replica.add(&event).await.is_ok()
                && matches!(replica.store.book(request(event.id, 1)).await, Ok(Ok(_)))
                && ready().await.is_ok()
        })
        .await;

        // Stopped under load: every request gets an answer in time.
        let mut load = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (store, event) = (replica.store.clone(), event.id);
            load.spawn(async move {
                loop {
                    let began = Instant::now();
                    let answer = store.book(request(event, 1)).await;
                    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
                    if answer.is_err() {
                        return;
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await; // so that requests are in flight
        server.stop();
        while let Some(client) = load.join_next().await {
            client.unwrap();
        }
    }
}
