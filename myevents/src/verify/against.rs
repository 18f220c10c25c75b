//! `--against FILE`: what `myevents load --record` was answered, held against what is stored.
//!
//! Each booking of a record has a key, and the id of a booking under a key follows from user and key. So each request
//! has one booking that it may have made, known before anything is read:
//!
//! - acknowledged (201 or 200): it is there, with the same event, user and seats;
//! - unanswered, or 503: it is there as asked for, or it is not there;
//! - a cancellation acknowledged: it is cancelled; unanswered: it is cancelled or not; none: it is not.
//!
//! And the users of a record have no other bookings: one more is a key that booked twice.

use std::collections::{HashMap, HashSet};

use bookingservice::domain::GUEST;
use serde::Serialize;
use uuid::Uuid;

use super::{
    facts::Booking,
    findings::{Findings, Kind},
};

/// What a record says, by the id of the booking.
#[derive(Debug, Default)]
pub(super) struct Against {
    pub(super) expected: HashMap<Uuid, Expected>,
    /// Whoever booked in it. Guests are left out: anybody may be one.
    pub(super) users: HashSet<Box<str>>,
}

/// What a record says of one booking.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Absent where only its cancellation is in the record.
    pub(super) user: Option<Box<str>>,
    /// What was acknowledged.
    pub(super) acknowledged: Option<Asked>,
    /// What was asked for without an answer; more than one only where a key was used for different things.
    pub(super) unknown: Vec<Asked>,
    pub(super) cancelled: Cancelled,
    /// How often it was found.
    found: u32,
}

/// What a booking request asks for, beside its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) event: Uuid,
    pub(super) seats: u64,
}

/// Whether a booking was cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cancelled {
    /// Nobody asked for it.
    #[default]
    No,
    /// It was asked for, and the answer is not known.
    Perhaps,
    /// It was acknowledged.
    Yes,
}

/// How much was held against what is stored.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Checked {
    /// Bookings that were acknowledged.
    pub(super) acknowledged: u64,
    /// Cancellations that were acknowledged.
    pub(super) cancelled: u64,
    /// Bookings that were asked for and never acknowledged.
    pub(super) unknown: u64,
    /// Those of them that are there.
    pub(super) unknown_there: u64,
}

impl Expected {
    pub(super) fn may_be_cancelled(&mut self, cancelled: Cancelled) {
        self.cancelled = self.cancelled.max(cancelled);
    }
}

impl Against {
    /// Forgets what was seen, before another reading.
    pub(super) fn begin(&mut self) {
        self.expected.values_mut().for_each(|expected| expected.found = 0);
    }

    /// Looks at a stored booking.
    pub(super) fn see(&mut self, booking: &Booking<'_>, findings: &mut Findings) {
        let (id, user, seats) = (booking.id, booking.user_id, booking.seats);
        let Some(expected) = self.expected.get_mut(&id) else {
            if user != GUEST && self.users.contains(user) {
                findings.add(Kind::Doubled, || {
                    format!(
                        "booking {id} of {user} ({seats} seats of event {}) comes from no request of the record: a key \
                         has booked twice, or somebody else books as {user}",
                        booking.event_id.unwrap_or_default()
                    )
                });
            }
            return;
        };
        expected.found += 1;
        if expected.found == 2 {
            findings.add(Kind::Doubled, || format!("booking {id} is there twice"));
        }
        let stored = booking.event_id.map(|event| Asked { event, seats });
        let asked = expected.acknowledged.map_or(&expected.unknown[..], |_| expected.acknowledged.as_slice());
        // Of a booking from before the record only its cancellation is known.
        let fits = asked.is_empty() || stored.is_some_and(|stored| asked.contains(&stored));
        if !fits || expected.user.as_deref().is_some_and(|asker| asker != user) {
            findings.add(Kind::ChangedBooking, || {
                format!(
                    "booking {id}: stored are {user} and {stored:?}, asked for were {:?} and {asked:?}",
                    expected.user
                )
            });
        }
        match (expected.cancelled, booking.cancelled) {
            (Cancelled::Yes, false) => {
                findings.add(Kind::LostCancellation, || {
                    format!("booking {id}: its cancellation was acknowledged, and it is confirmed")
                });
            }
            (Cancelled::No, true) => {
                findings.add(Kind::ChangedBooking, || format!("booking {id} is cancelled, and nobody asked for that"));
            }
            (Cancelled::Yes, true) | (Cancelled::No, false) | (Cancelled::Perhaps, _) => {}
        }
    }

    /// After the last stored booking: what was not seen, and what was looked for.
    pub(super) fn finish(self, findings: &mut Findings) -> Checked {
        let mut checked = Checked::default();
        for (id, expected) in &self.expected {
            checked.cancelled += u64::from(expected.cancelled == Cancelled::Yes);
            match expected.acknowledged {
                Some(Asked { event, seats }) => {
                    checked.acknowledged += 1;
                    if expected.found == 0 {
                        let user = expected.user.as_deref().unwrap_or("somebody");
                        findings.add(Kind::LostBooking, || {
                            format!("booking {id} of {user} ({seats} seats of event {event}) was acknowledged, and is not there")
                        });
                    }
                }
                None if !expected.unknown.is_empty() => {
                    checked.unknown += 1;
                    checked.unknown_there += u64::from(expected.found > 0);
                }
                None => {}
            }
        }
        checked
    }
}
