//! The writer: many requests share a commit, and none of them harms another.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use metrics::Registry;
use sqlite::{Database, StoreError, writer::StoreMetrics};
use testing::{
    eventually,
    notes::{hold_the_writer, new_database, notes, spec, store},
};
use tokio::task::JoinSet;

#[tokio::test]
async fn many_concurrent_writes_share_few_commits() {
    let (folder, registry) = (tempfile::tempdir().unwrap(), Registry::new());
    let database = Database::open(&spec(folder.path()), StoreMetrics::new(&registry).unwrap()).unwrap();
    let database = Arc::new(database);
    let held = hold_the_writer(&database).await;
    let mut writes = JoinSet::new();
    for number in 0..1000 {
        let database = database.clone();
        writes.spawn(async move { store(&database, number.to_string()).await.unwrap() });
    }
    let waiting = || registry.value("myevents_store_write_queue").unwrap();
    eventually(Duration::from_secs(10), "all writes wait", async || waiting() == 1000.0).await;
    drop(held);
    writes.join_all().await;
    assert_eq!(notes(&database).await.len(), 1000);
    let commits = registry.value("myevents_store_commit_duration_seconds").unwrap();
    assert!(commits <= 10.0, "1000 writes took {commits} commits");
}

/// Runs a good write, `bad`, and another good one in the same commit.
async fn between_two_good_writes(bad: impl Future<Output = Result<(), StoreError>>, database: &Arc<Database>) {
    let held = hold_the_writer(database).await;
    let release = async { drop(held) }; // polled last, when all three wait
    let (before, bad, after, ()) = tokio::join!(store(database, "before"), bad, store(database, "after"), release);
    assert!(before.is_ok() && after.is_ok());
    assert!(bad.is_err());
    assert_eq!(notes(database).await, ["before", "after"]);
    store(database, "later").await.unwrap();
}

#[tokio::test]
async fn a_request_that_fails_undoes_only_its_own_work() {
    let (_folder, database) = new_database();
    let database = Arc::new(database);
    let bad = database.write(
        |c| {
            c.execute("INSERT INTO notes (text) VALUES ('half done')", [])?;
            c.execute("INSERT INTO nowhere VALUES (1)", []).map(drop)
        },
        |()| panic!("it was not committed"),
    );
    between_two_good_writes(bad, &database).await;
}

#[tokio::test]
async fn a_request_that_panics_harms_nobody_else() {
    let (_folder, database) = new_database();
    let database = Arc::new(database);
    let bad = database.write(
        |c| {
            c.execute("INSERT INTO notes (text) VALUES ('half done')", [])?;
            resume_unwind(Box::new("a panic, without its message in the output"))
        },
        |()| panic!("it was not committed"),
    );
    between_two_good_writes(bad, &database).await;
}

#[tokio::test]
async fn a_callback_that_panics_harms_nobody_else() {
    let (_folder, database) = new_database();
    let database = Arc::new(database);
    let held = hold_the_writer(&database).await;
    let release = async { drop(held) };
    let bad = database.write(|_| Ok(()), |()| resume_unwind(Box::new("a panic, without its message in the output")));
    let (before, _, after, ()) = tokio::join!(store(&database, "before"), bad, store(&database, "after"), release);
    assert!(before.is_ok() && after.is_ok());
    store(&database, "later").await.unwrap();
    assert_eq!(notes(&database).await, ["before", "after", "later"]);
}

#[tokio::test]
async fn a_read_that_panics_harms_nobody_else() {
    let (_folder, database) = new_database();
    let read = database.read::<()>(|_| resume_unwind(Box::new("a panic")));
    assert!(read.await.is_err());
    assert!(notes(&database).await.is_empty());
}

#[tokio::test]
async fn what_was_asked_for_is_done_and_counted_also_when_the_caller_has_gone_away() {
    let (_folder, database) = new_database();
    let database = Arc::new(database);
    let counted = Arc::new(AtomicBool::new(false));
    let seen = counted.clone();
    let held = hold_the_writer(&database).await;
    let write = database.write(
        |c| c.execute("INSERT INTO notes (text) VALUES ('kept')", []).map(drop),
        move |()| seen.store(true, Ordering::SeqCst),
    );
    tokio::select! {
        biased;
        _ = write => panic!("the writer is held"),
        () = tokio::task::yield_now() => {} // the write has been polled, and is dropped
    }
    drop(held);
    eventually(Duration::from_secs(10), "it is counted", async || counted.load(Ordering::SeqCst)).await;
    assert_eq!(notes(&database).await, ["kept"]);
}
