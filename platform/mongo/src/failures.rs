//! What is logged of failed calls: one line when the database begins to fail, and one when it works again, not one for each
//! call. Read next: `monitor.rs`.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use process::log_on_change::LogOnChange;

use crate::{error::MongoError, monitor::Monitor};

/// After a failure, it works again after so long without another one: while a server goes away, some calls still succeed.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// The same after a refusal: a user may be allowed to do some things, and not others.
const QUIET_TIME_AFTER_REFUSAL: Duration = Duration::from_secs(3);

/// How often it is logged that the database is slow, at most.
const SLOW_INTERVAL: Duration = Duration::from_secs(60);

/// The most different causes that are logged of answers that cannot be read.
const CAUSES_MAX: usize = 20;

/// What was logged last.
pub struct Failures {
    url: String,
    monitor: Monitor,
    logged: Mutex<Logged>,
}

struct Logged {
    /// Whether calls fail.
    calls: LogOnChange<bool>,
    /// The last refusal, while calls fail.
    refusal: LogOnChange<Option<String>>,
    /// When it was last logged that time ran out.
    slow: Option<Instant>,
    /// The causes of answers that could not be read.
    unreadable: BTreeSet<String>,
}

impl Failures {
    pub(super) fn new(url: String, monitor: Monitor) -> Self {
        let (calls, refusal) = (LogOnChange::working(), LogOnChange::new(None));
        let logged = Logged { calls, refusal, slow: None, unreadable: BTreeSet::new() };
        Self { url, monitor, logged: Mutex::new(logged) }
    }

    /// Why there is no connection: what the monitor or an earlier call has seen says more than the driver's error.
    pub(super) fn explain(&self, failure: MongoError) -> MongoError {
        match failure {
            MongoError::Away(_) | MongoError::NotConnected => {
                self.monitor.trouble().or_else(|| self.refusal()).unwrap_or(failure)
            }
            MongoError::Refused(_) | MongoError::Late | MongoError::Unreadable(_) | MongoError::Unknown(_) => failure,
        }
    }

    /// Logs the result of a call, if it is a change.
    pub(super) fn record(&self, failure: Option<&MongoError>) {
        let (mut logged, url) = (self.logged(), &self.url);
        match failure {
            // The database was not asked. While it is away that is no change; otherwise it was slow.
            Some(MongoError::Late) => {
                if !logged.calls.is_failing() && logged.slow.is_none_or(|at| at.elapsed() >= SLOW_INTERVAL) {
                    logged.slow = Some(Instant::now());
                    tracing::warn!(
                        url,
                        "the database or this machine is slow: the time of a request was over before all was asked, \
                         it is answered with 503"
                    );
                }
            }
            Some(MongoError::Unreadable(cause)) => {
                if logged.unreadable.len() < CAUSES_MAX && logged.unreadable.insert(cause.clone()) {
                    tracing::error!(
                        url,
                        "the database answers what cannot be read, as if somebody else had written there: {cause}"
                    );
                }
            }
            Some(MongoError::Refused(cause)) => {
                logged.calls.fails();
                if logged.refusal.changes_to(Some(cause.clone())) {
                    tracing::error!(
                        url,
                        "the database cannot be used, and somebody must do something; requests are answered with \
                         503: {cause}"
                    );
                }
            }
            Some(cause @ (MongoError::Away(_) | MongoError::NotConnected | MongoError::Unknown(_))) => {
                if logged.calls.fails() {
                    tracing::warn!(url, "the database does not work, requests are answered with 503: {cause}");
                }
            }
            None => {
                let refused = logged.refusal.state().is_some();
                if logged.calls.works_after(if refused { QUIET_TIME_AFTER_REFUSAL } else { QUIET_TIME }) {
                    logged.refusal.changes_to(None);
                    tracing::info!(url, "the database works again");
                }
            }
        }
    }

    /// Whether a call failed, and none has succeeded for long enough since.
    pub(super) fn is_failing(&self) -> bool {
        self.logged().calls.is_failing()
    }

    fn refusal(&self) -> Option<MongoError> {
        self.logged().refusal.state().clone().map(MongoError::Refused)
    }

    fn logged(&self) -> MutexGuard<'_, Logged> {
        self.logged.lock().expect("nothing panics while it holds this")
    }
}
