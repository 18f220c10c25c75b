//! What every bus must do. Each test is called with a function that makes the bus: see the tests of `messaging` and `amqp`.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use messaging::{Effect, Entry, Message, Outcome};

use crate::{
    bus_world::{NewBus, Reader, SOON, World},
    eventually,
};

const NOTES: &[&str] = &["noteWritten"];

/// Makes a test of each function here for one bus. If `ready` answers `None`, a server is missing, and nothing is run.
#[macro_export]
macro_rules! bus_suite {
    ($new_bus:path, $ready:path) => {
        $crate::bus_suite! { $new_bus, $ready:
            what_is_committed_reaches_its_reader_unchanged
            every_reader_gets_what_it_reads_and_nothing_else
            a_retry_is_in_place_and_loses_nothing
            while_a_message_waits_nothing_newer_overtakes_it
            a_rejected_message_goes_to_the_dead_letters_and_harms_no_other
            a_handler_that_panics_for_one_message_costs_only_that_one
            a_handler_that_panics_once_costs_nothing
            a_dead_letter_is_handled_after_a_redrive_and_says_that_it_is_one
            a_message_that_must_be_read_waits_for_its_reader_and_holds_up_nobody
            however_long_messages_had_no_reader_they_reach_it_within_seconds
            a_message_that_nobody_has_to_read_is_done
            what_was_committed_survives_a_kill_before_it_was_published
            what_was_committed_survives_a_kill_while_it_was_handled
        }
    };
    ($new_bus:path, $ready:path: $($behaviour:ident)*) => {
        $(#[tokio::test]
        async fn $behaviour() {
            let Some(_server) = $ready().await else { return };
            $crate::bus_suite::$behaviour($new_bus).await;
        })*
    };
}
/// Done for all but one body.
fn all_but(body: &'static str, otherwise: impl Fn() -> Outcome + Send + Sync + 'static) -> Arc<Reader> {
    Reader::new(
        move |message| {
            if message.body == body.as_bytes() { otherwise() } else { Outcome::Done(Effect::Applied) }
        },
    )
}

/// Commits a note for each body; somebody must read them.
async fn commit<const N: usize>(world: &World, bodies: [&str; N]) {
    world.commit("noteWritten", true, bodies).await;
}

async fn done(reader: &Reader, bodies: &[&str]) {
    let has = |body: &&str| reader.bodies().iter().any(|done| done == body);
    eventually(SOON, &format!("{bodies:?} are done"), async || bodies.iter().all(has)).await;
}

