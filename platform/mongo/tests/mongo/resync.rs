//! A resync republishes the whole state: each piece once for each request, to the end, also after a crash.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use messaging::{
    Entry,
    outbox::{
        Outbox, OutboxError,
        resync::{ResyncOutbox, Snapshot},
    },
};
use mongo::outbox::MongoOutbox;
use paging::Cursor;
use sqlite::outbox::SqliteOutbox;
use testing::notes::new_database;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::outbox;

/// More than two pages.
const NOTES: u128 = 600;

/// As a relay asks.
const BATCH: usize = 512;

/// Notes with the numbers from 1 on.
struct Notes;

#[async_trait]
impl Snapshot for Notes {
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError> {
        let next = after.map_or(0, |position| position.id.as_u128()) + 1;
        let entry = |number: u128| {
            let position = Cursor { number: 0, id: Uuid::from_u128(number) };
            (position, Entry::new("noteWritten", true, number.to_string().into(), None))
        };
        Ok((next..=NOTES).take(max).map(entry).collect())
    }
}

/// Confirms all that waits, for at most so many rounds; answers how often each note was published.
async fn relay(resync: &ResyncOutbox, rounds: usize) -> BTreeMap<u128, usize> {
    let (mut seen, mut idle) = (BTreeMap::new(), 0);
    for _ in 0..rounds {
        let waiting = resync.pending(BATCH).await.unwrap();
        let (notes, others): (Vec<_>, Vec<_>) = waiting.iter().partition(|entry| entry.message.name == "noteWritten");
        assert!(others.is_empty(), "{others:?}");
        idle = if notes.is_empty() { idle + 1 } else { 0 };
        if idle == 2 {
            break;
        }
        if notes.is_empty() {
            continue; // between two resyncs
        }
        assert_eq!(resync.pending(BATCH).await.unwrap(), waiting, "what is not confirmed is given out again");
        for entry in &notes {
            let number = String::from_utf8(entry.message.body.clone()).unwrap().parse().unwrap();
            *seen.entry(number).or_default() += 1;
        }
        resync.mark_published(&notes.iter().map(|entry| entry.message.id).collect::<Vec<_>>()).await.unwrap();
    }
    seen
}

fn is_each(seen: &BTreeMap<u128, usize>, times: usize) -> bool {
    *seen == (1..=NOTES).map(|number| (number, times)).collect()
}

async fn holds(outbox: Arc<dyn Outbox>) {
    let resync = ResyncOutbox::new(outbox.clone(), Arc::new(Notes));
    assert_eq!(relay(&resync, usize::MAX).await, BTreeMap::new(), "nobody has asked");

    resync.request_resync().await.unwrap();
    assert!(is_each(&relay(&resync, usize::MAX).await, 1));
    assert_eq!(outbox.pending(BATCH).await.unwrap(), [], "the request is done");

    resync.request_resync().await.unwrap();
    assert_eq!(relay(&resync, 1).await.len(), 256);
    resync.request_resync().await.unwrap(); // what was published may be lost again
    let mut seen = relay(&resync, usize::MAX).await;
    (1..=256).for_each(|number| *seen.entry(number).or_default() += 1);
    assert!(is_each(&seen, 2), "{seen:?}");

    resync.request_resync().await.unwrap();
    relay(&resync, 2).await;
    drop(resync); // the process dies
    let resync = ResyncOutbox::new(outbox.clone(), Arc::new(Notes));
    assert!(is_each(&relay(&resync, usize::MAX).await, 1), "it begins again");
    assert_eq!(outbox.pending(BATCH).await.unwrap(), []);
}

#[tokio::test]
async fn a_resync_republishes_everything_from_a_database_file() {
    let (_folder, database) = new_database();
    let outbox = SqliteOutbox::open(Arc::new(database), Arc::new(Notify::new())).await.unwrap();
    holds(Arc::new(outbox)).await;
}

#[tokio::test]
async fn a_resync_republishes_everything_from_mongodb() {
    let Some(mongo) = outbox::connect().await else { return };
    holds(MongoOutbox::new(&mongo, &["notes"], Arc::default(), None)).await;
}
