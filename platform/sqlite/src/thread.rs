//! A thread with a queue of jobs. The writer and the reader of a file are such threads. Read next: `writer.rs`.

use std::{
    thread::{Builder, JoinHandle},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;

/// The most requests that wait in the queue.
const QUEUE_MAX: usize = 4096;

/// How long a request waits for a place in a full queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

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
