//! Whether the database works, for the log: one line when it begins to fail and one when it works again, not one a call.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::error::MongoError;

/// Behind a failure, it works again only after so long without another one: while a server goes, some calls succeed.
const CALM: Duration = Duration::from_secs(1);

/// That it is slow is told so often at most.
const SLOW: Duration = Duration::from_secs(60);

/// What was told last.
pub struct State {
    url: String,
    /// When a call last failed, until that is over.
    failed: Mutex<Option<Instant>>,
    /// When it was last told that time ran out.
    slow: Mutex<Option<Instant>>,
}

impl State {
    pub(super) fn new(url: String) -> Self {
        Self { url, failed: Mutex::new(None), slow: Mutex::new(None) }
    }

    pub(super) fn tell(&self, failure: Option<&MongoError>) {
        let mut failed = self.failed.lock().expect("nothing panics while it holds this");
        match failure {
            // Nothing was asked: while the database is away that is no news, and else it was slow.
            Some(MongoError::Late) if failed.is_some() => {}
            Some(MongoError::Late) => self.slow(),
            Some(cause) => {
                if failed.replace(Instant::now()).is_none() {
                    tracing::warn!(
                        url = self.url,
                        "the database does not work, requests are answered with 503: {cause}"
                    );
                }
            }
            None => {
                if failed.is_some_and(|at| at.elapsed() >= CALM) {
                    *failed = None;
                    tracing::info!(url = self.url, "the database works again");
                }
            }
        }
    }

    fn slow(&self) {
        let mut told = self.slow.lock().expect("nothing panics while it holds this");
        if told.is_none_or(|at| at.elapsed() >= SLOW) {
            *told = Some(Instant::now());
            tracing::warn!(
                url = self.url,
                "the database or this machine is slow: the time of a request was over before all was asked, it is \
                 answered with 503"
            );
        }
    }

    /// Whether a call failed, and none has succeeded for long enough since.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.lock().expect("nothing panics while it holds this").is_some()
    }
}
