//! An open database file: its lock, its writer, and its reader, a thread on a read-only connection of its own that sees every
//! commit that was answered. Read next: `open.rs`, then `writer.rs`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use process::{health::Probe, log_on_change::LogOnChange};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    error::{OpenError, StoreError},
    lock::Lock,
    open::{self, Spec},
    writer::{Commits, Job, JobThread, OpenedFiles, StoreMetrics, job},
};

/// An open database file. Dropping it finishes the waiting requests and closes the file.
pub struct Database {
    path: PathBuf,
    files: OpenedFiles,
    metrics: StoreMetrics,
    // They are dropped in this order: the writer closes last, so that no write-ahead log is left.
    reader: JobThread<ReadJob>,
    writer: JobThread<Job>,
    _lock: Lock,
    closed: DropGuard,
}

impl Database {
    /// Opens the file, or makes it. Refuses a file that is not of this application and version.
    pub fn open(spec: &Spec, metrics: StoreMetrics) -> Result<Self, OpenError> {
        let (path, connection, lock) = open::open(spec)?;
        let name = spec.file.trim_end_matches(".db");
        let reading = open::read_only(&path)?;
        let files = OpenedFiles::of(&path);
        let reader = JobThread::start("reader", name, move |mut waiting: mpsc::Receiver<ReadJob>| {
            let mut log = LogOnChange::working();
            while let Some(job) = waiting.blocking_recv() {
                job(&reading, &mut log);
            }
        });
        let log = LogOnChange::working();
        let commits = Commits { connection, files: files.clone(), metrics: metrics.clone(), log };
        let writer = JobThread::start("writer", name, move |waiting| commits.run(waiting));
        let closed = CancellationToken::new().drop_guard();
        Ok(Self { path, files, metrics, reader, writer, _lock: lock, closed })
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
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.ask(|answer| job(work, committed, answer), |waiting| self.metrics.waiting(waiting)).await
    }

    /// Reads what is committed.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.reader.ask(|answer| read_job(work, answer), |_| {}).await
    }

    /// Makes the file full at `pages` pages, for tests of a full disk. Not in release builds.
    #[cfg(debug_assertions)]
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let limit = move |connection: &Connection| connection.pragma_update(None, "max_page_count", pages);
        self.write(limit, |()| {}).await
    }
}

/// After a failure, the next one is logged after so long without one. That reads work again is not logged: a good read says
/// nothing about the damaged page of another one.
const QUIET_TIME: Duration = Duration::from_secs(60);

type ReadJob = Box<dyn FnOnce(&Connection, &mut LogOnChange<bool>) + Send>;

fn read_job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    answer: oneshot::Sender<Result<T, StoreError>>,
) -> ReadJob {
    Box::new(move |connection, log| {
        let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
        let result = result.unwrap_or_else(|_| Err(rusqlite::Error::UnwindingPanic));
        let file = connection.path().unwrap_or_default();
        match &result {
            Ok(_) => _ = log.works_after(QUIET_TIME),
            Err(cause) if log.fails() => tracing::error!(file, "something stored cannot be read: {cause}"),
            Err(_) => {}
        }
        // An error at the start is shown to the user, who must know which file it is.
        let result = result.map_err(|cause| StoreError::Failed(format!("{file}: {cause}")));
        let _ = answer.send(result); // the caller may have gone away
    })
}
