//! What a failed call means for what was written, and how long a call may take.
//!
//! The driver's errors are turned into [`MongoError`] here, by their kinds, and in three places by a piece of their text, since
//! the driver has no kinds for what these texts tell apart. Read next: `failures.rs`, which logs them.

use std::time::Duration;

use messaging::outbox::OutboxError;
use mongodb::error::{Error, ErrorKind, WriteFailure};
use tokio::time::Instant;

/// For all calls of one request: its 503 must come within 3 s, also on a busy machine.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(2250);

/// The server's code for a document whose unique key exists.
const DUPLICATE_KEY: i32 = 11000;

/// The server's codes for a wrong login, and for a user without the right to do this.
const AUTHENTICATION_FAILED: i32 = 18;
const UNAUTHORIZED: i32 = 13;

/// In the driver's text if a call got no connection because another one could not be made: nothing was sent. The same kind of
/// error, with another text, says that a connection was lost during a call. The text is the driver's on purpose
/// (<https://github.com/mongodb/mongo-rust-driver/pull/365>); no request for two kinds was found in its issues on GitHub. This
/// can go when there are two.
const NEVER_CONNECTED: &str = "cleared because another operation failed";

/// The most characters that are shown of a text of the driver or the server.
const TEXT_MAX: usize = 200;

/// The client cannot be made, although the URL is well formed.
#[derive(Debug, thiserror::Error)]
#[error("MONGO_URL cannot be used: {0}")]
pub struct ClientError(#[from] Error);

/// A call that did not succeed. The texts are for the log and for operators, and none holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MongoError {
    /// Nothing was sent, so nothing was written.
    #[error("no MongoDB server can be reached: {0}")]
    Away(String),
    /// No connection could be made just now, so nothing was sent and nothing was written. A retry may succeed.
    #[error("no connection to the MongoDB server could be made")]
    NotConnected,
    /// The server refuses the user, or is not the one that the URL names. Nothing was written, and a person must do something.
    #[error("{0}")]
    Refused(String),
    /// It was not begun, since the time of the request was over. That says nothing about the server.
    #[error("no time was left to ask the database")]
    Late,
    /// The server works, and what it answered cannot be read. A write may have happened.
    #[error("an answer cannot be read: {0}")]
    Unreadable(String),
    /// It was sent, and no answer or an error came. A write may have happened, may happen later, or not.
    #[error("{0}")]
    Unknown(String),
}

impl MongoError {
    /// Whether a write may have happened, or may happen later.
    pub fn may_have_written(&self) -> bool {
        match self {
            Self::Away(_) | Self::NotConnected | Self::Refused(_) | Self::Late => false,
            Self::Unreadable(_) | Self::Unknown(_) => true,
        }
    }

    /// Whether a retry may succeed. A call that found no server has waited for one already.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Away(_) | Self::Refused(_) | Self::Late => false,
            Self::NotConnected | Self::Unreadable(_) | Self::Unknown(_) => true,
        }
    }

    /// The same for a call that was not sent because this one failed.
    pub(super) fn of_what_was_not_sent(self) -> Self {
        match self {
            Self::Unreadable(cause) | Self::Unknown(cause) => Self::Away(cause),
            Self::Away(_) | Self::NotConnected | Self::Refused(_) | Self::Late => self,
        }
    }

    /// The driver's text of an error lists all its fields, so each kind gets a short text here.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add kinds, and all others are the same here")]
    pub(super) fn of(cause: &Error) -> Self {
        match cause.kind.as_ref() {
            // The driver never had a connection. Its text lists the whole topology, on purpose
            // (<https://github.com/mongodb/mongo-rust-driver/pull/116>), so the two cases are known by their first words. This
            // can go when the error has fields.
            ErrorKind::ServerSelection { message, .. } if message.contains("No available servers") => {
                Self::Away("none has answered yet".into())
            }
            ErrorKind::ServerSelection { message, .. } if message.contains("None of the available servers") => {
                Self::Away("none of those that answer is the primary".into())
            }
            ErrorKind::ServerSelection { message, .. } => Self::Away(cut(message)),
            ErrorKind::ConnectionPoolCleared { message, .. } if message.contains(NEVER_CONNECTED) => Self::NotConnected,
            ErrorKind::Shutdown => Self::Away("the service stops".into()),
            ErrorKind::Authentication { message, .. } => Self::no_login(message),
            ErrorKind::Command(said) if said.code == AUTHENTICATION_FAILED => Self::no_login(&said.message),
            ErrorKind::Command(said) if said.code == UNAUTHORIZED => {
                // The rest of the text is the command with all its data.
                let words = said.message.split(" to execute command").next().unwrap_or_default();
                Self::Refused(format!(
                    "the server does not allow it ({}): MONGO_URL must have a user with the role readWrite on this \
                     database",
                    cut(words)
                ))
            }
            ErrorKind::Command(said) => {
                Self::Unknown(format!("the server says: {} (code {})", cut(&said.message), said.code))
            }
            ErrorKind::Bson(cause) => Self::Unreadable(cut(&cause.to_string())),
            ErrorKind::InvalidResponse { message, .. } => Self::Unreadable(cut(message)),
            ErrorKind::Io(cause) => Self::Unknown(format!("the connection was lost: {}", cut(&cause.to_string()))),
            other => Self::Unknown(cut(&other.to_string())),
        }
    }

    fn no_login(words: &str) -> Self {
        Self::Refused(format!(
            "the server refuses the login ({}): correct user and password in MONGO_URL, or at the server; where the user \
             is kept in another database than the URL's, add ?authSource= with its name, mostly admin",
            cut(words)
        ))
    }
}

