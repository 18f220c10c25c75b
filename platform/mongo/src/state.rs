//! What is known of a database, and so what is called there: nothing before it is known to be the service's own, and of its
//! version. Read next: `prepare.rs`, which finds out.

use tokio::sync::watch;

use crate::error::{Deadline, MongoError};

/// What is known of the database.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Not yet whether it may be used: calls wait for that. They fail if the last look has failed.
    Unknown(Option<MongoError>),
    /// It may be used, and if this is a reason, the service is not ready yet.
    Usable(Option<String>),
    /// It must not be used.
    Refused(String),
}

/// That of a client that nobody prepares, as tests have it.
impl Default for State {
    fn default() -> Self {
        Self::Usable(Some("the indexes are being made".to_owned()))
    }
}

impl State {
    /// Waits until it is known that the database may be used.
    pub(super) async fn wait(state: &watch::Sender<Self>, deadline: Deadline) -> Result<(), MongoError> {
        if matches!(*state.borrow(), Self::Usable(_)) {
            return Ok(());
        }
        let mut state = state.subscribe();
        let known = state.wait_for(|state| !matches!(state, Self::Unknown(None)));
        let Ok(state) = deadline.wait_for(known).await? else { return Err(MongoError::Late) };
        match &*state {
            Self::Usable(_) => Ok(()),
            Self::Unknown(Some(cause)) => Err(cause.clone().of_what_was_not_sent()),
            Self::Unknown(None) => Err(MongoError::Late),
            Self::Refused(cause) => Err(MongoError::Refused(cause.clone())),
        }
    }

    pub(super) fn refusal(&self) -> Option<MongoError> {
        if let Self::Refused(cause) = self { Some(MongoError::Refused(cause.clone())) } else { None }
    }

    pub(super) fn readiness(&self) -> Result<String, String> {
        match self {
            Self::Usable(None) => Ok("MongoDB answers".to_owned()),
            Self::Usable(Some(cause)) | Self::Refused(cause) => Err(cause.clone()),
            Self::Unknown(None) => Err("it is not known yet which service and version wrote the database".to_owned()),
            Self::Unknown(Some(cause)) => {
                Err(format!("it is not known yet which service and version wrote the database: {cause}"))
            }
        }
    }
}
