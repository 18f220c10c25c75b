//! The outbox inside the documents, and the dead letters beside them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use messaging::{DeadLetters, Entry, outbox::Outbox};
use metrics::Registry;
use mongo::{
    Mongo,
    address::MongoUrl,
    error::Deadline,
    faults::{Fault, Faults},
    key,
    metrics::ClientMetrics,
    outbox::{MongoOutbox, StoredEntry},
    table::Table,
};
use mongodb::bson::{self, doc};
use process::{
    background::Background,
    checks::{Checks, option},
};
use testing::eventually;
use uuid::Uuid;

const NOTES: &str = "notes";

/// The URL of a database that nobody else uses, and its name.
pub(crate) fn new_url() -> Option<(String, String)> {
    let name = format!("myevents-test-{}", Uuid::new_v4().simple());
    Some((testing::mongo_server::shared()?.url(&name), name))
}

pub(crate) async fn client_of(url: &str, service: &str) -> Mongo {
    let url = Some(url.to_owned());
    let url = MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &url), option("", &None)).unwrap();
    Mongo::open(&url, service, ClientMetrics::new(&Registry::new()).unwrap()).await.unwrap()
}

pub(crate) async fn connect() -> Option<Mongo> {
    Some(client_of(&new_url()?.0, "notes").await)
}

fn outbox_of(mongo: &Mongo) -> Arc<MongoOutbox> {
    MongoOutbox::new(mongo, &[NOTES], Arc::default(), None)
}

/// Writes a note for each entry, as a service would.
async fn commit(mongo: &Mongo, outbox: &MongoOutbox, count: usize) -> Vec<Entry> {
    commit_by(mongo, outbox, count, SignedDuration::ZERO).await
}

/// The same by a process whose clock is wrong by so much.
async fn commit_by(mongo: &Mongo, outbox: &MongoOutbox, count: usize, wrong: SignedDuration) -> Vec<Entry> {
    let mut written = Vec::new();
    for n in 0..count {
        let mut entry = Entry::new("noteWritten", true, format!("{{\"n\":{n}}}").into(), Some(format!("trace-{n}")));
        entry.message.occurred_at += wrong;
        let (id, stored) = (Uuid::now_v7(), bson::serialize_to_bson(&StoredEntry::from(&entry)).unwrap());
        let note = doc! { "_id": key(id), "outbox": [stored] };
        Table::of(mongo, NOTES).insert(Deadline::new(), "note", note).await.unwrap();
        let entry = Entry::from(StoredEntry::from(&entry)); // as it is stored: microseconds
        outbox.committed(NOTES, id, [entry.clone()]);
        written.push(entry);
    }
    written
}

fn ids(entries: &[Entry]) -> Vec<Uuid> {
    entries.iter().map(|entry| entry.message.id).collect()
}

/// How many messages are in the notes.
async fn stored(mongo: &Mongo) -> u64 {
    let waiting = doc! { "$match": { "outbox.at": { "$gt": 0 } } };
    Table::<bson::Document>::of(mongo, NOTES).aggregate(Deadline::new(), vec![waiting]).await.unwrap().len() as u64
}

#[tokio::test]
async fn what_a_process_commits_is_pending_at_once_in_the_order_of_writing_until_it_was_sent() {
    let Some(mongo) = connect().await else { return };
    let outbox = outbox_of(&mongo);
    assert_eq!(outbox.pending(10).await.unwrap(), []);
    let entries = commit(&mongo, &outbox, 5).await;
    assert_eq!(outbox.pending(3).await.unwrap(), entries[..3]);
    outbox.mark_published(&ids(&entries[1..3])).await.unwrap();
    outbox.mark_published(&ids(&entries[1..3])).await.unwrap(); // an answer that was lost: once more is no error
    assert_eq!(outbox.pending(10).await.unwrap(), [&entries[..1], &entries[3..]].concat());
    assert_eq!(stored(&mongo).await, 3);
}

#[tokio::test]
async fn what_another_process_left_is_pending_for_the_leader_with_all_it_had_and_is_counted() {
    let Some(mongo) = connect().await else { return };
    let entries = commit(&mongo, &outbox_of(&mongo), 3).await; // by a process that dies here
    let (outbox, background) = (outbox_of(&mongo), Background::default());
    outbox.start(&mongo, &background);
    let within = Duration::from_secs(15);
    eventually(within, "the leader finds them", async || outbox.pending(10).await.unwrap() == entries).await;
    eventually(within, "they are counted", async || outbox.backlog().await.unwrap().pending == 3).await;
    assert_eq!(outbox.backlog().await.unwrap().oldest, Some(entries[0].message.occurred_at));
    outbox.mark_published(&ids(&entries)).await.unwrap();
    assert_eq!(stored(&mongo).await, 0);
    eventually(within, "none is counted", async || outbox.backlog().await.unwrap().pending == 0).await;
}

