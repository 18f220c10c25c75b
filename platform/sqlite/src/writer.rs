//! The thread that writes: group commit. It takes the waiting requests, up to `BATCH_MAX`, runs each in a savepoint of one
//! transaction, commits once, and only then answers them all. Before each commit it checks that the files are still where they were
//! opened ([`OpenedFiles`]); [`StoreMetrics`] is what it counts. The thread that reads is a [`JobThread`], too. Read next: `database.rs`.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use metrics::{Gauge, Histogram, Registry};
use process::{fail_point::fail_point, log_on_change::LogOnChange};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{error::StoreError, lock::lock_path};

/// The most requests that wait in the queue.
const QUEUE_MAX: usize = 4096;

/// How long a request waits for a place in a full queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// The most requests of one commit: enough to make the fsync cheap, few enough to keep the wait short.
const BATCH_MAX: usize = 256;

/// After a failure, it works again after so long without another one: while the disk is full, some requests still fit.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// Runs a request on the connection. It gets an error if there is no transaction to run it in.
pub(super) type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Executed + Send>;

/// A request that was run and waits for the commit.
pub(super) struct Executed {
    finish: Finish,
    /// Why its work is undone.
    failure: Option<StoreError>,
}

/// Answers a request when the result of the commit is known.
type Finish = Box<dyn FnOnce(Result<(), StoreError>)>;

/// The job that runs `work`, calls `committed` when its result is on disk, and answers.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    committed: impl FnOnce(&T) + Send + 'static,
    answer: oneshot::Sender<Result<T, StoreError>>,
) -> Job {
    Box::new(move |connection| {
        let result = connection.and_then(|connection| in_savepoint(connection, work));
        let failure = result.as_ref().err().cloned();
        let finish: Finish = Box::new(move |commit| {
            let result = commit.and(result);
            if let Ok(value) = &result {
                // A panic in it must not end this thread; the panic hook logs it.
                let _ = catch_unwind(AssertUnwindSafe(|| committed(value)));
            }
            let _ = answer.send(result); // the caller may have gone away
        });
        Executed { finish, failure }
    })
}

/// The thread that writes.
pub(super) struct Commits {
    pub(super) connection: Connection,
    pub(super) files: OpenedFiles,
    pub(super) metrics: StoreMetrics,
    pub(super) log: LogOnChange<bool>,
}

impl Commits {
    /// Commits until the queue is closed and empty.
    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            self.commit(batch.drain(..));
            self.metrics.waiting(waiting.len());
        }
    }

    fn commit(&mut self, batch: impl Iterator<Item = Job>) {
        let began = Instant::now();
        // A commit to a file that is gone must not be answered. The file may still go right after this check.
        let mut begun =
            self.files.check().map_err(StoreError::Failed).and_then(|()| execute(&self.connection, "BEGIN IMMEDIATE"));
        let before = self.connection.total_changes();
        let (mut finishes, mut failure) = (Vec::with_capacity(BATCH_MAX), None);
        for job in batch {
            let connection = begun.as_ref().map(|()| &self.connection).map_err(Clone::clone);
            let executed = job(connection);
            finishes.push(executed.finish);
            // After some errors (for example a full disk) SQLite rolls the whole transaction back.
            if begun.is_ok() && self.connection.is_autocommit() {
                let given_up = || StoreError::Failed("the transaction was given up".into());
                begun = Err(executed.failure.clone().unwrap_or_else(given_up));
            }
            failure = failure.or(executed.failure);
        }
        fail_point("store.before_commit");
        let committed = begun.and_then(|()| execute(&self.connection, "COMMIT"));
        fail_point("store.after_commit");
        if committed.is_err() && !self.connection.is_autocommit() {
            let _ = execute(&self.connection, "ROLLBACK");
        }
        let rows = self.connection.total_changes().saturating_sub(before);
        let file = self.connection.path().unwrap_or_default();
        match failure.or(committed.as_ref().err().cloned()) {
            // One line when it begins to fail, not one per request.
            Some(cause) if self.log.fails() => tracing::error!(file, "something cannot be stored: {cause}"),
            // A commit that changed nothing does not show that it works again.
            None if rows > 0 && self.log.works_after(QUIET_TIME) => {
                tracing::info!(file, "everything can be stored again");
            }
            Some(_) | None => {}
        }
        if committed.is_ok() {
            self.metrics.seconds.observe(began.elapsed().as_secs_f64());
            self.metrics.rows.observe(rows as f64);
        }
        finishes.into_iter().for_each(|finish| finish(committed.clone()));
    }
}

