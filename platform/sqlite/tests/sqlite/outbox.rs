//! The outbox and the dead letters in a database file.

use std::sync::Arc;

use messaging::{
    DeadLetters, Entry,
    metrics::show_backlog,
    outbox::{Backlog, Outbox},
};
use process::metrics::Metrics;
use sqlite::{
    Database,
    outbox::{SqliteOutbox, insert},
};
use tempfile::TempDir;
use testing::notes::{new_database, open};
use tokio::sync::Notify;
use uuid::Uuid;

async fn outbox_of(database: &Arc<Database>) -> Arc<SqliteOutbox> {
    Arc::new(SqliteOutbox::open(database.clone(), Arc::new(Notify::new())).await.unwrap())
}

async fn new_outbox() -> (TempDir, Arc<Database>, Arc<SqliteOutbox>) {
    let (folder, database) = new_database();
    let database = Arc::new(database);
    let outbox = outbox_of(&database).await;
    (folder, database, outbox)
}

/// Commits so many entries, each with a trace of its own.
async fn commit(database: &Database, outbox: &SqliteOutbox, count: usize) -> Vec<Entry> {
    let entry = |n: usize| Entry::new("noteWritten", true, format!("{{\"n\":{n}}}").into(), Some(format!("trace-{n}")));
    let entries: Vec<Entry> = (0..count).map(entry).collect();
    let (written, added) = (entries.clone(), outbox.added());
    let write =
        database.write(move |c| written.iter().try_for_each(|entry| insert(c, entry)), move |()| added(count as u64));
    write.await.unwrap();
    // As it is stored: microseconds.
    entries.into_iter().map(cut).collect()
}

fn cut(mut entry: Entry) -> Entry {
    let microseconds = entry.message.occurred_at.as_microsecond();
    entry.message.occurred_at = jiff::Timestamp::from_microsecond(microseconds).unwrap();
    entry
}

fn ids(entries: &[Entry]) -> Vec<Uuid> {
    entries.iter().map(|entry| entry.message.id).collect()
}

#[tokio::test]
async fn what_is_committed_is_pending_as_it_was_in_the_order_of_writing_until_it_was_sent() {
    let (_folder, database, outbox) = new_outbox().await;
    assert_eq!(outbox.pending(10).await.unwrap(), []);
    let entries = commit(&database, &outbox, 5).await;
    assert_eq!(outbox.pending(3).await.unwrap(), entries[..3]);

    outbox.mark_published(&ids(&entries[1..3])).await.unwrap();
    outbox.mark_published(&ids(&entries[1..3])).await.unwrap(); // an answer that was lost: once more is no error
    assert_eq!(outbox.pending(10).await.unwrap(), [&entries[..1], &entries[3..]].concat());
    assert_eq!(outbox.backlog().await.unwrap().pending, 3);
}

#[tokio::test]
async fn an_entry_that_failed_to_commit_is_not_pending() {
    let (_folder, database, outbox) = new_outbox().await;
    let entry = Entry::new("noteWritten", true, b"{}".to_vec(), None);
    let added = outbox.added();
    let write = database.write(
        move |c| {
            insert(c, &entry)?;
            c.execute("INSERT INTO nowhere VALUES (1)", [])
        },
        move |_| added(1),
    );
    write.await.unwrap_err();
    assert_eq!(outbox.pending(10).await.unwrap(), []);
    assert_eq!(outbox.backlog().await.unwrap(), Backlog::default());
}

#[tokio::test]
async fn the_backlog_is_right_as_soon_as_the_file_is_opened_again() {
    let (folder, database, outbox) = new_outbox().await;
    let entries = commit(&database, &outbox, 3).await;
    outbox.mark_published(&ids(&entries[..1])).await.unwrap();
    outbox.dead_letter(entries[2].message.id, "notes", "no such note", 1).await.unwrap();
    let left = Backlog { pending: 1, oldest: Some(entries[1].message.occurred_at) };
    assert_eq!(outbox.backlog().await.unwrap(), left);
    drop(outbox);
    drop(database);

    let database = Arc::new(open(folder.path()).unwrap());
    let outbox = outbox_of(&database).await;
    assert_eq!(outbox.backlog().await.unwrap(), left);
    assert_eq!(outbox.pending(10).await.unwrap(), entries[1..2]);
    assert_eq!(outbox.counts().await.unwrap(), [("notes".to_owned(), 1)]);
}

