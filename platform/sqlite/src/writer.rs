//! The thread that writes: group commit. It takes the waiting requests, up to `BATCH_MAX`, runs each in a savepoint of one
//! transaction, commits once, and only then answers them all. Before each commit it checks that the files are still where they were
//! opened ([`OpenedFiles`]); [`StoreMetrics`] is what it counts. Read next: `database.rs`.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use process::{fail_point::fail_point, log_on_change::LogOnChange};
use prometheus::{
    Histogram, HistogramOpts, IntGauge, Registry, register_histogram_with_registry, register_int_gauge_with_registry,
};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{error::StoreError, lock::lock_path};

/// The most requests of one commit: enough to make the fsync cheap, few enough to keep the wait short.
const BATCH_MAX: usize = 256;

/// The most requests that wait in the queue.
const QUEUE_MAX: usize = 4096;

/// How long a request waits for a place in a full queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// After a failure, it works again after so long without another one: while the disk is full, some requests still fit.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// Runs a request on the connection. It gets an error if there is no transaction to run it in.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Executed + Send>;

/// A request that was run and waits for the commit.
struct Executed {
    finish: Finish,
    /// Why its work is undone.
    failure: Option<StoreError>,
}

/// Answers a request when the result of the commit is known.
type Finish = Box<dyn FnOnce(Result<(), StoreError>)>;

pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    metrics: StoreMetrics,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(name: &str, connection: Connection, files: OpenedFiles, metrics: StoreMetrics) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        let commits = Commits { connection, files, metrics: metrics.clone(), log: LogOnChange::working() };
        let thread = std::thread::Builder::new().name(format!("writer-{name}"));
        let thread = thread.spawn(move || commits.run(waiting));
        Self { jobs: Some(jobs), metrics, thread: Some(thread.expect("the process can start a thread")) }
    }

    pub(super) async fn write<T, W, C>(&self, work: W, committed: C) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        C: FnOnce(&T) + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
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
        });
        let jobs = self.jobs.as_ref().expect("it is there until the drop");
        jobs.send_timeout(job, QUEUE_TIMEOUT).await.map_err(|_| StoreError::Overloaded)?;
        self.metrics.waiting(jobs.max_capacity() - jobs.capacity());
        answered.await.map_err(|_| StoreError::Failed("the writer has stopped".into()))?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take()); // ends the thread, after the waiting requests
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Commits {
    connection: Connection,
    files: OpenedFiles,
    metrics: StoreMetrics,
    log: LogOnChange<bool>,
}

impl Commits {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            self.commit(batch.drain(..));
            self.metrics.waiting(waiting.len());
        }
    }

    fn commit(&mut self, batch: impl Iterator<Item = Job>) {
        let began = Instant::now();
        // A commit to a file that is gone must not be answered. The file may still go right after this check.
        let mut begun = self.files.check().map_err(StoreError::Failed).and_then(|()| self.execute("BEGIN IMMEDIATE"));
        let before = self.changes();
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
        let committed = begun.and_then(|()| self.execute("COMMIT"));
        fail_point("store.after_commit");
        if committed.is_err() && !self.connection.is_autocommit() {
            let _ = self.execute("ROLLBACK");
        }
        let rows = self.changes().saturating_sub(before);
        match failure.or(committed.as_ref().err().cloned()) {
            Some(cause) => self.log_failure(&cause),
            None => self.log_success(rows),
        }
        if committed.is_ok() {
            self.metrics.committed(began.elapsed().as_secs_f64(), rows);
        }
        finishes.into_iter().for_each(|finish| finish(committed.clone()));
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        done.map(drop).map_err(failed)
    }

    /// Rows inserted, changed or deleted since the connection was opened.
    fn changes(&self) -> u64 {
        let total = self.connection.prepare_cached("SELECT total_changes()");
        total.and_then(|mut statement| statement.query_row([], |row| row.get(0))).unwrap_or(0)
    }

    /// One line when it begins to fail, not one per request.
    fn log_failure(&mut self, cause: &StoreError) {
        if self.log.fails() {
            let file = self.connection.path().unwrap_or_default();
            tracing::error!(file, "something cannot be stored: {cause}");
        }
    }

    /// One line when it works again. A commit that changed nothing does not show that.
    fn log_success(&mut self, rows: u64) {
        if rows > 0 && self.log.works_after(QUIET_TIME) {
            let file = self.connection.path().unwrap_or_default();
            tracing::info!(file, "everything can be stored again");
        }
    }
}

/// Runs one request in a savepoint, so that its failure undoes only its own work.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let run =
        |sql: &str| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(failed);
    run("SAVEPOINT request")?;
    let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
    let result = result.unwrap_or_else(|_| Err(rusqlite::Error::UnwindingPanic)).map_err(failed);
    if result.is_err() && !connection.is_autocommit() {
        run("ROLLBACK TO request")?;
    }
    if !connection.is_autocommit() {
        run("RELEASE request")?;
    }
    result
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
        match self.0.iter().find(|(file, opened)| id(file) != Some(*opened)) {
            None => Ok(()),
            Some((file, _)) => {
                let file = file.display();
                Err(format!("{file} was deleted, moved or replaced while it was open: bring it back, or start again"))
            }
        }
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
    waiting: IntGauge,
}

impl StoreMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let seconds = "myevents_store_commit_duration_seconds";
        let seconds = HistogramOpts::new(seconds, "Time of one commit with all requests in it, fsync included.");
        let rows = HistogramOpts::new("myevents_store_commit_rows", "Rows inserted, changed or deleted by one commit.");
        let waiting = "Requests that wait for the next commit.";
        Ok(Self {
            seconds: register_histogram_with_registry!(seconds.buckets(SECONDS.to_vec()), registry)?,
            rows: register_histogram_with_registry!(rows.buckets(ROWS.to_vec()), registry)?,
            waiting: register_int_gauge_with_registry!("myevents_store_write_queue", waiting, registry)?,
        })
    }

    pub(super) fn committed(&self, seconds: f64, rows: u64) {
        self.seconds.observe(seconds);
        self.rows.observe(rows as f64);
    }

    pub(super) fn waiting(&self, requests: usize) {
        self.waiting.set(i64::try_from(requests).unwrap_or(i64::MAX));
    }
}
