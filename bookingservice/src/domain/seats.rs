//! The seats of an event: where overselling is prevented. Every change is made here, with its new version, and so are the messages about
//! it, but for `bookingCancelled`, which is about a booking (`booking.rs`). SQLite loads the seats, changes them and stores them. MongoDB changes them by a filter with the same conditions (`reserve` in
//! `store/mongo/steps.rs`), and asks here why the filter did not match.

use contracts::{EventBooked, EventCreated, Instant, SeatsChanged};
use uuid::Uuid;

use super::{
    booking::{Booking, Refused},
    records::{BookingRecord, SeatsRecord, Status},
    request::NewBooking,
};

/// Seats left of an event without a capacity; no client ever sees the number. 2^53 - 1, as other tools may read MongoDB's numbers
/// as doubles.
pub const UNLIMITED: u64 = (1 << 53) - 1;

/// The seats of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats(SeatsRecord);

/// Seats that are taken.
#[derive(Debug)]
pub struct Sale {
    /// The seats afterwards.
    pub seats: Seats,
    /// The booking.
    pub booking: Booking,
    /// The message about it, for other services.
    pub message: EventBooked,
}

impl Seats {
    /// Of a new event: none is booked.
    pub fn new(event: EventCreated) -> Self {
        let EventCreated { id: event_id, name: event_name, end_date, capacity, .. } = event;
        let left = capacity.unwrap_or(UNLIMITED);
        Self(SeatsRecord { event_id, event_name, end_date, capacity, left, booked: 0, version: 0 })
    }

    /// As a store has kept them.
    pub fn stored(record: SeatsRecord) -> Self {
        Self(record)
    }

    /// Takes the seats of a request, if as many are left and the event is not over.
    pub fn sell(mut self, request: &NewBooking) -> Result<Sale, Refused> {
        let request = request.record();
        if self.0.end_date <= request.at {
            return Err(Refused::Over);
        }
        let Some(left) = self.0.left.checked_sub(request.seats) else {
            return Err(Refused::SoldOut { seats_left: self.0.left });
        };
        (self.0.left, self.0.booked) = (left, self.0.booked + request.seats);
        self.0.version += 1;
        Ok(self.sold(request.id, request.user_id.clone(), request.seats, request.at))
    }

    /// Takes the seats of a cancelled booking back. `None` if fewer are booked: then what is stored is damaged.
    pub fn release(mut self, seats: u64) -> Option<Self> {
        self.0.booked = self.0.booked.checked_sub(seats)?;
        (self.0.left, self.0.version) = (self.0.left + seats, self.0.version + 1);
        Some(self)
    }

    /// The sale of seats that are taken already.
    pub fn sold(self, id: Uuid, user_id: String, seats: u64, booked_at: Instant) -> Sale {
        let SeatsRecord { event_id, booked: booked_seats, version, .. } = self.0;
        let (event_name, seats_left, status) = (self.0.event_name.clone(), self.left(), Status::Confirmed);
        let user = user_id.clone();
        let (booking_id, cancelled_at, seq) = (id, None, version);
        let message =
            EventBooked { booking_id, event_id, user_id: user, seats, booked_at, seats_left, booked_seats, version };
        let booking = BookingRecord { id, event_id, event_name, user_id, seats, status, booked_at, cancelled_at, seq };
        Sale { seats: self, booking: Booking(booking), message }
    }

    /// How many seats are left and booked now, for other services.
    pub fn seats_changed(&self) -> SeatsChanged {
        let SeatsRecord { event_id, booked: booked_seats, version, .. } = self.0;
        SeatsChanged { event_id, seats_left: self.left(), booked_seats, version }
    }

    /// How many can still be booked; `None` where there is no capacity.
    pub fn left(&self) -> Option<u64> {
        self.0.capacity.map(|_| self.0.left)
    }

    /// What a store keeps of them.
    pub fn record(&self) -> &SeatsRecord {
        &self.0
    }
}