#[tokio::test]
async fn a_dead_letter_is_listed_with_its_queue_its_cause_and_what_it_said() {
    let (_folder, database, outbox) = new_outbox().await;
    let entries = commit(&database, &outbox, 2).await;
    let message = &entries[0].message;
    for _ in 0..2 {
        outbox.dead_letter(message.id, "notes", "no such note", 5).await.unwrap(); // twice: the answer may have been lost
    }
    assert_eq!(outbox.pending(10).await.unwrap(), entries[1..]);
    assert_eq!(outbox.backlog().await.unwrap().pending, 1);
    let [letter] = &outbox.list().await.unwrap()[..] else { panic!("it is one letter") };
    assert_eq!((letter.id, letter.occurred_at), (message.id, message.occurred_at));
    assert_eq!((letter.queue.as_str(), letter.message.as_str()), ("notes", "noteWritten"));
    assert_eq!((letter.cause.as_str(), letter.attempts, letter.body.as_str()), ("no such note", 5, r#"{"n":0}"#));
}

#[tokio::test]
async fn a_redrive_brings_back_one_or_all_unchanged_but_for_the_mark() {
    let (_folder, database, outbox) = new_outbox().await;
    let entries = commit(&database, &outbox, 3).await;
    for id in ids(&entries) {
        outbox.dead_letter(id, "notes", "no such note", 1).await.unwrap();
    }
    assert_eq!(outbox.redrive(Some(Uuid::now_v7())).await.unwrap(), 0);
    assert_eq!(outbox.redrive(Some(entries[1].message.id)).await.unwrap(), 1);
    let mut again = entries.clone();
    again.iter_mut().for_each(|entry| entry.message.redriven = true);
    assert_eq!(outbox.pending(10).await.unwrap(), again[1..2]);
    assert_eq!(outbox.counts().await.unwrap(), [("notes".to_owned(), 2)]);

    assert_eq!(outbox.redrive(None).await.unwrap(), 2);
    assert_eq!(outbox.pending(10).await.unwrap(), again);
    assert_eq!(outbox.backlog().await.unwrap().pending, 3);
    assert_eq!(outbox.list().await.unwrap(), []);
    assert_eq!(outbox.redrive(None).await.unwrap(), 0);
}

#[tokio::test]
async fn the_metrics_show_what_waits_since_when_and_what_is_dead() {
    let (_folder, database, outbox) = new_outbox().await;
    let mut metrics = Metrics::default();
    show_backlog(&mut metrics, outbox.clone(), outbox.clone(), || vec!["notes", "letters"]).unwrap();
    let text = metrics.text().await;
    for line in [
        "myevents_outbox_pending_messages 0",
        "myevents_outbox_oldest_pending_timestamp_seconds 0",
        "myevents_dead_letters{queue=\"notes\"} 0",
        "myevents_dead_letters{queue=\"letters\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
    }
    let entries = commit(&database, &outbox, 3).await;
    outbox.dead_letter(entries[2].message.id, "notes", "no such note", 1).await.unwrap();
    let text = metrics.text().await;
    let oldest = entries[0].message.occurred_at.as_microsecond() as f64 / 1e6;
    for line in [
        "myevents_outbox_pending_messages 2",
        &format!("myevents_outbox_oldest_pending_timestamp_seconds {oldest}"),
        "myevents_dead_letters{queue=\"notes\"} 1",
        "myevents_dead_letters{queue=\"letters\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
    }
}

#[tokio::test]
async fn a_row_that_somebody_wrote_by_hand_is_counted_and_goes_and_the_count_is_right_again() {
    let (folder, database, outbox) = new_outbox().await;
    let by_hand = rusqlite::Connection::open(testing::notes::file(folder.path())).unwrap();
    let entry = Entry::new("noteWritten", true, b"{}".to_vec(), None);
    insert(&by_hand, &entry).unwrap();

    assert_eq!(outbox.backlog().await.unwrap().pending, 1);
    assert_eq!(ids(&outbox.pending(10).await.unwrap()), [entry.message.id]);
    outbox.mark_published(&[entry.message.id]).await.unwrap();
    assert_eq!(outbox.backlog().await.unwrap(), Backlog::default());

    // Between two looks: sent without ever having been counted, and gone without having been sent.
    let announced = commit(&database, &outbox, 1).await;
    insert(&by_hand, &entry).unwrap();
    outbox.mark_published(&[announced[0].message.id, entry.message.id]).await.unwrap();
    assert_eq!(outbox.backlog().await.unwrap(), Backlog::default());
    commit(&database, &outbox, 2).await;
    by_hand.execute("DELETE FROM outbox", []).unwrap();
    assert_eq!(outbox.pending(10).await.unwrap(), []);
    assert_eq!(outbox.backlog().await.unwrap(), Backlog::default());
}
