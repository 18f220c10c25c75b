//! The outbox and the dead letters in SQLite.
//!
//! The services' migrations begin with [`SCHEMA`], and their transactions call [`insert`]. A dead letter moves to a table of its
//! own, so that `pending` never has to skip it, and waits there for a redrive.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;
use messaging::{
    DeadLetter, DeadLetters, Entry, LIST_MAX, Message,
    outbox::{Backlog, Outbox, OutboxError, resync},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{database::Database, error::StoreError};

/// The tables. Ids are UUIDs version 7: their order is the order of writing, so new rows go to the end.
pub const SCHEMA: &str = "
CREATE TABLE outbox (
    id          BLOB PRIMARY KEY,
    name        TEXT NOT NULL,
    mandatory   INTEGER NOT NULL,
    body        BLOB NOT NULL,
    occurred_at INTEGER NOT NULL, -- microseconds since 1970
    traceparent TEXT,
    redriven    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
    id          BLOB PRIMARY KEY,
    name        TEXT NOT NULL,
    mandatory   INTEGER NOT NULL,
    body        BLOB NOT NULL,
    occurred_at INTEGER NOT NULL,
    traceparent TEXT,
    dead_queue  TEXT NOT NULL,
    attempts    INTEGER NOT NULL,
    cause       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// How often an empty outbox is polled for rows that were not announced by [`SqliteOutbox::added`]: an operator may insert one.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How many rows there are.
fn count(connection: &Connection) -> rusqlite::Result<u64> {
    connection.prepare_cached("SELECT count(*) FROM outbox")?.query_row([], |row| row.get(0))
}

/// Writes an entry, in the transaction of the state that it describes. [`SqliteOutbox::added`] must be called after the commit.
pub fn insert(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO outbox (id, name, mandatory, body, occurred_at, traceparent) VALUES (?, ?, ?, ?, ?, ?)";
    let Entry { message, mandatory } = entry;
    let occurred_at = message.occurred_at.as_microsecond();
    let values = params![message.id, message.name, mandatory, message.body, occurred_at, message.traceparent];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// The outbox of one database file.
pub struct SqliteOutbox {
    database: Arc<Database>,
    wake: Arc<Notify>,
    /// A running total: counting the rows at each scrape would take longer the more of them wait.
    pending: Arc<AtomicU64>,
    /// When an empty outbox was last polled.
    polled: Mutex<Instant>,
}

impl SqliteOutbox {
    /// Counts the entries of an earlier process. `wake` is notified when there is something to publish.
    pub async fn open(database: Arc<Database>, wake: Arc<Notify>) -> Result<Self, StoreError> {
        let left = database.read(count).await?;
        if left > 0 {
            tracing::info!(messages = left, "an earlier run left messages in the outbox; they go out now");
        }
        let pending = Arc::new(AtomicU64::new(left));
        Ok(Self { database, wake, pending, polled: Mutex::new(Instant::now()) })
    }

    /// What a store calls after the commit of so many entries.
    pub fn added(&self) -> impl Fn(u64) + Clone + Send + 'static {
        let (pending, wake) = (self.pending.clone(), self.wake.clone());
        move |entries| {
            pending.fetch_add(entries, Ordering::Relaxed);
            if entries > 0 {
                wake.notify_one();
            }
        }
    }

    fn removed(&self) -> impl Fn(&u64) + Send + 'static {
        let pending = self.pending.clone();
        move |entries| {
            let less = |pending: u64| Some(pending.saturating_sub(*entries)); // a row may not have been announced
            let _ = pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// The running total.
    fn waiting(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    /// Whether an empty outbox must be polled now.
    fn poll_is_due(&self) -> bool {
        let mut polled = self.polled.lock().unwrap_or_else(PoisonError::into_inner);
        let due = polled.elapsed() >= POLL_INTERVAL;
        if due {
            *polled = Instant::now();
        }
        due
    }

    /// Counts anew if there is a row although none was announced. A read error is not logged here; the next request logs it.
    async fn poll(&self) {
        let exists = |connection: &Connection| connection.prepare_cached("SELECT 1 FROM outbox LIMIT 1")?.exists([]);
        if self.database.read(exists).await.unwrap_or(false) && self.recount().await.is_ok() {
            self.wake.notify_one();
        }
    }

    /// Counts on the writer thread, in order with all that adds and removes rows, so that none is counted twice.
    async fn recount(&self) -> Result<(), StoreError> {
        let pending = self.pending.clone();
        self.database.write(count, move |rows| pending.store(*rows, Ordering::Relaxed)).await.map(drop)
    }
}

#[async_trait]
impl Outbox for SqliteOutbox {
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        if self.waiting() == 0 && self.poll_is_due() {
            self.poll().await;
        }
        if self.waiting() == 0 {
            return Ok(Vec::new()); // the usual case, twice a second: the reader thread sleeps on
        }
        let oldest = move |connection: &Connection| {
            connection.prepare_cached(PENDING)?.query_map([max as i64], entry)?.collect::<Result<Vec<_>, _>>()
        };
        let entries = self.database.read(oldest).await?;
        if entries.is_empty() && self.waiting() > 0 {
            self.recount().await?; // an operator has removed rows
        }
        Ok(entries)
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = ids.to_owned();
        let delete = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("DELETE FROM outbox WHERE id = ?")?;
            ids.iter().map(|id| statement.execute([id]).map(|rows| rows as u64)).sum()
        };
        self.database.write(delete, self.removed()).await?;
        Ok(())
    }

    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
        let (queue, cause) = (queue.to_owned(), cause.to_owned());
        let set_aside = move |connection: &Connection| {
            let sql = "INSERT INTO dead_letters (id, name, mandatory, body, occurred_at, traceparent, dead_queue, attempts, cause)
                       SELECT id, name, mandatory, body, occurred_at, traceparent, ?, ?, ? FROM outbox WHERE id = ?";
            connection.prepare_cached(sql)?.execute(params![queue, attempts, cause, id])?;
            connection.prepare_cached("DELETE FROM outbox WHERE id = ?")?.execute([id]).map(|rows| rows as u64)
        };
        self.database.write(set_aside, self.removed()).await?;
        Ok(())
    }

    async fn request_resync(&self) -> Result<(), OutboxError> {
        let (request, added) = (resync::request(), self.added());
        let stored = self.database.write(move |connection| insert(connection, &request), move |()| added(1));
        Ok(stored.await?)
    }

    async fn backlog(&self) -> Result<Backlog, OutboxError> {
        if self.waiting() == 0 {
            self.poll().await;
        }
        let pending = self.waiting();
        if pending == 0 {
            return Ok(Backlog::default());
        }
        let oldest = |connection: &Connection| {
            let sql = "SELECT occurred_at FROM outbox ORDER BY id LIMIT 1";
            connection.prepare_cached(sql)?.query_row([], |row| timestamp(row, 0)).optional()
        };
        Ok(Backlog { pending, oldest: self.database.read(oldest).await? })
    }
}

#[async_trait]
impl DeadLetters for SqliteOutbox {
    async fn list(&self) -> Result<Vec<DeadLetter>, OutboxError> {
        let list = |connection: &Connection| {
            connection.prepare_cached(DEAD_LETTERS)?.query_map([LIST_MAX as i64], dead_letter)?.collect()
        };
        Ok(self.database.read(list).await?)
    }

    async fn counts(&self) -> Result<Vec<(String, u64)>, OutboxError> {
        let count = |connection: &Connection| {
            let sql = "SELECT dead_queue, count(*) FROM dead_letters GROUP BY dead_queue";
            connection.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        Ok(self.database.read(count).await?)
    }

    async fn redrive(&self, id: Option<Uuid>) -> Result<u64, OutboxError> {
        let bring_back = move |connection: &Connection| {
            let sql = "INSERT INTO outbox (id, name, mandatory, body, occurred_at, traceparent, redriven)
                       SELECT id, name, mandatory, body, occurred_at, traceparent, 1 FROM dead_letters
                       WHERE ?1 IS NULL OR id = ?1";
            let rows = connection.prepare_cached(sql)?.execute([id])?;
            connection.prepare_cached("DELETE FROM dead_letters WHERE ?1 IS NULL OR id = ?1")?.execute([id])?;
            Ok(rows as u64)
        };
        let added = self.added();
        Ok(self.database.write(bring_back, move |rows| added(*rows)).await?)
    }
}

impl From<StoreError> for OutboxError {
    fn from(cause: StoreError) -> Self {
        Self(cause.to_string())
    }
}

/// The oldest entries first, with a limit.
pub(super) const PENDING: &str =
    "SELECT id, name, mandatory, body, occurred_at, traceparent, redriven FROM outbox ORDER BY id LIMIT ?";

/// The oldest dead letters first, with a limit.
pub(super) const DEAD_LETTERS: &str =
    "SELECT id, dead_queue, name, cause, attempts, occurred_at, body FROM dead_letters ORDER BY id LIMIT ?";

pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let message = Message {
        id: row.get(0)?,
        name: row.get(1)?,
        body: row.get(3)?,
        occurred_at: timestamp(row, 4)?,
        traceparent: row.get(5)?,
        redriven: row.get(6)?,
    };
    Ok(Entry { message, mandatory: row.get(2)? })
}

pub(super) fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let body: Vec<u8> = row.get(6)?;
    Ok(DeadLetter {
        id: row.get(0)?,
        queue: row.get(1)?,
        message: row.get(2)?,
        cause: row.get(3)?,
        attempts: row.get(4)?,
        occurred_at: timestamp(row, 5)?,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let microseconds = row.get(column)?;
    Timestamp::from_microsecond(microseconds)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, microseconds))
}
