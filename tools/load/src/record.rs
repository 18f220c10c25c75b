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

use std::{fs::File, io::Write, path::Path, sync::OnceLock};

use anyhow::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A booking will be sent; without a further line about it, its outcome is not known.
    SendingBooking(Asked),
    /// A `DELETE` will be sent; without a further line about it, its outcome is not known.
    SendingCancellation {
        /// When.
        at: String,
        /// The booking's id.
        booking: Uuid,
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
        /// What was asked for.
        #[serde(flatten)]
        asked: Asked,
        /// The booking's id.
        booking: Uuid,
        /// 201 or 200.
        status: u16,
        /// Whether the answer shows it as cancelled, which a repetition may.
        cancelled: bool,
    },
    /// Another answer to a booking (409, 422, 503, …). But for a 503 it says that this request booked nothing; another
    /// one under the same key may have.
    NotBooked {
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
        booking: Uuid,
        /// Its event's id.
        event: Uuid,
        /// The seats that came back.
        seats: u64,
    },
    /// Another answer to a `DELETE`. But for a 503 it says that this request cancelled nothing.
    NotCancelled {
        /// When the answer was there.
        at: String,
        /// The booking's id.
        booking: Uuid,
        /// The status.
        status: u16,
    },
    /// A booking without an answer (the connection was lost, or the time was over): it may be there or not.
    UnansweredBooking(Asked),
    /// A cancellation without an answer: the booking may be cancelled or not.
    UnansweredCancellation {
        /// When it was given up.
        at: String,
        /// The booking's id.
        booking: Uuid,
        /// Its event's id.
        event: Uuid,
    },
}

/// What a booking asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// When it was sent, answered or given up, as the line says.
    pub at: String,
    /// The `Idempotency-Key`.
    pub key: String,
    /// The `user_id`; a key belongs to a user.
    pub user: String,
    /// The event's id.
    pub event: Uuid,
    /// How many seats.
    pub seats: u64,
}

/// Writes a record, line by line and unbuffered: what is known is in the file, also after a kill.
pub(crate) struct Recorder {
    file: File,
    trouble: OnceLock<String>,
}

impl Recorder {
    /// Appends, so that a run can be gone on with after a restart of this program, too.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.with_context(|| format!("--record {} cannot be written", path.display()))?;
        Ok(Self { file, trouble: OnceLock::new() })
    }

    pub(crate) fn write(&self, line: &Line) {
        let mut text = serde_json::to_string(line).expect("a line has only string keys");
        text.push('\n');
        if let Err(cause) = (&self.file).write_all(text.as_bytes())
            && self.trouble.set(cause.to_string()).is_ok()
        {
            eprintln!("myevents: the record is incomplete from here on: {cause}");
        }
    }

    /// Writes the last line of a run, if nothing is missing before it. Returns why lines are missing, if any are.
    pub(crate) fn end(mut self, users: String) -> Option<String> {
        if self.trouble.get().is_none() {
            self.write(&Line::Ended { at: now(), users });
        }
        self.trouble.take()
    }
}

/// Now, as a line has it.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_written() {
        let (at, key, user) = ("2026-11-21T08:00:00.000Z".to_owned(), "k".to_owned(), "u".to_owned());
        let asked = Asked { at, key, user, event: Uuid::from_u128(14), seats: 2 };
        let line = Line::Booked { asked, booking: Uuid::from_u128(11), status: 201, cancelled: false };
        let text = r#"{"line":"booked","at":"2026-11-21T08:00:00.000Z","key":"k","user":"u","event":"00000000-0000-0000-0000-00000000000e","seats":2,"booking":"00000000-0000-0000-0000-00000000000b","status":201,"cancelled":false}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line);
    }
}
