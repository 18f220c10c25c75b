//! What `myevents load --record FILE` writes and `myevents verify --against FILE` reads: one line of JSON before each request
//! that could change something is sent, and one as soon as its outcome is known. Reads are not in it.
//!
//! Every booking in a record has its key. A request may be in it more than once: first as `unanswered`, and again when it
//! was repeated under the same key. A file may hold several runs, one behind the other, or two at once.
//!
//! Each line is handed to the operating system before the next step is taken. So a kill of the load loses nothing but the
//! end of its last line: what was under way then has its `sending_…` line, and no other. (A power cut may lose more.) A run
//! that ended well says so; of one that did not, more lines may be gone, if the file was cut off by somebody. What a reader
//! may conclude stands at each kind of line.

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A booking will be sent; without a further line about it, its outcome is not known.
    SendingBooking {
        /// When.
        at: String,
        /// What is asked for.
        #[serde(flatten)]
        asked: Asked,
    },
    /// A `DELETE` will be sent; without a further line about it, its outcome is not known.
    SendingCancellation {
        /// When.
        at: String,
        /// The booking's id.
        booking: String,
    },
    /// The run is over, and nothing of it is missing.
    Ended {
        /// When.
        at: String,
        /// How the names of its users begin.
        users: String,
    },
    /// 201, or 200 for a repetition: this booking exists, under this key alone, with these seats of this event.
    Booked {
        /// When the answer was there.
        at: String,
        /// What was asked for.
        #[serde(flatten)]
        asked: Asked,
        /// The booking's id.
        booking: String,
        /// 201 or 200.
        status: u16,
        /// Whether the answer shows it as cancelled, which a repetition may.
        cancelled: bool,
    },
    /// Another answer to a booking (409, 422, 503, …). But for a 503 it says that this request booked nothing; another
    /// one under the same key may have.
    NotBooked {
        /// When the answer was there.
        at: String,
        /// What was asked for.
        #[serde(flatten)]
        asked: Asked,
        /// The status.
        status: u16,
    },
    /// 200 for a `DELETE`: this booking is cancelled for good.
    Cancelled {
        /// When the answer was there.
        at: String,
        /// The booking's id.
        booking: String,
        /// Its event's id.
        event: String,
        /// The seats that came back.
        seats: u64,
    },
    /// Another answer to a `DELETE`. But for a 503 it says that this request cancelled nothing.
    NotCancelled {
        /// When the answer was there.
        at: String,
        /// The booking's id.
        booking: String,
        /// The status.
        status: u16,
    },
    /// A booking without an answer: it may be there or not.
    UnansweredBooking {
        /// When it was given up: the connection was lost, or the time was over.
        at: String,
        /// What was asked for.
        #[serde(flatten)]
        asked: Asked,
    },
    /// A cancellation without an answer: the booking may be cancelled or not.
    UnansweredCancellation {
        /// When it was given up.
        at: String,
        /// The booking's id.
        booking: String,
        /// Its event's id.
        event: String,
    },
}

/// What a booking asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The `Idempotency-Key`.
    pub key: String,
    /// The `user_id`; a key belongs to a user.
    pub user: String,
    /// The event's id.
    pub event: String,
    /// How many seats.
    pub seats: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_written() {
        let (key, user, event) = ("k".to_owned(), "u".to_owned(), "e".to_owned());
        let asked = Asked { key, user, event, seats: 2 };
        let line = Line::Booked {
            at: "2026-11-21T08:00:00.000Z".into(),
            asked,
            booking: "b".into(),
            status: 201,
            cancelled: false,
        };
        let text = r#"{"line":"booked","at":"2026-11-21T08:00:00.000Z","key":"k","user":"u","event":"e","seats":2,"booking":"b","status":201,"cancelled":false}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line);
    }
}
