//! `--against FILE`: what `myevents load --record` was answered, held against what is stored.
//!
//! Each booking of a record has a key, and the id of a booking under a key follows from user and key. So each request
//! has one booking that it may have made, known before anything is read:
//!
//! - acknowledged (201 or 200): it is there, with the same event, user and seats;
//! - unanswered, 503, or not mentioned again: it is there as asked for, or it is not there;
//! - a cancellation acknowledged: it is cancelled; unanswered: it is cancelled or not.
//!
//! And the users of a record have no other bookings: one more is a key that booked twice. Of a run without an end in the
//! record it may also be a line that is gone, so there it is only counted.
//!
//! A booking that is cancelled although the record did not ask for that is only counted, too: any client that knows its id may
//! cancel it, and a later load does so to make room. Where nobody else could, `--exclusive` makes it wrong.

use std::{collections::HashMap, fmt};

use bookingservice::domain::request::GUEST;
use serde::Serialize;
use uuid::Uuid;

use super::{
    facts::Booking,
    findings::{Findings, Kind},
};

/// What a record says, by the id of the booking.
#[derive(Debug, Default)]
pub(super) struct Against {
    expected: HashMap<Uuid, Expected>,
    /// The clients that booked in it, and whether their run has an end in the record.
    pub(super) users: HashMap<Box<str>, bool>,
    /// Nobody else has cancelled.
    pub(super) exclusive: bool,
    /// What is counted on the way; the rest of it is counted at the end.
    pub(super) checked: Checked,
    findings: Findings,
}

/// What a record says of one booking.
#[derive(Debug, Default)]
struct Expected {
    /// Absent where only its cancellation is in the record.
    user: Option<Box<str>>,
    /// What was acknowledged.
    acknowledged: Option<Asked>,
    /// What was asked for without an answer; more than one only where a key was used for different things.
    unknown: Vec<Asked>,
    cancelled: Cancelled,
    /// How often it was found.
    found: u32,
}

/// What a booking request asks for, beside its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) event: Uuid,
    pub(super) seats: u64,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} seats of event {}", self.seats, self.event)
    }
}

/// Whether a booking was cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cancelled {
    /// The record did not ask for it.
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
    /// Bookings that are cancelled, and not by the record.
    pub(super) cancelled_by_others: u64,
    /// Whether every run has its end in the record.
    pub(super) complete: bool,
    /// Bookings of users whose run has no end, that come from no line.
    pub(super) not_in_record: u64,
    /// Lines that were cut off, and passed over.
    pub(super) cut_off: u64,
}

/// What the lines of a record say.
impl Against {
    /// This user has asked for this booking.
    pub(super) fn asks(&mut self, id: Uuid, user: &str) {
        let expected = self.expected.entry(id).or_default();
        if expected.user.is_none() {
            expected.user = Some(user.into());
            if user != GUEST && !self.users.contains_key(user) {
                self.users.insert(user.into(), false); // anybody may be a guest
            }
        }
    }

    /// It was acknowledged; gives what was acknowledged first.
    pub(super) fn booked(&mut self, id: Uuid, what: Asked) -> Asked {
        *self.expected.entry(id).or_default().acknowledged.get_or_insert(what)
    }

    /// What came of it is not known.
    pub(super) fn may_be_booked(&mut self, id: Uuid, what: Asked) {
        let unknown = &mut self.expected.entry(id).or_default().unknown;
        if !unknown.contains(&what) {
            unknown.push(what);
        }
    }

    /// It was refused. If no other request under the same key may have booked, it must not be there.
    pub(super) fn refused(&mut self, id: Uuid) {
        let nothing = |expected: &Expected| expected.acknowledged.is_none() && expected.unknown.is_empty();
        if self.expected.get(&id).is_some_and(nothing) {
            self.expected.remove(&id);
        }
    }

    /// Its cancellation was acknowledged; gives what was booked.
    pub(super) fn cancelled(&mut self, id: Uuid, what: Asked) -> Asked {
        self.may_be_cancelled(id, Cancelled::Yes);
        self.booked(id, what)
    }

