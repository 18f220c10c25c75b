//! The thread that reads, on a read-only connection of its own. It sees every commit that was answered.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::JoinHandle,
    time::Duration,
};

use process::log_on_change::LogOnChange;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;

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
