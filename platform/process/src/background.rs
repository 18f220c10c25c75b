//! Tasks that run beside the servers for as long as the service does. At shutdown they are cancelled and waited for; then what
//! they used is closed.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// How long the tasks may take to end at shutdown.
const TASKS_TIMEOUT: Duration = Duration::from_secs(2);

type OnShutdown = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + Sync>;

/// A service's tasks. Dropping it cancels them, too, without waiting.
pub struct Background {
    stop: DropGuard,
    tasks: TaskTracker,
    on_shutdown: Option<OnShutdown>,
}

impl Default for Background {
    fn default() -> Self {
        Self { stop: CancellationToken::new().drop_guard(), tasks: TaskTracker::new(), on_shutdown: None }
    }
}

impl Background {
    /// Runs a task that can be cancelled at any moment. Needs a running runtime.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.token().clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(task).await });
    }

    /// Runs a task that gets a token, and ends by itself when the token is cancelled: it first finishes what it has begun.
    pub fn spawn_with<F>(&self, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task(self.stop.token().clone()));
    }

    /// Sets what is done at shutdown, after the tasks have ended.
    pub fn on_shutdown<F>(&mut self, close: impl FnOnce() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.on_shutdown = Some(Box::new(move || Box::pin(close())));
    }

    /// Ends the tasks, then does what [`Background::on_shutdown`] has set.
    pub async fn end(self) {
        self.stop.token().cancel();
        self.tasks.close();
        if tokio::time::timeout(TASKS_TIMEOUT, self.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end within {TASKS_TIMEOUT:?}");
        }
        if let Some(on_shutdown) = self.on_shutdown {
            on_shutdown().await;
        }
    }
}