    /// What is known of a cancellation.
    pub(super) fn may_be_cancelled(&mut self, id: Uuid, cancelled: Cancelled) {
        let expected = self.expected.entry(id).or_default();
        expected.cancelled = expected.cancelled.max(cancelled);
    }
}

/// What is stored.
impl Against {
    /// Forgets what was seen and found, before another reading.
    pub(super) fn begin(&mut self) {
        self.expected.values_mut().for_each(|expected| expected.found = 0);
        self.checked = Checked { cut_off: self.checked.cut_off, ..Checked::default() };
        self.findings = Findings::default();
    }

    /// Looks at a stored booking.
    pub(super) fn see(&mut self, booking: &Booking<'_>) {
        let (id, user, findings) = (booking.id, booking.user_id, &mut self.findings);
        let Some(expected) = self.expected.get_mut(&id) else {
            // Nobody's business where its user is not in the record either. Where the record is not complete, it is only counted.
            match self.users.get(user) {
                None => {}
                Some(false) => self.checked.not_in_record += 1,
                Some(true) => findings.add(Kind::Doubled, || {
                    format!(
                        "booking {id} of {user} ({}) comes from no request of the record: a key has booked twice, or \
                         somebody else books as {user}",
                        text(booking)
                    )
                }),
            }
            return;
        };
        expected.found += 1;
        if expected.found == 2 {
            findings.add(Kind::Doubled, || format!("booking {id} is there twice"));
        }
        let stored = booking.event_id.map(|event| Asked { event, seats: booking.seats });
        let asked = expected.acknowledged.map_or(&expected.unknown[..], |_| expected.acknowledged.as_slice());
        // Of a booking from before the record only its cancellation is known.
        let fits = asked.is_empty() || stored.is_some_and(|stored| asked.contains(&stored));
        if !fits || expected.user.as_deref().is_some_and(|asker| asker != user) {
            findings.add(Kind::ChangedBooking, || {
                let asked: Vec<_> = asked.iter().map(Asked::to_string).collect();
                let (asked, asker) = (asked.join(" or "), expected.user.as_deref().unwrap_or("somebody"));
                format!("booking {id}: stored are {} for {user}, asked for were {asked} for {asker}", text(booking))
            });
        }
        match (expected.cancelled, booking.cancelled) {
            (Cancelled::Yes, false) => {
                findings.add(Kind::LostCancellation, || {
                    format!("booking {id}: its cancellation was acknowledged, and it is confirmed")
                });
            }
            (Cancelled::No, true) if self.exclusive => {
                findings.add(Kind::ChangedBooking, || format!("booking {id} is cancelled, and nobody asked for that"));
            }
            (Cancelled::No, true) => self.checked.cancelled_by_others += 1,
            (Cancelled::Yes, true) | (Cancelled::No, false) | (Cancelled::Perhaps, _) => {}
        }
    }

    /// After the last stored booking: what was not seen, and what was looked for.
    pub(super) fn finish(self, findings: &mut Findings) -> Checked {
        findings.append(self.findings);
        let complete = self.users.values().all(|complete| *complete);
        let mut checked = Checked { complete, ..self.checked };
        for (id, expected) in &self.expected {
            checked.cancelled += u64::from(expected.cancelled == Cancelled::Yes);
            match expected.acknowledged {
                Some(asked) => {
                    checked.acknowledged += 1;
                    if expected.found == 0 {
                        let user = expected.user.as_deref().unwrap_or("somebody");
                        findings.add(Kind::LostBooking, || {
                            format!("booking {id} of {user} ({asked}) was acknowledged, and is not there")
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

fn text(booking: &Booking<'_>) -> String {
    match booking.event_id {
        Some(event) => Asked { event, seats: booking.seats }.to_string(),
        None => format!("{} seats of an event that is not there", booking.seats),
    }
}
