//! A MongoDB server that is away: what is asked meanwhile is refused soon, and when it comes all works again by itself.

use std::time::{Duration, Instant};

use testing::mongo_server;

use crate::{mongo, suite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_and_starts_is_a_refusal_within_3_seconds_and_works_again_within_5() {
    let Some(mut server) = mongo_server::own() else { return };
    server.stop();
    let fixture = mongo::on(&server.url("myevents-test")).await;
    for round in 0..2 {
        let began = Instant::now();
        assert!(fixture.store.create_event(suite::some_event(), None).await.is_err(), "round {round}");
        assert!(began.elapsed() < Duration::from_secs(3), "round {round}: {:?}", began.elapsed());
        server.start();
        let began = Instant::now();
        while !matches!(fixture.store.create_event(suite::some_event(), None).await, Ok(Ok(()))) {
            assert!(began.elapsed() < Duration::from_secs(5), "round {round}: it does not work again");
        }
        server.stop();
    }
}
