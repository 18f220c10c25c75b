//! Two replicas of each service on one database and broker: no double, no loss, no oversell, one relay at a time.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use e2e::{Answer, eventually, samples};
use reqwest::Method;
use serde_json::json;

use crate::{
    replica::Replica,
    tools::{load, verify},
    world::World,
};

/// Who takes the lease over waits for four seconds without a beat; the rest is for a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(12);

/// The same key for both replicas, at once.
async fn both(world: &World, path: &str, key: &str) -> [Answer; 2] {
    let body = json!({"seats": 2});
    let [one, other] = &world.bookings[..] else { panic!("two are needed") };
    let (one, other) = tokio::join!(one.rest.post_once(path, key, &body), other.rest.post_once(path, key, &body));
    [one, other]
}

#[tokio::test]
async fn two_replicas_of_each_agree_under_a_load_and_leave_everything_in_order() {
    let Some(world) = World::start(2).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut load = load(&world, folder.path(), &["--connections", "16"]);
    asked_at_once_they_agree(&world).await;
    eventually(Duration::from_secs(60), "it books", async || (load.recorded("booked") > 1000).then_some(())).await;
    load.stop();

    let printed = verify(&world, &["--against", load.record(), "--exclusive"]);

    assert!(printed.contains("0 bookings without an answer"), "nothing was killed: {printed}");
    for replica in &world.bookings {
        let booked = replica.ops.metrics().await.sum("myevents_bookings_accepted_total", &[]);
        assert!(booked > 100.0, "each has its share, and {booked} at {}", replica.urls.0);
    }
}

async fn asked_at_once_they_agree(world: &World) {
    // One key: one booking, made by one of them and repeated by the other.
    let event = world.event("one key", 1000).await;
    let path = format!("/events/{event}/bookings");
    let mut ids = BTreeSet::new();
    for number in 0..30 {
        let answers = both(world, &path, &samples::unique("key").replace(' ', "-")).await;
        let mut statuses = answers.each_ref().map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 201], "round {number}: {answers:?}");
        assert_eq!(answers[0].id(), answers[1].id(), "round {number}");
        ids.insert(answers[0].id());
    }
    assert_eq!(ids.len(), 30);

    // The last seats: exactly as many as there are.
    let hot = world.event("last seats", 25).await;
    let path = format!("/events/{hot}/bookings");
    let race = (0..80).map(|number| {
        let (rest, path) = (world.bookings[number % 2].rest.clone(), path.clone());
        tokio::spawn(async move { rest.post(&path, &json!({"seats": 1})).await })
    });
    let mut booked = Vec::new();
    for answer in race.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        match answer.status {
            201 => booked.push(answer.id()),
            _ => drop(answer.problem(409, "sold-out")),
        }
    }
    assert_eq!(booked.len(), 25);

    // Two cancellations: the seat comes back once.
    for id in &booked[..10] {
        let path = format!("/bookings/{id}");
        let (one, other) = tokio::join!(world.bookings[0].rest.delete(&path), world.bookings[1].rest.delete(&path));
        let (one, other) = (one.expect(200).json(), other.expect(200).json());
        assert_eq!((&one["status"], &one), (&json!("cancelled"), &other));
    }
    for replica in &world.bookings {
        let sold = replica.rest.get(&format!("/events/{hot}")).await.expect(200).json();
        assert_eq!((&sold["booked_seats"], &sold["seats_left"]), (&json!(15), &json!(10)));
    }
}

/// Which of them relays what is left over; the dead ones do not.
async fn active(replicas: &mut [Replica]) -> Vec<usize> {
    let mut active = Vec::new();
    for (number, replica) in replicas.iter_mut().enumerate() {
        if replica.runs() && replica.ops.metrics().await.sum("myevents_outbox_relay_active", &[]) == 1.0 {
            active.push(number);
        }
    }
    active
}

/// Waits until one of them does.
async fn the_active_one(replicas: &mut [Replica]) -> usize {
    let began = Instant::now();
    loop {
        match active(replicas).await[..] {
            [one] => return one,
            [] => assert!(began.elapsed() < TAKEN_OVER, "nobody relays what is left over"),
            ref many => panic!("{many:?} relay at the same time"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Kills the active one and starts it again.
async fn is_replaced(replicas: &mut [Replica]) {
    let first = the_active_one(replicas).await;
    replicas[first].kill();
    let began = Instant::now();
    let second = the_active_one(replicas).await;
    println!("{}: replaced after {:?}", replicas[first].plan.service, began.elapsed());
    assert_ne!(first, second);
    replicas[first].start_again();
    // The old one comes back without the lease.
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(2) {
        assert_eq!(active(replicas).await, [second]);
    }
}

#[tokio::test]
async fn one_of_them_relays_what_is_left_over_and_a_killed_one_is_replaced() {
    let Some(mut world) = World::start_to_kill(2).await else { return };
    let event = world.event("left over", 1000).await;
    tokio::join!(is_replaced(&mut world.events), is_replaced(&mut world.bookings));
    world.ready().await;

    // What a killed one has left in its outbox is published by the other: the broker is away when it dies.
    world.servers.broker.remembers_its_queues();
    world.servers.broker.kill();
    let book = async |replica: &Replica| {
        let request = replica.rest.request(Method::POST, &format!("/events/{event}/bookings"));
        e2e::api::send(request.json(&json!({"seats": 1}))).await.expect(201)
    };
    for _ in 0..20 {
        book(&world.bookings[0]).await;
    }
    world.bookings[0].kill();
    world.servers.broker.start();
    world.servers.broker.runs().await;
    eventually(Duration::from_secs(30), "the event service learns of them", async || {
        let shown = world.events[0].rest.get(&format!("/events/{event}")).await.expect(200).json();
        (shown["booked_seats"] == 20).then_some(())
    })
    .await;
    world.bookings[0].start_again();
    world.ready().await;
    verify(&world, &[]);
}