/// Runs one request in a savepoint, so that its failure undoes only its own work.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    execute(connection, "SAVEPOINT request")?;
    let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
    let result = result.unwrap_or_else(|_| Err(rusqlite::Error::UnwindingPanic)).map_err(failed);
    if result.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK TO request")?;
    }
    if !connection.is_autocommit() {
        execute(connection, "RELEASE request")?;
    }
    result
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    done.map(drop).map_err(failed)
}

fn failed(cause: rusqlite::Error) -> StoreError {
    StoreError::Failed(cause.to_string())
}

/// The paths of the database, its write-ahead log and its lock, each with the file that was opened there.
///
/// If somebody deletes or moves the data folder under a running process, SQLite continues to write to the open files: every
/// commit succeeds, and all of it is lost at the next start. Another process could also start on the same path.
#[derive(Clone)]
pub(super) struct OpenedFiles(Vec<(PathBuf, FileId)>);

/// Device and inode. They identify the file, also after it was moved away and back.
type FileId = (u64, u64);

impl OpenedFiles {
    /// Remembers the files as they are now. Must be called after they were opened, and before the first commit.
    pub(super) fn of(path: &Path) -> Self {
        let files = [path.to_owned(), path.with_extension("db-wal"), lock_path(path)];
        Self(files.into_iter().filter_map(|file| id(&file).map(|id| (file, id))).collect())
    }

    /// The error names the file that is not there any more. It costs three `stat` calls: some microseconds, where an fsync
    /// takes 100 and more.
    pub(super) fn check(&self) -> Result<(), String> {
        let gone = self.0.iter().find(|(file, opened)| id(file) != Some(*opened));
        gone.map_or(Ok(()), |(file, _)| {
            let file = file.display();
            Err(format!("{file} was deleted, moved or replaced while it was open: bring it back, or start again"))
        })
    }
}

/// `None` also for a file that cannot be looked at: the next start could not open it either.
fn id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

const SECONDS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
const ROWS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0, 4096.0];

/// What the writer counts.
#[derive(Clone)]
pub struct StoreMetrics {
    seconds: Histogram,
    rows: Histogram,
    waiting: Gauge,
}

impl StoreMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> metrics::Result<Self> {
        Ok(Self {
            seconds: registry.histogram(
                "myevents_store_commit_duration_seconds",
                "Time of one commit with all requests in it, fsync included.",
                SECONDS,
            )?,
            rows: registry.histogram(
                "myevents_store_commit_rows",
                "Rows inserted, changed or deleted by one commit.",
                ROWS,
            )?,
            waiting: registry.gauge("myevents_store_write_queue", "Requests that wait for the next commit.")?,
        })
    }

    pub(super) fn waiting(&self, requests: usize) {
        self.waiting.set(requests as f64);
    }
}

/// A thread that does jobs. Dropping it waits until all in the queue are done.
pub(super) struct JobThread<Job> {
    role: &'static str,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl<Job: Send + 'static> JobThread<Job> {
    /// Starts `run`, which must do jobs until its queue is closed. The thread is named after its role and the file.
    pub(super) fn start(
        role: &'static str,
        file: &str,
        run: impl FnOnce(mpsc::Receiver<Job>) + Send + 'static,
    ) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        let thread = Builder::new().name(format!("{role}-{file}")).spawn(move || run(waiting));
        Self { role, jobs: Some(jobs), thread: Some(thread.expect("the process can start a thread")) }
    }

    /// Puts a job into the queue and waits for its answer. `queued` is called with the number of jobs that wait.
    pub(super) async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
        queued: impl FnOnce(usize),
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("it is there until the drop");
        jobs.send_timeout(job(answer), QUEUE_TIMEOUT).await.map_err(|_| StoreError::Overloaded)?;
        queued(jobs.max_capacity() - jobs.capacity());
        answered.await.map_err(|_| StoreError::Failed(format!("the {} has stopped", self.role)))?
    }
}

impl<Job> Drop for JobThread<Job> {
    fn drop(&mut self) {
        drop(self.jobs.take()); // ends the thread, after the waiting requests
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
