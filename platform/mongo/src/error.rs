//! What a failed call says about what was written, and how long a call may take.

use std::time::Duration;

use mongodb::error::{Error, ErrorKind, WriteFailure};
use tokio::time::Instant;

/// How long a request may speak to the database in all: its 503 shall come within 3 s, on a busy machine, too.
const REQUEST: Duration = Duration::from_millis(2250);

/// The server's code for a second document under a unique key.
const DUPLICATE_KEY: i32 = 11000;

/// The server's codes for a login that is wrong, and for one that may not do this.
const AUTHENTICATION_FAILED: i32 = 18;
const UNAUTHORIZED: i32 = 13;

/// In the driver's text where a call got no connection because the making of another one failed. The same kind tells of
/// connections that were lost in mid-call, with another text.
const NEVER_CONNECTED: &str = "cleared because another operation failed";

/// Characters of a text that is not ours.
const TEXT_MAX: usize = 200;

/// The client cannot be made: the URL is well formed, and yet of no use.
#[derive(Debug, thiserror::Error)]
#[error("MONGO_URL cannot be used: {0}")]
pub struct ClientError(#[from] Error);

/// A call that did not succeed. The texts are for the log and for operators, and none holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MongoError {
    /// Nothing was sent, so nothing was written.
    #[error("no MongoDB server can be reached: {0}")]
    Away(String),
    /// Nothing was sent either, as a connection could not be made just now: worth another try.
    #[error("no connection to the MongoDB server could be made")]
    NotConnected,
    /// The server takes nothing from us, or there is none that may be taken: so it stays until somebody does something, and
    /// nothing was written.
    #[error("{0}")]
    Refused(String),
    /// It was not begun, as the time for it was over. That says nothing about the server.
    #[error("no time was left to ask the database")]
    Late,
    /// The server works, and what it answered cannot be read. A write may have happened.
    #[error("an answer cannot be read: {0}")]
    Unreadable(String),
    /// It was sent, and no answer came, or a bad one. A write may have happened, may happen later, or not.
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

    /// Whether it may go better in a moment. Who finds no server has waited for one already.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Away(_) | Self::Refused(_) | Self::Late => false,
            Self::NotConnected | Self::Unreadable(_) | Self::Unknown(_) => true,
        }
    }

    /// The driver's own text of an error is a dump of all its fields, so each kind gets one here.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add kinds, and all others are the same here")]
    pub(super) fn of(cause: &Error) -> Self {
        match cause.kind.as_ref() {
            // In these the driver never had a connection; where it had one and lost it, it gives that error instead.
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
                // What follows is the command with all its data.
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

/// A text of somebody else, in reasonable length.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
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

    #[test]
    fn what_a_user_may_not_do_is_reported_with_what_to_do_and_without_the_data() {
        let message =
            "not authorized on shop to execute command { insert: \"bookings\", documents: [ { user: \"ann\" } ] }";
        let error: CommandError = told(doc! { "code": 13, "codeName": "Unauthorized", "errmsg": message });
        let MongoError::Refused(text) = MongoError::of(&ErrorKind::Command(error).into()) else { panic!("it is one") };
        assert!(text.contains("not authorized on shop") && text.contains("readWrite"), "{text}");
        assert!(!text.contains("ann") && !text.contains("Kind:"), "{text}");
    }

    #[test]
    fn what_the_server_says_is_reported_in_its_words_and_in_full() {
        let error: CommandError = told(doc! { "code": 8000, "errmsg": "no ".repeat(1000) });
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
