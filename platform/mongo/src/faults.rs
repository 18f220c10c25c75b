//! Crashes and lost answers between the steps of a protocol, for tests. Each step has a name, and a test decides before
//! each whether it fails, and how. In release builds there is nothing of it.
//!
//! A process that dies and an answer that gets lost look different from inside, and the second is worse: the request goes
//! on. So there are both, each before and after the server has done its work.

#[cfg(debug_assertions)]
use std::sync::Arc;

#[cfg(debug_assertions)]
use tokio_util::task::TaskTracker;

use crate::error::MongoError;

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not.
    None,
    /// The process dies before the step: the call never returns, and the future that waits for it must be dropped.
    CrashBefore,
    /// The process dies after the step.
    CrashAfter,
    /// The request was lost: nothing happened, and the caller gets an error.
    LostRequest,
    /// The answer was lost: it happened, and the caller gets an error.
    LostAnswer,
    /// It happens, but only so many milliseconds after it was given up.
    Late(u64),
}

/// Decides at each step. Empty in a running service.
#[derive(Clone, Default)]
pub struct Faults {
    #[cfg(debug_assertions)]
    decide: Option<Arc<dyn Fn(&'static str) -> Fault + Send + Sync>>,
    /// The steps that happen late.
    #[cfg(debug_assertions)]
    late: TaskTracker,
}

impl Faults {
    /// Nothing fails.
    pub fn none() -> Self {
        Self::default()
    }

    /// Asks `decide` before each step.
    #[cfg(debug_assertions)]
    pub fn new(decide: impl Fn(&'static str) -> Fault + Send + Sync + 'static) -> Self {
        Self { decide: Some(Arc::new(decide)), late: TaskTracker::new() }
    }

    /// Waits until every step that was made late has happened.
    #[cfg(debug_assertions)]
    pub async fn late_steps_done(&self) {
        self.late.close();
        self.late.wait().await;
    }

    #[cfg(not(debug_assertions))]
    pub(super) async fn inject<T>(
        &self,
        _: &'static str,
        call: impl Future<Output = Result<T, MongoError>>,
    ) -> Result<T, MongoError> {
        call.await
    }

    #[cfg(debug_assertions)]
    pub(super) async fn inject<T: Send + 'static>(
        &self,
        step: &'static str,
        call: impl Future<Output = Result<T, MongoError>> + Send + 'static,
    ) -> Result<T, MongoError> {
        let lost = || Err(MongoError::Unknown("lost by a test".into()));
        match self.decide.as_ref().map_or(Fault::None, |decide| decide(step)) {
            Fault::None => call.await,
            Fault::CrashBefore => std::future::pending().await,
            Fault::CrashAfter => {
                let _ = call.await;
                std::future::pending().await
            }
            Fault::LostRequest => lost(),
            Fault::LostAnswer => call.await.and(lost()),
            Fault::Late(milliseconds) => {
                self.late.spawn(async move {
                    tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
                    call.await
                });
                lost()
            }
        }
    }
}