pub async fn what_is_committed_reaches_its_reader_unchanged(new_bus: NewBus) {
    let (mut world, reader) = (World::new(new_bus).await, Reader::accepting());
    world.subscribe(NOTES, &reader).await;
    world.start();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let entry = Entry::new("noteWritten", true, r#"{"text":"größer als \" 東京"}"#.into(), Some(trace));
    world.commit_entries(vec![entry.clone()]).await;
    eventually(SOON, "it is done", async || !reader.done().is_empty()).await;
    world.all_is_sent().await;

    let [message] = &reader.done()[..] else { panic!("it is one message") };
    let as_microseconds = |message: &Message| message.occurred_at.as_microsecond();
    assert_eq!(as_microseconds(message), as_microseconds(&entry.message));
    assert_eq!(*message, Message { occurred_at: message.occurred_at, ..entry.message });
    assert_eq!(
        world.metric(r#"myevents_messages_published_total{message="noteWritten",result="confirmed"}"#).await,
        1.0
    );
    assert_eq!(world.metric(r#"myevents_outbox_dispatched_total{result="ok"}"#).await, 1.0);
}

pub async fn every_reader_gets_what_it_reads_and_nothing_else(new_bus: NewBus) {
    let (mut world, reader) = (World::new(new_bus).await, Reader::accepting());
    world.subscribe(NOTES, &reader).await;
    world.start();
    world.commit("letterWritten", false, ["a letter"]).await;
    let bodies: Vec<String> = (0..1500).map(|n| n.to_string()).collect(); // several rounds of the relay
    world.commit("noteWritten", true, bodies.iter().map(String::as_str)).await;
    world.all_is_sent().await;
    eventually(SOON, "all are done", async || reader.done().len() >= bodies.len()).await;
    let mut read = reader.bodies();
    read.sort_by_key(|body| body.parse::<u32>().unwrap());
    assert_eq!(read, bodies);
}

pub async fn a_retry_is_in_place_and_loses_nothing(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    let reader = Reader::new(|_| Outcome::Retry("the disk is full".into()));
    world.subscribe(NOTES, &reader).await;
    world.start();
    commit(&world, ["one", "two", "three"]).await;
    eventually(SOON, "they were tried four times", async || reader.calls().len() >= 4).await;
    assert_eq!(reader.bodies(), [""; 0]);
    reader.accept_all();
    done(&reader, &["one", "two", "three"]).await;
    world.all_is_sent().await;

    assert_eq!(reader.bodies().len(), 3, "in place, each was done once: {:?}", reader.bodies());
    assert_eq!(world.dead.list().await.unwrap(), []);
    let requeued = format!(
        r#"myevents_messages_consumed_total{{message="noteWritten",queue="{}",result="requeued"}}"#,
        world.queue
    );
    assert!(world.metric(&requeued).await >= 4.0);
}

pub async fn while_a_message_waits_nothing_newer_overtakes_it(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    let reader = all_but("older", || Outcome::Retry("the store is away".into()));
    world.subscribe(NOTES, &reader).await;
    world.start();
    commit(&world, ["older"]).await;
    eventually(SOON, "it is being tried", async || reader.tries("older") >= 1).await;
    commit(&world, ["newer"]).await;
    let tries = reader.tries("older");
    eventually(SOON, "it is tried three more times", async || reader.tries("older") >= tries + 3).await;
    assert_eq!(reader.tries("newer"), 0);
    reader.accept_all();
    done(&reader, &["older", "newer"]).await;
    assert_eq!(reader.bodies(), ["older", "newer"]);
}

pub async fn a_rejected_message_goes_to_the_dead_letters_and_harms_no_other(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    let dead = format!(r#"myevents_dead_letters{{queue="{}"}}"#, world.queue);
    assert_eq!(world.metric(&dead).await, 0.0);
    let reader = all_but("bad", || Outcome::Reject("there is no such note".into()));
    world.subscribe(NOTES, &reader).await;
    world.start();
    commit(&world, ["one", "bad", "two"]).await;
    done(&reader, &["one", "two"]).await;
    world.all_is_sent().await;
    eventually(SOON, "it is a dead letter", async || world.metric(&dead).await == 1.0).await;

    let [letter] = &world.dead.list().await.unwrap()[..] else { panic!("it is one letter") };
    assert_eq!((letter.queue.as_str(), letter.message.as_str()), (world.queue, "noteWritten"));
    assert_eq!((letter.body.as_str(), letter.cause.as_str()), ("bad", "there is no such note"));
    assert_eq!(letter.attempts, 1);
    assert_eq!(reader.tries("bad"), 1);
}

pub async fn a_handler_that_panics_for_one_message_costs_only_that_one(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    let reader = all_but("bad", || resume_unwind(Box::new("a panic, without its message in the output")));
    world.subscribe(NOTES, &reader).await;
    world.start();
    commit(&world, ["one", "bad", "two"]).await;
    done(&reader, &["one", "two"]).await;
    world.all_is_sent().await;
    eventually(SOON, "it is a dead letter", async || world.dead.list().await.unwrap().len() == 1).await;
    commit(&world, ["three"]).await;
    done(&reader, &["three"]).await;

    let letter = &world.dead.list().await.unwrap()[0];
    assert_eq!((letter.body.as_str(), letter.attempts), ("bad", 5));
    assert!(letter.cause.contains("panicked"), "{}", letter.cause);
    let alone = reader.calls().iter().filter(|call| call.len() == 1 && call[0].body == b"bad").count();
    // A sixth time where it came alone: then the first try, of the batch, looks the same.
    assert!((5..=6).contains(&alone), "it was tried five times by itself: {alone}");
    assert_eq!(reader.bodies(), ["one", "two", "three"]);
}

pub async fn a_handler_that_panics_once_costs_nothing(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    let calls = AtomicUsize::new(0);
    let reader = Reader::new(move |_| {
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            resume_unwind(Box::new("a panic, without its message in the output"));
        }
        Outcome::Done(Effect::Applied)
    });
    world.subscribe(NOTES, &reader).await;
    world.start();
    commit(&world, ["one", "two"]).await;
    done(&reader, &["one", "two"]).await;
    world.all_is_sent().await;
    assert_eq!(world.dead.list().await.unwrap(), []);
}

pub async fn a_dead_letter_is_handled_after_a_redrive_and_says_that_it_is_one(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    let reader = all_but("bad", || Outcome::Reject("a bug".into()));
    world.subscribe(NOTES, &reader).await;
    world.start();
    commit(&world, ["bad"]).await;
    eventually(SOON, "it is a dead letter", async || world.dead.list().await.unwrap().len() == 1).await;
    let letter = world.dead.list().await.unwrap().remove(0);

    assert_eq!(world.dead.redrive(None).await.unwrap(), 1); // the bug is still there
    eventually(SOON, "it is tried again", async || reader.tries("bad") == 2).await;
    eventually(SOON, "it is a dead letter again", async || world.dead.list().await.unwrap().len() == 1).await;

    reader.accept_all();
    assert_eq!(world.dead.redrive(Some(letter.id)).await.unwrap(), 1);
    done(&reader, &["bad"]).await;
    world.all_is_sent().await;
    let message = reader.done().remove(0);
    assert!(message.redriven, "its age says nothing about delivery");
    assert_eq!((message.id, message.occurred_at), (letter.id, letter.occurred_at));
    assert_eq!(world.dead.list().await.unwrap(), []);
    assert_eq!(world.metric(&format!(r#"myevents_dead_letters{{queue="{}"}}"#, world.queue)).await, 0.0);
    let ages = format!(r#"myevents_message_age_seconds_count{{queue="{}"}}"#, world.queue);
    assert_eq!(world.metric(&ages).await, 0.0);
}

pub async fn a_message_that_must_be_read_waits_for_its_reader_and_holds_up_nobody(new_bus: NewBus) {
    let (mut world, reader) = (World::new(new_bus).await, Reader::accepting());
    world.start();
    commit(&world, ["too early"]).await;
    let returned = r#"myevents_messages_published_total{message="noteWritten",result="returned"}"#;
    eventually(SOON, "it comes back", async || world.metric(returned).await >= 1.0).await;
    world.commit("letterWritten", false, ["for nobody"]).await;
    eventually(SOON, "only it waits", async || world.pending().await == 1).await;
    assert_eq!(world.dead.list().await.unwrap(), []);

    world.subscribe(NOTES, &reader).await;
    commit(&world, ["in time"]).await;
    done(&reader, &["in time", "too early"]).await;
    world.all_is_sent().await;
}

pub async fn however_long_messages_had_no_reader_they_reach_it_within_seconds(new_bus: NewBus) {
    let (mut world, reader) = (World::new(new_bus).await, Reader::accepting());
    world.start();
    let bodies: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    world.commit("noteWritten", true, bodies.iter().map(String::as_str)).await;
    let returned = r#"myevents_messages_published_total{message="noteWritten",result="returned"}"#;
    // Four times, which takes 3.5 s; each of them is tried again only after another 4 s.
    eventually(SOON, "they come back", async || world.metric(returned).await >= 80.0).await;
    world.subscribe(NOTES, &reader).await;
    eventually(Duration::from_secs(3), "all are read", async || reader.done().len() == 20).await;
    assert!(world.metric(returned).await < 100.0, "only one is tried more often");
}

pub async fn a_message_that_nobody_has_to_read_is_done(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    world.start();
    world.commit("noteWritten", false, ["for nobody"]).await;
    world.all_is_sent().await;
    assert_eq!(
        world.metric(r#"myevents_messages_published_total{message="noteWritten",result="confirmed"}"#).await,
        1.0
    );
}

pub async fn what_was_committed_survives_a_kill_before_it_was_published(new_bus: NewBus) {
    let world = World::new(new_bus).await;
    commit(&world, ["one", "two"]).await;
    let mut world = world.killed_and_started_again().await;
    assert_eq!(world.pending().await, 2);
    let reader = Reader::accepting();
    world.subscribe(NOTES, &reader).await;
    world.start();
    done(&reader, &["one", "two"]).await;
    world.all_is_sent().await;
}

pub async fn what_was_committed_survives_a_kill_while_it_was_handled(new_bus: NewBus) {
    let mut world = World::new(new_bus).await;
    let stuck = all_but("two", || Outcome::Retry("the store is away".into()));
    world.subscribe(NOTES, &stuck).await;
    world.start();
    commit(&world, ["one", "two"]).await;
    eventually(SOON, "it is being tried", async || stuck.tries("two") >= 2).await;

    let mut next = world.killed_and_started_again().await;
    drop(world);
    let reader = Reader::accepting();
    next.subscribe(NOTES, &reader).await;
    next.start();
    done(&reader, &["two"]).await;
    next.all_is_sent().await;
    assert_eq!(next.dead.list().await.unwrap(), []);
}