#[tokio::test]
async fn what_another_process_left_is_pending_after_the_same_time_whatever_its_clock_said() {
    let Some(mongo) = connect().await else { return };
    let (leader, background) = (outbox_of(&mongo), Background::default());
    leader.start(&mongo, &background);
    eventually(Duration::from_secs(10), "it is the leader", async || leader.is_leader()).await;
    let (dead, mut left) = (outbox_of(&mongo), Vec::new());
    for wrong in [SignedDuration::from_mins(-10), SignedDuration::ZERO, SignedDuration::from_mins(10)] {
        let entries = commit_by(&mongo, &dead, 2, wrong).await;
        let own = dead.pending(10).await.unwrap();
        assert!(entries.iter().all(|entry| own.contains(entry)), "{wrong:?}");
        left.extend(entries);
    }
    let began = Instant::now();
    eventually(Duration::from_secs(9), "the leader finds them", async || {
        let found = leader.pending(10).await.unwrap();
        assert!(found.is_empty() || began.elapsed() > Duration::from_secs(4), "their own process publishes them");
        found == left
    })
    .await;
    assert_eq!(dead.pending(10).await.unwrap(), [], "it leaves them to the leader");
}

#[cfg(debug_assertions)] // faults are not in release builds
#[tokio::test]
async fn what_was_confirmed_while_the_database_was_away_is_not_published_again_but_removed_later() {
    let Some(mongo) = connect().await else { return };
    let away = Arc::new(AtomicBool::new(false));
    let seen = away.clone();
    let faults = move |_| if seen.load(Ordering::Relaxed) { Fault::LostRequest } else { Fault::None };
    let mongo = mongo.with_faults(Faults::new(faults));
    let outbox = outbox_of(&mongo);
    let entries = commit(&mongo, &outbox, 2).await;
    away.store(true, Ordering::Relaxed);
    outbox.mark_published(&ids(&entries[..1])).await.unwrap_err();
    outbox.pending(10).await.unwrap_err();
    away.store(false, Ordering::Relaxed);
    assert_eq!(outbox.pending(10).await.unwrap(), entries[1..]);
    assert_eq!(stored(&mongo).await, 1);
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_redriven_unchanged_but_for_the_mark() {
    let Some(mongo) = connect().await else { return };
    let (outbox, background) = (outbox_of(&mongo), Background::default());
    outbox.start(&mongo, &background);
    let letters = outbox.dead_letters();
    let entries = commit(&mongo, &outbox, 2).await;
    for _ in 0..2 {
        outbox.dead_letter(entries[0].message.id, "notes", "no such note", 5).await.unwrap(); // twice: the answer was lost
    }
    assert_eq!(outbox.pending(10).await.unwrap(), entries[1..]);
    outbox.mark_published(&ids(&entries[1..])).await.unwrap();
    let [letter] = &letters.list().await.unwrap()[..] else { panic!("it is one letter") };
    assert_eq!((letter.id, letter.occurred_at), (entries[0].message.id, entries[0].message.occurred_at));
    assert_eq!((letter.queue.as_str(), letter.cause.as_str(), letter.attempts), ("notes", "no such note", 5));
    assert_eq!(letter.body, r#"{"n":0}"#);
    assert_eq!(letters.counts().await.unwrap(), [("notes".to_owned(), 1)]);

    assert_eq!(letters.redrive(Some(Uuid::now_v7())).await.unwrap(), 0);
    assert_eq!(letters.redrive(None).await.unwrap(), 1);
    assert_eq!((letters.list().await.unwrap(), letters.counts().await.unwrap()), (vec![], vec![]));
    let mut again = entries[0].clone();
    again.message.redriven = true;
    let within = Duration::from_secs(15);
    let back = async || outbox.pending(10).await.unwrap() == [again.clone()];
    eventually(within, "the leader relays it again", back).await;

    // It may die once more, and be redriven once more; then it arrives, and nothing is left.
    outbox.dead_letter(again.message.id, "notes", "still no such note", 1).await.unwrap();
    assert_eq!(letters.list().await.unwrap()[0].cause, "still no such note");
    assert_eq!(letters.redrive(Some(again.message.id)).await.unwrap(), 1);
    eventually(within, "the leader relays it again", async || !outbox.pending(10).await.unwrap().is_empty()).await;
    outbox.mark_published(&[again.message.id]).await.unwrap();
    assert_eq!(letters.redrive(None).await.unwrap(), 0);
    let all = Table::<bson::Document>::of(&mongo, "dead_letters").aggregate(Deadline::new(), vec![]).await.unwrap();
    assert_eq!(all, []);
}
