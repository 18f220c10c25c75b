//! Started before the broker and the database are up: it waits, says so once, and serves when they come.

use std::time::Duration;

use e2e::{
    Api,
    catalogue::{self, Part},
    eventually, samples,
};
use serde_json::{Value, json};
use testing::mongo_server;

use crate::{
    replica::{Plan, Replica},
    world::{Servers, connected, env},
};

/// After a server's return.
const BACK: Duration = Duration::from_secs(10);

/// How long each step may take on a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

async fn checks(ops: &Api, status: u16) -> Value {
    ops.get("/readyz").await.expect(status).json()["checks"].clone()
}

/// A line for each change, and not for each try.
fn logged_once(replica: &Replica, part: &str) {
    assert_eq!(replica.logged(part).len(), 1, "{part:?} in {}", replica.log());
}

#[tokio::test]
async fn services_that_come_before_their_servers_wait_and_say_so_once() {
    let (Some(servers), Some(mut mongo)) = (Servers::take().await, mongo_server::own()) else { return };
    mongo.stop();
    servers.broker.stop();
    let folder = tempfile::tempdir().unwrap();
    let start = |service: &'static str| {
        let plan = Plan { service, env: env(&servers.amqp, Some(mongo.url(service))), ..Plan::default() };
        Replica::start(&folder.path().join(service), plan)
    };
    let (events, bookings) = (start("eventservice"), start("bookingservice"));

    for replica in [&events, &bookings] {
        eventually(STEP_TIMEOUT, "several tries were made", async || {
            let metrics = replica.ops.metrics().await;
            (metrics.sum("myevents_amqp_reconnects_total", &[("reason", "unreachable")]) >= 4.0).then_some(())
        })
        .await;
        let checks = checks(&replica.ops, 503).await;
        assert_eq!((&checks["store"]["ok"], &checks["broker"]["ok"]), (&json!(false), &json!(false)), "{checks}");
        assert!(checks["store"]["detail"].as_str().unwrap().contains("MongoDB"), "{checks}");
        assert!(checks["broker"]["detail"].as_str().unwrap().contains("no connection to amqp://127.0.0.1"), "{checks}");
        assert_eq!(replica.ops.get("/livez").await.status, 200);
        logged_once(replica, "the database does not work");
        logged_once(replica, "no connection to the broker");
    }
    let refused = events.rest.post("/events", &samples::event("too early", 5)).await;
    refused.problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"), "{refused:?}");

    // The database alone is enough to be ready.
    mongo.start();
    for replica in [&events, &bookings] {
        eventually(BACK, "it is ready", async || (replica.ops.get("/readyz").await.status == 200).then_some(())).await;
        assert_eq!(checks(&replica.ops, 200).await["broker"]["ok"], false);
    }
    let event = events.rest.post("/events", &samples::event("early", 5)).await.expect(201).id();

    servers.broker.start();
    servers.broker.runs().await;
    eventually(BACK, "the event arrives", async || {
        (bookings.rest.get(&format!("/events/{event}")).await.status == 200).then_some(())
    })
    .await;
    bookings.rest.post(&format!("/events/{event}/bookings"), &json!({"seats": 2})).await.expect(201);
    eventually(BACK, "the booking arrives", async || {
        let shown = events.rest.get(&format!("/events/{event}")).await.expect(200).json();
        (shown["booked_seats"] == 2).then_some(())
    })
    .await;
    for replica in [&events, &bookings] {
        eventually(BACK, "it is connected", async || connected(replica).await.then_some(())).await;
        logged_once(replica, "the database does not work");
        logged_once(replica, "the database works again");
        logged_once(replica, "no connection to the broker");
        logged_once(replica, "connected to the broker");
    }
    has_the_metrics_of(&events, &[Part::Events]).await;
    has_the_metrics_of(&bookings, &[Part::Bookings, Part::Holds]).await;
}

/// And those of every service with a broker and MongoDB: no test in one process shows them.
async fn has_the_metrics_of(replica: &Replica, own: &[Part]) {
    let parts = [&[Part::Service, Part::Broker, Part::Mongo], own].concat();
    let wrong = catalogue::differences(&replica.ops.metrics().await, &parts);
    assert_eq!(wrong, Vec::<String>::new());
}
