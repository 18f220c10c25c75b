//! What is wrong, a line each.

use std::collections::BTreeMap;

use serde::Serialize;

/// Of each kind so many are kept with their text; one lost file page may cost a million bookings.
const KEPT: u64 = 100;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// A database file is damaged.
    File,
    /// A row cannot be read, or holds what cannot be.
    Row,
    /// Seats left and seats booked do not make the capacity.
    Seats,
    /// `booked_seats` is not what the confirmed bookings come to.
    BookedSeats,
    /// `version` is not the number of changes.
    Version,
    /// A change's number was given out twice, or never.
    Seq,
    /// A booking of an event that is not there.
    Orphan,
    /// One service knows an event that the other does not.
    UnknownEvent,
    /// The services know different things of an event.
    Copy,
    /// The event service shows other seats than there are.
    View,
    /// Messages wait to be published.
    Outbox,
    /// A hold was not taken back.
    Hold,
    /// A message was given up.
    DeadLetter,
    /// A metric is not what is stored.
    Totals,
    /// An acknowledged booking is not there.
    LostBooking,
    /// A booking is there, but not as it was acknowledged.
    ChangedBooking,
    /// An acknowledged cancellation is not there.
    LostCancellation,
    /// A key has booked twice, or something was booked that nobody asked for.
    Doubled,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// Everything that is wrong.
#[derive(Debug, Default, Serialize)]
pub(super) struct Findings {
    /// How many of each kind.
    #[serde(rename = "found")]
    pub(super) counts: BTreeMap<Kind, u64>,
    /// With text.
    #[serde(rename = "findings")]
    pub(super) list: Vec<Finding>,
}

impl Findings {
    /// Adds one; its text is only made if it is kept.
    pub(super) fn add(&mut self, kind: Kind, text: impl FnOnce() -> String) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= KEPT {
            self.list.push(Finding { kind, text: text() });
        }
    }

    /// Takes over those of another part.
    pub(super) fn append(&mut self, other: Self) {
        self.list.extend(other.list);
        for (kind, count) in other.counts {
            *self.counts.entry(kind).or_default() += count;
        }
    }

    /// How many there are.
    pub(super) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many there are beyond those in the list.
    pub(super) fn unlisted(&self) -> u64 {
        self.total() - self.list.len() as u64
    }
}
