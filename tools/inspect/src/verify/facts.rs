//! What was read of a system, running or stopped, as plain values; or why it was not. [`reconcile`](super::reconcile) judges it.

use std::collections::{HashMap, HashSet};

use bookingservice::domain::SEATS_MAX;
use contracts::Instant;
use messaging::Message;
use serde::Deserialize;
use uuid::Uuid;

use crate::dead::Letter;

/// Everything but the single bookings, which may be a million: those are counted up while they are read.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The event service's events.
    pub(super) shown: Vec<Shown>,
    /// The booking service's.
    pub(super) sold: Vec<Sold>,
    /// What the bookings come to.
    pub(super) tally: Tally,
    /// Messages that wait in an outbox, with whose it is. Of a running system none: it is waited for until they are gone.
    pub(super) pending: Vec<(&'static str, Message)>,
    pub(super) dead: Vec<Letter>,
    /// Events whose row cannot be read in one of the services: that is a finding already, and they are not missing.
    pub(super) unreadable: HashSet<Uuid>,
    /// What a running system's metrics say.
    pub(super) totals: Option<Totals>,
    /// Whether the store takes seats before it books, and gives back those of a booking that was made elsewhere meanwhile.
    pub(super) may_release: bool,
    /// The file of a service that runs apart: what it holds was not read, and nothing is compared with it.
    pub(super) elsewhere: Option<&'static str>,
}

/// Why a system could not be checked. Then nothing is said about what it holds.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unchecked {
    /// The system did not come to rest.
    #[error("the system did not become quiet: {0}; stop what uses it, or give it longer with --patience")]
    Noisy(String),
    /// Something cannot be read.
    #[error("{0:#}")]
    Away(#[from] anyhow::Error),
}

/// An event as the event service shows it by REST, or has it in its file.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Shown {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) end_date: Instant,
    pub(super) capacity: Option<u64>,
    pub(super) booked_seats: u64,
    pub(super) seats_left: Option<u64>,
    /// Only in the file; REST does not show it.
    #[serde(skip)]
    pub(super) version: Option<u64>,
}

/// An event as the booking service sells it, likewise.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sold {
    pub(super) id: Uuid,
    pub(super) name: String,
    /// Only in the file.
    #[serde(skip)]
    pub(super) end_date: Option<Instant>,
    pub(super) capacity: Option<u64>,
    pub(super) seats_left: Option<u64>,
    pub(super) booked_seats: u64,
    pub(super) version: u64,
    /// See `bookingservice::store::audit`; 0 where it cannot be seen.
    #[serde(skip)]
    pub(super) unlimited_off_by: i64,
}

/// A booking, as long as it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Booking<'a> {
    pub(super) id: Uuid,
    /// Absent where it refers to an event that is not there.
    pub(super) event_id: Option<Uuid>,
    /// Only in the file.
    pub(super) seq: Option<u64>,
    pub(super) user_id: &'a str,
    pub(super) seats: u64,
    pub(super) cancelled: bool,
}

/// What the bookings come to, by event.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) by_event: HashMap<Uuid, Sums>,
    /// Bookings of no event.
    pub(super) orphans: Vec<Uuid>,
    /// Bookings of more or fewer seats than one can ask for, with these.
    pub(super) impossible: Vec<(Uuid, u64)>,
}

/// What one event's bookings come to.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) bookings: u64,
    pub(super) cancelled: u64,
    /// A damaged file may hold anything: the sum of as many of the largest numbers as there can be fits.
    pub(super) confirmed_seats: u128,
    /// All of them, where they can be seen.
    pub(super) seqs: Vec<u64>,
}

impl Tally {
    /// Counts a booking.
    pub(super) fn add(&mut self, booking: &Booking<'_>) {
        if !(1..=SEATS_MAX.cast_unsigned()).contains(&booking.seats) {
            self.impossible.push((booking.id, booking.seats));
        }
        let Some(event) = booking.event_id else {
            self.orphans.push(booking.id);
            return;
        };
        let sums = self.by_event.entry(event).or_default();
        sums.bookings += 1;
        if booking.cancelled {
            sums.cancelled += 1;
        } else {
            sums.confirmed_seats += u128::from(booking.seats);
        }
        sums.seqs.extend(booking.seq);
    }

    /// Bookings, how many of them are cancelled, and the seats of the others.
    pub(super) fn totals(&self) -> (u64, u64, u128) {
        let add = |(bookings, cancelled, seats), sums: &Sums| {
            (bookings + sums.bookings, cancelled + sums.cancelled, sums.confirmed_seats + seats)
        };
        self.by_event.values().fold((self.orphans.len() as u64, 0, 0), add)
    }
}

/// What a running system's metrics say when it is quiet.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    /// `myevents_seat_changes`
    pub(super) seat_changes: u64,
    /// `myevents_view_seat_changes`
    pub(super) view_seat_changes: u64,
    /// `myevents_seats_confirmed`
    pub(super) seats_confirmed: u64,
    /// `myevents_holds`, where the store has any: the longest list.
    pub(super) holds: u64,
    /// `myevents_dead_letters`, of all queues.
    pub(super) dead_letters: u64,
}
