//! What a failed call says about what was written, and how long a call may take.

use std::time::Duration;

use mongodb::error::{Error, ErrorKind, WriteFailure};
use tokio::time::Instant;

/// How long a request may speak to the database in all: its 503 shall come within 3 s.
const REQUEST: Duration = Duration::from_millis(2500);

/// The server's code for a second document under a unique key.
const DUPLICATE_KEY: i32 = 11000;

/// The client cannot be made: the URL is well formed, and yet of no use.
#[derive(Debug, thiserror::Error)]
#[error("MONGO_URL cannot be used: {0}")]
pub struct ClientError(#[from] Error);

/// A call that did not succeed. The texts are for the log and for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MongoError {
    /// Nothing was sent, so nothing was written.
    #[error("no MongoDB server can be reached: {0}")]
    Away(String),
    /// It was not begun, as the time for it was over. That says nothing about the server.
    #[error("no time was left to ask the database")]
    Late,
    /// It was sent, and no answer came, or a bad one. A write may have happened, may happen later, or not.
    #[error("{0}")]
    Unknown(String),
}

impl MongoError {
    /// Whether a write may have happened, or may happen later.
    pub fn may_have_written(&self) -> bool {
        match self {
            Self::Away(_) | Self::Late => false,
            Self::Unknown(_) => true,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add kinds, and all others are the same here")]
    pub(super) fn of(cause: &Error) -> Self {
        // Only this kind is certain: the driver gives it where it never had a connection, and gives the error of the first
        // try where it was looking for a server to try again.
        match cause.kind.as_ref() {
            ErrorKind::ServerSelection { message, .. } => Self::Away(message.clone()),
            ErrorKind::Shutdown => Self::Away("the service stops".into()),
            _ => Self::Unknown(cause.to_string()),
        }
    }
}

/// Whether a document with the same key was there: one meaning in three shapes.
#[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add kinds, and all others are the same here")]
pub(super) fn is_duplicate(cause: &Error) -> bool {
    match cause.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        ErrorKind::Command(error) => error.code == DUPLICATE_KEY,
        ErrorKind::InsertMany(_) => duplicates(cause).is_some_and(|places| !places.is_empty()),
        _ => false,
    }
}

/// Which of the documents of an `insert_many` were there; `None` where anything else failed, too.
pub(super) fn duplicates(cause: &Error) -> Option<Vec<usize>> {
    let ErrorKind::InsertMany(failed) = cause.kind.as_ref() else { return None };
    if failed.write_concern_error.is_some() {
        return None;
    }
    let errors = failed.write_errors.as_ref()?;
    errors.iter().map(|error| (error.code == DUPLICATE_KEY).then_some(error.index)).collect()
}

/// The end of what one request may wait for, over all of its calls.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// For a request that begins now.
    #[expect(clippy::new_without_default, reason = "it begins with a moment, which a default does not")]
    pub fn new() -> Self {
        Self::after(REQUEST)
    }

    /// For work that may take longer.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Whether there is no time left.
    pub fn has_passed(self) -> bool {
        self.0 <= Instant::now()
    }

    /// Waits for a call until then. Dropping it may still execute it, so its outcome is unknown, but a call that comes too
    /// late is not even begun.
    pub(super) async fn bound<T>(self, call: impl Future<Output = mongodb::error::Result<T>>) -> Result<T, MongoError> {
        if self.has_passed() {
            return Err(MongoError::Late);
        }
        match tokio::time::timeout_at(self.0, call).await {
            Ok(result) => result.map_err(|cause| MongoError::of(&cause)),
            Err(_) => Err(MongoError::Unknown("no answer came in time".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use mongodb::{
        bson::{Document, deserialize_from_document, doc},
        error::{CommandError, InsertManyError, WriteError},
    };
    use serde::de::DeserializeOwned;

    use super::*;

    fn told<T: DeserializeOwned>(by_the_server: Document) -> T {
        deserialize_from_document(by_the_server).unwrap()
    }

    #[test]
    fn a_duplicate_key_is_known_in_all_three_shapes() {
        let shapes = |code: i32| {
            let error = doc! { "code": code, "errmsg": "E11000 duplicate key error" };
            let (write, command): (WriteError, CommandError) = (told(error.clone()), told(error.clone()));
            let mut indexed = error;
            indexed.insert("index", 1);
            let many: InsertManyError = told(doc! { "writeErrors": [indexed] });
            let write = ErrorKind::Write(WriteFailure::WriteError(write));
            [write, ErrorKind::Command(command), ErrorKind::InsertMany(many)].map(Error::from)
        };
        assert!(shapes(11000).iter().all(is_duplicate));
        assert!(!shapes(121).iter().any(is_duplicate));
        assert_eq!(duplicates(&shapes(11000)[2]), Some(vec![1]));
        assert_eq!(duplicates(&shapes(121)[2]), None);
    }

    #[test]
    fn only_a_server_that_was_not_found_is_certain_to_have_written_nothing() {
        let lost = Error::from(std::io::Error::other("connection reset"));
        assert!(matches!(MongoError::of(&lost), MongoError::Unknown(_)));
    }

    #[tokio::test]
    async fn a_call_without_time_left_is_not_begun() {
        let late = Deadline::after(Duration::ZERO);
        let call = async { panic!("it was begun") };
        assert_eq!(late.bound::<()>(call).await, Err(MongoError::Late));
    }
}
