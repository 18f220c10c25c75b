//! Whether the database works, for the log: one line when it begins to fail and one when it works again, not one a call.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, OnceLock},
    time::{Duration, Instant},
};

use super::{error::MongoError, monitor::Monitor};

/// Behind a failure, it works again only after so long without another one: while a server goes, some calls succeed.
const CALM: Duration = Duration::from_secs(1);

/// The same behind a refusal: a user may be allowed to do some things, and not others.
const CALM_AFTER_REFUSAL: Duration = Duration::from_secs(3);

/// That it is slow is told so often at most.
const AGAIN: Duration = Duration::from_secs(60);

/// Different causes that are told of what cannot be read.
const CAUSES_MAX: usize = 20;

/// What was told last.
pub struct State {
    url: String,
    pub(super) monitor: Monitor,
    told: Mutex<Told>,
    /// Why the database is not used, where an older version has written it.
    refused: OnceLock<String>,
}

#[derive(Default)]
struct Told {
    /// When a call last failed, until that is over.
    failed: Option<Instant>,
    /// The last refusal of this failure.
    refused: Option<String>,
    /// When it was last told that time ran out.
    slow: Option<Instant>,
    /// What cannot be read, by its causes.
    unreadable: BTreeSet<String>,
}

impl State {
    pub(super) fn new(url: String, monitor: Monitor) -> Self {
        Self { url, monitor, told: Mutex::default(), refused: OnceLock::new() }
    }

    /// From now on no call is made.
    pub(super) fn refuse(&self, cause: String) {
        let _ = self.refused.set(cause); // the first cause stays
    }

    /// Why no call is made, if so.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.get().cloned()
    }

    /// Why no connection could be had: what the monitor or an earlier call has seen says more than the driver's error.
    pub(super) fn explain(&self, failure: MongoError) -> MongoError {
        match failure {
            MongoError::Away(_) | MongoError::NotConnected => {
                self.monitor.trouble().or_else(|| self.refusal()).unwrap_or(failure)
            }
            MongoError::Refused(_) | MongoError::Late | MongoError::Unreadable(_) | MongoError::Unknown(_) => failure,
        }
    }

    /// Tells how a call went, where that is news.
    pub(super) fn tell(&self, failure: Option<&MongoError>) {
        let (mut told, url) = (self.told(), &self.url);
        match failure {
            // Nothing was asked: while the database is away that is no news, and else it was slow.
            Some(MongoError::Late) if told.failed.is_some() => {}
            Some(MongoError::Late) => {
                if told.slow.is_none_or(|at| at.elapsed() >= AGAIN) {
                    told.slow = Some(Instant::now());
                    tracing::warn!(
                        url,
                        "the database or this machine is slow: the time of a request was over before all was asked, \
                         it is answered with 503"
                    );
                }
            }
            Some(MongoError::Unreadable(cause)) => {
                if told.unreadable.len() < CAUSES_MAX && told.unreadable.insert(cause.clone()) {
                    tracing::error!(
                        url,
                        "the database answers what cannot be read, as if somebody else had written there: {cause}"
                    );
                }
            }
            Some(MongoError::Refused(cause)) => {
                told.failed = Some(Instant::now());
                if told.refused.replace(cause.clone()).is_none_or(|before| before != *cause) {
                    tracing::error!(
                        url,
                        "the database cannot be used, and somebody must do something; requests are answered with \
                         503: {cause}"
                    );
                }
            }
            Some(cause @ (MongoError::Away(_) | MongoError::NotConnected | MongoError::Unknown(_))) => {
                if told.failed.replace(Instant::now()).is_none() {
                    tracing::warn!(url, "the database does not work, requests are answered with 503: {cause}");
                }
            }
            None => {
                let calm = if told.refused.is_some() { CALM_AFTER_REFUSAL } else { CALM };
                if told.failed.is_some_and(|at| at.elapsed() >= calm) {
                    (told.failed, told.refused) = (None, None);
                    tracing::info!(url, "the database works again");
                }
            }
        }
    }

    /// Whether a call failed, and none has succeeded for long enough since.
    pub(super) fn has_failed(&self) -> bool {
        self.told().failed.is_some()
    }

    fn refusal(&self) -> Option<MongoError> {
        self.told().refused.clone().map(MongoError::Refused)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("nothing panics while it holds this")
    }
}
