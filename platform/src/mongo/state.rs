//! Whether the database works, for the log: one line when it begins to fail and one when it works again, not one a call.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::error::MongoError;

/// Behind a failure, it works again only after so long without another one: while a server goes, some calls succeed.
const CALM: Duration = Duration::from_secs(1);

/// What was told last.
pub struct State {
    url: String,
    /// When a call last failed, until that is over.
    failed: Mutex<Option<Instant>>,
}

impl State {
    pub(super) fn new(url: String) -> Self {
        Self { url, failed: Mutex::new(None) }
    }

    pub(super) fn tell(&self, failure: Option<&MongoError>) {
        let mut failed = self.failed.lock().expect("nothing panics while it holds this");
        match failure {
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
}
