//! An open database file: its lock, its writer, its reader.

use std::{path::PathBuf, sync::Arc};

use process::health::Probe;
use rusqlite::Connection;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    error::StoreError,
    lock::Lock,
    metrics::StoreMetrics,
    open::{self, OpenError, Spec},
    place::Place,
    reader::Reader,
    writer::Writer,
};

/// An open database file. Dropping it finishes what was begun and closes the file cleanly.
pub struct Database {
    path: PathBuf,
    place: Place,
    // In this order: the writer closes last, so that it leaves no write-ahead log behind.
    reader: Reader,
    writer: Writer,
    _lock: Lock,
    closed: DropGuard,
}

impl Database {
    /// Opens the file, or makes it; refuses what it does not know.
    pub fn open(spec: &Spec, metrics: StoreMetrics) -> Result<Self, OpenError> {
        let opened = open::open(spec)?;
        let name = spec.file.trim_end_matches(".db");
        let reader = open::read_only(&opened.path)?;
        let place = Place::of(&opened.path);
        let reader = Reader::start(name, reader);
        let writer = Writer::start(name, opened.connection, place.clone(), metrics);
        let closed = CancellationToken::new().drop_guard();
        Ok(Self { path: opened.path, place, reader, writer, _lock: opened.lock, closed })
    }

    /// Cancelled once the file is closed, which is when the last owner has let go of it: threads of a server do so a moment
    /// after the server has ended. A process that ends before leaves a write-ahead log behind, as after a crash.
    pub fn closed(&self) -> CancellationToken {
        self.closed.token().clone()
    }

    /// A check for `/readyz`: whether what is stored can be read, and is still where the next start looks for it.
    pub fn probe(self: &Arc<Self>) -> Probe {
        let database = self.clone();
        Arc::new(move || {
            let database = database.clone();
            Box::pin(async move {
                database.place.look()?;
                let look = |connection: &Connection| {
                    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
                };
                database.read(look).await.map(|_| "can be read".to_owned()).map_err(|cause| cause.to_string())
            })
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Runs `work` in the next commit. It may fail without harm to the others in that commit. `committed` is called with
    /// its result once that is on disk, even if the caller has gone away meanwhile; it runs on the writer thread, so it
    /// must be quick.
    pub async fn write<T, W, C>(&self, work: W, committed: C) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        C: FnOnce(&T) + Send + 'static,
    {
        self.writer.write(work, committed).await
    }

    /// Reads what is committed.
    pub async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.reader.read(work).await
    }

    /// Makes the file full at `pages` pages, for tests of a full disk. Not in release builds.
    #[cfg(debug_assertions)]
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let limit = move |connection: &Connection| connection.pragma_update(None, "max_page_count", pages);
        self.write(limit, |()| {}).await
    }
}
