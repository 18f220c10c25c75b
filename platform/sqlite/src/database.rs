//! An open database file: its lock, its writer, and its reader, a thread on a read-only connection of its own that sees every
//! commit that was answered. Read next: `open.rs`, then `writer.rs`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
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
    writer::{OpenedFiles, StoreMetrics, Writer},
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

/// The most requests that wait in the queue.
const QUEUE_MAX: usize = 4096;

/// How long a request waits for a place in a full queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// After a failure, the next one is logged after so long without one. That reads work again is not logged: a good read says
/// nothing about the damaged page of another one.
const QUIET_TIME: Duration = Duration::from_secs(60);

type Job = Box<dyn FnOnce(&Connection, &mut LogOnChange<bool>) + Send>;

pub(super) struct Reader {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(name: &str, connection: Connection) -> Self {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE_MAX);
        let thread = std::thread::Builder::new().name(format!("reader-{name}"));
        let thread = thread.spawn(move || {
            let mut log = LogOnChange::working();
            while let Some(job) = waiting.blocking_recv() {
                job(&connection, &mut log);
            }
        });
        Self { jobs: Some(jobs), thread: Some(thread.expect("the process can start a thread")) }
    }

    pub(super) async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection, log| {
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
        });
        let jobs = self.jobs.as_ref().expect("it is there until the drop");
        jobs.send_timeout(job, QUEUE_TIMEOUT).await.map_err(|_| StoreError::Overloaded)?;
        answered.await.map_err(|_| StoreError::Failed("the reader has stopped".into()))?
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
