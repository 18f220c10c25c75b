//! Tasks that run beside the servers for as long as the service does, and how they end: told to stop, waited for, and what
//! they used closed behind them.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// How long the tasks may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

type Last = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + Sync>;

/// A service's tasks. Dropping it tells them to stop, too, without waiting.
pub struct Background {
    stop: DropGuard,
    tasks: TaskTracker,
    last: Option<Last>,
}

impl Default for Background {
    fn default() -> Self {
        Self { stop: CancellationToken::new().drop_guard(), tasks: TaskTracker::new(), last: None }
    }
}

impl Background {
    /// Runs a task that can be ended at any moment. Needs a running runtime.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.token().clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(task).await });
    }

    /// Runs a task that ends by itself once the token it is given is cancelled, to leave things in order.
    pub fn spawn_with<F>(&self, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task(self.stop.token().clone()));
    }

    /// What is done after the tasks have ended.
    pub fn at_last<F>(&mut self, close: impl FnOnce() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.last = Some(Box::new(move || Box::pin(close())));
    }

    /// Ends them.
    pub async fn end(self) {
        self.stop.token().cancel();
        self.tasks.close();
        if tokio::time::timeout(PATIENCE, self.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end within {PATIENCE:?}");
        }
        if let Some(last) = self.last {
            last().await;
        }
    }
}
