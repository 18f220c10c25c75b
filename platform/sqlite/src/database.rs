//! An open database file: its lock, its writer, its reader. Read next: `open.rs`, then `writer.rs`.

use std::{path::PathBuf, sync::Arc};

use process::health::Probe;
use rusqlite::Connection;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    error::{OpenError, StoreError},
    lock::Lock,
    metrics::StoreMetrics,
    open::{self, Spec},
    opened_files::OpenedFiles,
    reader::Reader,
    writer::Writer,
};

/// An open database file. Dropping it finishes the waiting requests and closes the file.
pub struct Database {
    path: PathBuf,
    files: OpenedFiles,
    // They are dropped in this order: the writer closes last, so that no write-ahead log is left.
    reader: Reader,
    writer: Writer,
    _lock: Lock,
    closed: DropGuard,
}

impl Database {
    /// Opens the file, or makes it. Refuses a file that is not of this application and version.
    pub fn open(spec: &Spec, metrics: StoreMetrics) -> Result<Self, OpenError> {
        let opened = open::open(spec)?;
        let name = spec.file.trim_end_matches(".db");
        let reader = open::read_only(&opened.path)?;
        let files = OpenedFiles::of(&opened.path);
        let reader = Reader::start(name, reader);
        let writer = Writer::start(name, opened.connection, files.clone(), metrics);
        let closed = CancellationToken::new().drop_guard();
        Ok(Self { path: opened.path, files, reader, writer, _lock: opened.lock, closed })
    }

    /// Cancelled when the file is closed: when its last owner has dropped it. The threads of a server do that a moment after the
    /// server has ended. A process that ends before leaves a write-ahead log, as after a crash.
    pub fn closed(&self) -> CancellationToken {
        self.closed.token().clone()
    }

    /// A check for `/readyz`: whether the file can be read, and is still where the next start looks for it.
    pub fn probe(self: &Arc<Self>) -> Probe {
        let database = self.clone();
        Arc::new(move || {
            let database = database.clone();
            Box::pin(async move {
                database.files.check()?;
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

    /// Runs `work` in the next commit. If it fails, the others of that commit do not. `committed` is called with its result when
    /// that is on disk, also if the caller has gone away. It runs on the writer thread, so it must be quick.
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