impl From<MongoError> for OutboxError {
    fn from(cause: MongoError) -> Self {
        Self(cause.to_string())
    }
}

/// A text of the driver or the server, cut to its first characters.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether a document with the same key exists. The driver reports that in three kinds of errors.
#[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add kinds, and all others are the same here")]
pub(super) fn is_duplicate(cause: &Error) -> bool {
    match cause.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        ErrorKind::Command(error) => error.code == DUPLICATE_KEY,
        ErrorKind::InsertMany(_) => duplicates(cause).is_some_and(|places| !places.is_empty()),
        _ => false,
    }
}

/// Which documents of an `insert_many` existed. `None` if anything else failed, too.
pub(super) fn duplicates(cause: &Error) -> Option<Vec<usize>> {
    let ErrorKind::InsertMany(failed) = cause.kind.as_ref() else { return None };
    if failed.write_concern_error.is_some() {
        return None;
    }
    let errors = failed.write_errors.as_ref()?;
    errors.iter().map(|error| (error.code == DUPLICATE_KEY).then_some(error.index)).collect()
}

/// The moment by which all calls of one request must end.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// For a request that begins now.
    #[expect(clippy::new_without_default, reason = "it depends on the current time, which a default must not")]
    pub fn new() -> Self {
        Self::after(REQUEST_TIMEOUT)
    }

    /// For work that may take longer.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Whether there is no time left.
    pub fn has_passed(self) -> bool {
        self.0 <= Instant::now()
    }

    /// Waits for a call until then. A call that is dropped may still be executed, so its outcome is unknown. A call after the
    /// deadline is not begun.
    pub(super) async fn bound<T>(self, call: impl Future<Output = mongodb::error::Result<T>>) -> Result<T, MongoError> {
        if self.has_passed() {
            return Err(MongoError::Late);
        }
        match tokio::time::timeout_at(self.0, call).await {
            Ok(result) => result.map_err(|cause| MongoError::of(&cause)),
            Err(_) => Err(MongoError::Unknown("no answer came in time".into())),
        }
    }

    /// Waits until then for what must be true before a call.
    pub(super) async fn wait_for<T>(self, ready: impl Future<Output = T>) -> Result<T, MongoError> {
        tokio::time::timeout_at(self.0, ready).await.map_err(|_| MongoError::Late)
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

    fn from_server<T: DeserializeOwned>(document: Document) -> T {
        deserialize_from_document(document).unwrap()
    }

    #[test]
    fn a_duplicate_key_is_known_in_all_three_shapes() {
        let shapes = |code: i32| {
            let error = doc! { "code": code, "errmsg": "E11000 duplicate key error" };
            let (write, command): (WriteError, CommandError) = (from_server(error.clone()), from_server(error.clone()));
            let mut indexed = error;
            indexed.insert("index", 1);
            let many: InsertManyError = from_server(doc! { "writeErrors": [indexed] });
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

    #[test]
    fn what_a_user_may_not_do_is_reported_with_what_to_do_and_without_the_data() {
        let message =
            "not authorized on shop to execute command { insert: \"bookings\", documents: [ { user: \"ann\" } ] }";
        let error: CommandError = from_server(doc! { "code": 13, "codeName": "Unauthorized", "errmsg": message });
        let MongoError::Refused(text) = MongoError::of(&ErrorKind::Command(error).into()) else { panic!("it is one") };
        assert!(text.contains("not authorized on shop") && text.contains("readWrite"), "{text}");
        assert!(!text.contains("ann") && !text.contains("Kind:"), "{text}");
    }

    #[test]
    fn what_the_server_says_is_quoted_and_cut() {
        let error: CommandError = from_server(doc! { "code": 8000, "errmsg": "no ".repeat(1000) });
        let MongoError::Unknown(text) = MongoError::of(&ErrorKind::Command(error).into()) else { panic!("it is one") };
        assert!(text.starts_with("the server says: no no") && text.ends_with("… (code 8000)"), "{text}");
        assert!(text.chars().count() < 250, "{text}");
    }

    #[test]
    fn only_what_may_have_been_sent_may_have_been_written_and_all_of_that_may_pass() {
        let away = || "nobody is there".to_owned();
        let certain = [MongoError::Away(away()), MongoError::Refused(away()), MongoError::Late];
        assert!(!certain.iter().any(|error| error.may_have_written() || error.may_pass()));
        assert!(!MongoError::NotConnected.may_have_written() && MongoError::NotConnected.may_pass());
        let unknown = [MongoError::Unreadable(away()), MongoError::Unknown(away())];
        assert!(unknown.iter().all(|error| error.may_have_written() && error.may_pass()));
    }

    #[tokio::test]
    async fn a_call_without_time_left_is_not_begun() {
        let late = Deadline::after(Duration::ZERO);
        let call = async { panic!("it was begun") };
        assert_eq!(late.bound::<()>(call).await, Err(MongoError::Late));
    }
}
