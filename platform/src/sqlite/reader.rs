//! The thread that reads, on a connection of its own that cannot write. It sees every commit that was answered.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{StoreError, writer::failed};

const QUEUE: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Reader {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(name: &str, connection: Connection) -> Self {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new().name(format!("{name}-r"));
        let thread = thread.spawn(move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&connection);
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
        let job: Job = Box::new(move |connection| {
            let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
            let result = result.unwrap_or_else(|_| Err(rusqlite::Error::UnwindingPanic));
            if let Err(cause) = &result {
                let file = connection.path().unwrap_or_default();
                tracing::error!(file, "something stored cannot be read: {cause}");
            }
            let _ = answer.send(result.map_err(failed)); // the caller may have gone away
        });
        let jobs = self.jobs.as_ref().expect("it is there until the drop");
        jobs.send_timeout(job, PATIENCE).await.map_err(|_| StoreError::Overloaded)?;
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
