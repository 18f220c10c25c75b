//! The store of a service behind traits, so that the rest of the service is the same for SQLite and MongoDB. The store's resources
//! are closed with the service. [`Unavailable`] is what any of its operations may come to.

use std::sync::Arc;

use messaging::{DeadLetters, outbox::Outbox};
use mongo::error::MongoError;
use process::{background::Background, health::Probe};
use sqlite::{Database, StoreError};
use webserver::problem::{Problem, Rejection};

/// The store of a service. `S` is the service's own `dyn Store`.
pub struct Backend<S: ?Sized> {
    /// The service's own operations.
    pub store: Arc<S>,
    /// The messages that wait to be published.
    pub outbox: Arc<dyn Outbox>,
    /// The dead letters, if the bus does not keep them itself.
    pub dead: Arc<dyn DeadLetters>,
    /// Whether the store can be used; for `/readyz`.
    pub probe: Probe,
    /// What must be closed with the service.
    pub resources: Resources,
}

/// What a store needs while it runs.
#[derive(Default)]
pub struct Resources {
    /// The database file, if the store is one.
    pub file: Option<Arc<Database>>,
    /// The store's own tasks.
    pub background: Background,
}

/// The store could not do it. The cause is logged where it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// It was not begun: too many requests wait.
    Overloaded,
    /// It was not begun: the store cannot be reached.
    Away,
    /// It failed; a write may have happened or not.
    OutcomeUnknown,
}

impl Unavailable {
    /// The answer where nothing was begun. `None` where the outcome is unknown: what that means depends on the request.
    pub fn not_begun(&self) -> Option<Problem> {
        match self {
            Self::Overloaded => {
                let detail = "too many requests wait for the store; nothing was changed";
                Some(Problem::unavailable(detail).rejected(Rejection::Overload))
            }
            Self::Away => Some(Problem::unavailable("the store cannot be reached just now; nothing was changed")),
            Self::OutcomeUnknown => None,
        }
    }

    /// The answer where something stored could not be read.
    pub fn not_read(self) -> Problem {
        self.not_begun().unwrap_or_else(|| Problem::unavailable("what is stored cannot be read just now"))
    }
}

impl From<StoreError> for Unavailable {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::Overloaded => Self::Overloaded,
            StoreError::Failed(_) => Self::OutcomeUnknown,
        }
    }
}

impl From<MongoError> for Unavailable {
    fn from(cause: MongoError) -> Self {
        if cause.may_have_written() { Self::OutcomeUnknown } else { Self::Away }
    }
}
