//! The outbox and the dead letters in SQLite.
//!
//! The services' migrations begin with [`SCHEMA`], and their transactions call [`insert`]. An entry that a subscriber
//! will never take moves to a table of its own: `pending` then never steps over it, and it waits there for a redrive.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Database, StoreError};
use crate::{
    messaging::{Entry, Message},
    outbox::{Backlog, DeadLetter, DeadLetters, Outbox, OutboxError},
};

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

const LIST_MAX: i64 = 1000;

/// Writes an entry, in the transaction of the state it tells of. Whoever commits that must call
/// [`SqliteOutbox::added`] afterwards.
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
}

impl SqliteOutbox {
    /// Counts what an earlier process left. `wake` is notified when there is something to publish.
    pub async fn open(database: Arc<Database>, wake: Arc<Notify>) -> Result<Self, StoreError> {
        let count = |connection: &Connection| connection.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0));
        let left: u64 = database.read(count).await?;
        if left > 0 {
            tracing::info!(messages = left, "an earlier run left messages in the outbox; they go out now");
        }
        let pending = Arc::new(AtomicU64::new(left));
        Ok(Self { database, wake, pending })
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
            pending.fetch_sub(*entries, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Outbox for SqliteOutbox {
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        if self.pending.load(Ordering::Relaxed) == 0 {
            return Ok(Vec::new()); // the usual case twice a second, and no reason to wake the reader
        }
        Ok(self.database.read(move |connection| pending_in(connection, max as i64)).await?)
    }

    async fn sent(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
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

    async fn dead(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
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

    async fn backlog(&self) -> Result<Backlog, OutboxError> {
        let pending = self.pending.load(Ordering::Relaxed);
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
        Ok(self.database.read(|connection| dead_letters_in(connection, LIST_MAX)).await?)
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

pub(super) fn pending_in(connection: &Connection, max: i64) -> rusqlite::Result<Vec<Entry>> {
    let sql = "SELECT id, name, mandatory, body, occurred_at, traceparent, redriven FROM outbox ORDER BY id LIMIT ?";
    connection.prepare_cached(sql)?.query_map([max], entry)?.collect()
}

pub(super) fn dead_letters_in(connection: &Connection, max: i64) -> rusqlite::Result<Vec<DeadLetter>> {
    let sql = "SELECT id, dead_queue, name, cause, attempts, occurred_at, body
               FROM dead_letters ORDER BY id LIMIT ?";
    connection.prepare_cached(sql)?.query_map([max], dead_letter)?.collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
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

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
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
