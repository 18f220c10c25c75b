//! Why a service does not start. `main` prints it and ends the process.

use std::io;

use mongo::error::ClientError;
use sqlite::{StoreError, open::OpenError};
use webserver::listen::ListenError;

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is in use.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The MongoDB client cannot be made.
    #[error(transparent)]
    Mongo(#[from] ClientError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Store(#[from] StoreError),
    /// Two metrics have one name, or a name is not valid: a bug.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// A server does not start.
    #[error("a server does not start")]
    Io(#[from] io::Error),
}
