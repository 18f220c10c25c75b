//! The thread that reads, on a connection of its own that cannot write. It sees every commit that was answered.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{error::StoreError, trouble::Trouble};

/// The most requests that wait.
const QUEUE: usize = 4096;

/// How long a request waits for a place in the queue; then it fails with `Overloaded`.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// Long, and its end is no log line: a read that works says nothing about the damaged page that another one met.
const CALM: Duration = Duration::from_secs(60);

type Job = Box<dyn FnOnce(&Connection, &mut Trouble) + Send>;

pub(super) struct Reader {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(name: &str, connection: Connection) -> Self {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new().name(format!("reader-{name}"));
        let thread = thread.spawn(move || {
            let mut trouble = Trouble::new(CALM);
            while let Some(job) = waiting.blocking_recv() {
                job(&connection, &mut trouble);
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
        let job: Job = Box::new(move |connection, trouble| {
            let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
            let result = result.unwrap_or_else(|_| Err(rusqlite::Error::UnwindingPanic));
            let file = connection.path().unwrap_or_default();
            match &result {
                Ok(_) => _ = trouble.ends(),
                Err(cause) if trouble.begins() => tracing::error!(file, "something stored cannot be read: {cause}"),
                Err(_) => {}
            }
            // Whoever starts on the file tells its user, who must know which one it is.
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
