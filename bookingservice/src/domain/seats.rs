//! The seats of an event: where overselling is prevented. Every change is made here, with its new version, and so is every message
//! that tells of one. SQLite loads them, changes them and stores them; MongoDB changes them by a filter that says the same (`reserve`
//! in `store/mongo/steps.rs`), and asks here why it did not fit.

use contracts::{EventBooked, Instant};
use uuid::Uuid;

use super::{Booking, EventOnSale, NewBooking, Refused, Status};

/// Seats left of an event without a capacity; no client ever sees the number. 2^53 - 1, as other tools may read MongoDB's numbers
/// as doubles.
pub const UNLIMITED: u64 = (1 << 53) - 1;

/// The seats of one event as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats {
    on_sale: EventOnSale,
    end_date: Instant,
    left: u64,
}

/// Seats that are taken: how they are now, the booking, and what others are told.
#[derive(Debug)]
pub struct Sale {
    /// Afterwards.
    pub seats: Seats,
    /// Whose they are.
    pub booking: Booking,
    /// For other services.
    pub message: EventBooked,
}

impl Seats {
    /// As they are stored. `left` counts down from [`UNLIMITED`] where there is no capacity.
    pub fn stored(on_sale: EventOnSale, end_date: Instant, left: u64) -> Self {
        Self { on_sale, end_date, left }
    }

    /// Takes the seats of a request, if there are as many and the event is not over.
    pub fn sell(mut self, request: &NewBooking) -> Result<Sale, Refused> {
        if self.end_date <= request.at() {
            return Err(Refused::Over);
        }
        let Some(left) = self.left.checked_sub(request.seats()) else {
            return Err(Refused::SoldOut { seats_left: self.left });
        };
        self.change(left, self.on_sale.booked_seats + request.seats());
        Ok(self.sold(request.id(), request.user_id().to_owned(), request.seats(), request.at()))
    }

    /// Gives the seats of a booking back.
    pub fn release(mut self, seats: u64) -> Self {
        self.change(self.left + seats, self.on_sale.booked_seats - seats);
        self
    }

    fn change(&mut self, left: u64, booked: u64) {
        self.left = left;
        self.on_sale.seats_left = self.on_sale.capacity.map(|_| left);
        self.on_sale.booked_seats = booked;
        self.on_sale.version += 1;
    }

    /// The booking of seats that are taken already.
    pub fn sold(self, id: Uuid, user_id: String, seats: u64, at: Instant) -> Sale {
        let EventOnSale { id: event_id, seats_left, booked_seats, version, .. } = self.on_sale;
        let message = EventBooked {
            booking_id: id,
            event_id,
            user_id: user_id.clone(),
            seats,
            booked_at: at,
            seats_left,
            booked_seats,
            version,
        };
        let (event_name, status) = (self.on_sale.name.clone(), Status::Confirmed);
        let (booked_at, cancelled_at, seq) = (at, None, version);
        let booking = Booking { id, event_id, event_name, user_id, seats, status, booked_at, cancelled_at, seq };
        Sale { seats: self, booking, message }
    }

    /// What can still be booked, as it is stored.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// What everybody may know of them.
    pub fn on_sale(&self) -> &EventOnSale {
        &self.on_sale
    }
}
