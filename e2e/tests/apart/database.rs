//! The database goes and comes back under running services, over HTTP: clear answers in time, nothing grows, no good
//! message is given up, and all works again by itself.
//!
//! The stand-in keeps nothing on disk, so it is not stopped itself: a proxy before it behaves as if it were.

use std::{
    fs,
    time::{Duration, Instant},
};

use e2e::{Answer, eventually};
use serde_json::json;
use testing::{
    mongo_server,
    proxy::{Condition, Proxy},
};

use crate::{
    replica::{Plan, Replica},
    tools::{load, verify},
    world::{Servers, World, env},
};

/// What a client is promised.
const ANSWERED: Duration = Duration::from_secs(3);

/// What a busy machine may add to it: the load, the services and the client share it.
const BUSY: Duration = Duration::from_millis(250);

/// After the database's return.
const BACK: Duration = Duration::from_secs(5);

/// How long it is away.
const AWAY: Duration = Duration::from_secs(10);

/// In the second half of its absence. Connections and buffers are made anew, which costs less than 1 MiB; what leaks grows
/// by more in so many seconds of load.
const MEMORY_MAX: u64 = 8 * 1024;

/// A number in `/proc/…/status`, of memory in KiB.
fn status(replica: &Replica, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", replica.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim_end_matches("kB").trim().parse().unwrap()
}

/// How often it found none, so far.
async fn finds_no_server(replica: &Replica) -> f64 {
    replica.ops.metrics().await.sum("myevents_mongodb_pool_checkout_failed_total", &[("reason", "no_server")])
}

/// A 503 that says what to do.
fn is_clear(answer: &Answer, took: Duration) {
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
    assert!(took <= ANSWERED + BUSY, "answered only after {took:?}: {answer:?}");
}

/// One service's way to the database.
async fn way(address: &str) -> Proxy {
    Proxy::to(address.rsplit_once(':').unwrap().1.parse().unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_reported_in_time_and_costs_nothing() {
    let (Some(servers), Some(mongo)) = (Servers::take().await, mongo_server::own()) else { return };
    let address = mongo.url("x").trim_start_matches("mongodb://").trim_end_matches("/x").to_owned();
    let (to_events, to_bookings) = (way(&address).await, way(&address).await);
    let folder = tempfile::tempdir().unwrap();
    let start = |service: &'static str, way: &Proxy| {
        let url = format!("mongodb://{}/{service}?directConnection=true", way.address);
        let plan = Plan { service, env: env(&servers.amqp, Some(url)), ..Plan::default() };
        vec![Replica::start(&folder.path().join(service), plan)]
    };
    let (events, bookings) = (start("eventservice", &to_events), start("bookingservice", &to_bookings));
    let world = World { events, bookings, servers, folder };
    world.ready().await;
    let record = tempfile::tempdir().unwrap();
    let mut load = load(&world, record.path(), &["--connections", "16"]);
    let books = async |deadline: Duration| {
        let before = load.recorded("booked");
        eventually(deadline, "the load books", async || (load.recorded("booked") > before + 20).then_some(())).await;
    };
    books(Duration::from_secs(30)).await;
    let event = world.event("while it is away", 1_000_000).await;
    let path = format!("/events/{event}/bookings");
    let book = async || {
        let began = Instant::now();
        let answer = world.bookings[0].rest.post(&path, &json!({"seats": 1})).await;
        (answer, began.elapsed())
    };
    let threads = world.replicas().map(|replica| status(replica, "Threads")).collect::<Vec<_>>();

    // The database is away in two ways: it closes connections, or it does not answer. Meanwhile no booking that arrives can be stored.
    for (outage, condition) in [Condition::Drop(0), Condition::BlackHole].into_iter().enumerate() {
        let mut no_server = Vec::new();
        for replica in world.replicas() {
            no_server.push(finds_no_server(replica).await);
        }
        to_events.set(condition);
        books(Duration::from_secs(30)).await;
        to_bookings.set(condition);
        let began = Instant::now();
        let (mut unknown, mut slowest, mut memory) = (0, Duration::ZERO, None);
        while began.elapsed() < AWAY {
            for (answer, took) in [tokio::join!(book(), book(), book(), book())].into_iter().flat_map(<[_; 4]>::from) {
                if answer.status != 201 {
                    is_clear(&answer, took); // the first may have been on their way
                    slowest = slowest.max(took);
                    unknown += usize::from(answer.json()["booking_id"].is_string());
                }
            }
            for replica in world.replicas() {
                let refused = replica.ops.get("/readyz").await;
                assert!(began.elapsed() < BACK || refused.status == 503, "{condition:?}: {refused:?}");
            }
            if began.elapsed() > BACK && memory.is_none() {
                memory = Some(world.replicas().map(|replica| status(replica, "VmRSS")).collect::<Vec<_>>());
            }
        }
        println!("{condition:?}: {unknown} answers with an unknown outcome; the slowest 503 took {slowest:?}");
        if condition == Condition::BlackHole {
            assert!(unknown > 0, "what was on its way has an unknown outcome, and says of which booking");
        }
        for (replica, before) in world.replicas().zip(no_server) {
            let counted = finds_no_server(replica).await - before;
            assert!(counted >= 2.0, "{condition:?}: the alert needs it counted all the time: {counted}");
        }
        for (replica, (before, threads)) in world.replicas().zip(memory.unwrap().iter().zip(&threads)) {
            let after = status(replica, "VmRSS");
            println!("{}: {threads} threads, {before} KiB, then {after} KiB", replica.plan.service);
            assert!(after < before + MEMORY_MAX, "memory grows: from {before} to {after} KiB");
            assert_eq!(status(replica, "Threads"), *threads, "{condition:?}");
            assert_eq!(replica.logged("the database does not work").len(), outage + 1, "a line for each outage");
        }

        to_events.set(Condition::Good);
        to_bookings.set(Condition::Good);
        eventually(BACK, "it books again", async || (book().await.0.status == 201).then_some(())).await;
        for replica in world.replicas() {
            eventually(BACK, "it is ready, and says that it works again", async || {
                let logged = replica.logged("the database works again").len() == outage + 1;
                (logged && replica.ops.get("/readyz").await.status == 200).then_some(())
            })
            .await;
        }
        books(Duration::from_secs(30)).await;
    }
    load.stop();
    let report = verify(&world, &["--against", load.record(), "--exclusive", "--patience", "60"]);
    println!("{report}");
}
