//! The events that are booked, and how many seats of each are sold.
//!
//! An event is held between [`LOW`] and [`HIGH`] percent sold. What is under way counts on the safe side: a booking as if it
//! had happened, a cancellation as if it had, so the bounds hold whatever happens to it.

use std::sync::Arc;

use uuid::Uuid;

use crate::mix::Phase;

/// Percent of the seats that are sold at least, once the filling is done.
const LOW: u64 = 20;
/// At most.
const HIGH: u64 = 90;
/// So much is sold before the load begins: some way from both bounds.
const FILL: u64 = 35;

/// Bookings of an unlimited event that are remembered, to be read and cancelled.
const REMEMBERED: usize = 10_000;
/// Keyed bookings that are remembered, to be repeated.
const REPEATABLE: usize = 1000;

/// A confirmed booking.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booking {
    pub(crate) id: Uuid,
    pub(crate) seats: u64,
}

/// A booking as it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) key: Option<String>,
    pub(crate) user: Arc<str>,
    pub(crate) event: usize,
    pub(crate) seats: u64,
}

/// One event.
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) capacity: Option<u64>,
    /// Seats of all confirmed bookings, without those under way.
    pub(crate) sold: u64,
    /// Seats that are being booked, and cancelled.
    booking: u64,
    cancelling: u64,
    /// Some request had no answer: `sold` must be asked for before the event is booked again.
    pub(crate) doubtful: bool,
    confirmed: Vec<Booking>,
    /// Where to read on for bookings of earlier runs; they are cancelled like our own.
    pub(crate) walk: Option<String>,
}

/// All of them.
pub(crate) struct Inventory {
    pub(crate) events: Vec<Event>,
    repeatable: Vec<Order>,
}

impl Event {
    /// `walk` is the path of the first page of its bookings, where an earlier run may have left some.
    pub(crate) fn new(id: Uuid, name: String, capacity: Option<u64>, sold: u64) -> Self {
        let walk = (sold > 0).then(String::new);
        Self { id, name, capacity, sold, booking: 0, cancelling: 0, doubtful: false, confirmed: Vec::new(), walk }
    }

    fn may_book(&self, seats: u64, percent: u64) -> bool {
        let fits = |capacity| self.sold + self.booking + seats <= capacity * percent / 100;
        !self.doubtful && self.capacity.is_none_or(fits)
    }

    fn may_cancel(&self) -> bool {
        let enough = |capacity: u64| {
            let sold = self.sold.saturating_sub(self.cancelling);
            self.confirmed.last().is_some_and(|last| sold >= capacity * LOW / 100 + last.seats)
        };
        !self.doubtful && !self.confirmed.is_empty() && self.capacity.is_none_or(enough)
    }

    /// What the booking service says is sold, if nothing is under way that would change it.
    pub(crate) fn looked_at(&mut self, sold: u64) {
        if self.must_be_looked_at() {
            (self.sold, self.doubtful) = (sold, false);
        }
    }

    /// It is doubtful, and nothing of it is under way any more.
    fn must_be_looked_at(&self) -> bool {
        self.doubtful && self.booking == 0 && self.cancelling == 0
    }

    /// A confirmed booking, our own or one of an earlier run that was found.
    pub(crate) fn remember(&mut self, booking: Booking) {
        self.confirmed.push(booking);
        if self.capacity.is_none() && self.confirmed.len() > REMEMBERED {
            self.confirmed.swap_remove(fastrand::usize(..REMEMBERED));
        }
        self.shuffle();
    }

    /// Puts a random one to the end, where the next is taken from.
    fn shuffle(&mut self) {
        if let Some(last) = self.confirmed.len().checked_sub(1) {
            self.confirmed.swap(fastrand::usize(..=last), last);
        }
    }
}

impl Inventory {
    pub(crate) fn new(events: Vec<Event>) -> Self {
        Self { events, repeatable: Vec::new() }
    }

    /// An event for a booking; its seats count as taken until `booked`. While it is filled, `None` where enough is sold for a
    /// beginning.
    pub(crate) fn reserve(&mut self, phase: Phase, seats: u64) -> Option<usize> {
        let index = self.find(|event| match phase {
            Phase::Fill => event.capacity.is_some() && event.may_book(seats, FILL),
            Phase::Mix => event.may_book(seats, HIGH),
        })?;
        self.events[index].booking += seats;
        Some(index)
    }

    /// A booking to cancel; its seats count as given back until `cancelled`.
    pub(crate) fn release(&mut self) -> Option<(usize, Booking)> {
        let index = self.find(Event::may_cancel)?;
        let event = &mut self.events[index];
        let booking = event.confirmed.pop()?;
        event.shuffle();
        event.cancelling += booking.seats;
        Some((index, booking))
    }

    /// An event that must be looked at.
    pub(crate) fn to_look_at(&self) -> Option<usize> {
        self.events.iter().position(Event::must_be_looked_at)
    }

    /// An event, evenly.
    pub(crate) fn any(&self) -> usize {
        fastrand::usize(..self.events.len())
    }

    /// A confirmed booking.
    pub(crate) fn any_booking(&self) -> Option<Uuid> {
        self.events[self.any()].confirmed.last().map(|booking| booking.id)
    }

    /// A booking that was made under a key.
    pub(crate) fn any_keyed(&self) -> Option<Order> {
        fastrand::choice(&self.repeatable).cloned()
    }

    /// It is known what became of a booking: what was booked, or `None`.
    pub(crate) fn booked(&mut self, order: &Order, booked: Option<Booking>) {
        let event = &mut self.events[order.event];
        event.booking -= order.seats;
        let Some(booking) = booked else { return };
        event.sold += booking.seats;
        event.remember(booking);
        if order.key.is_some() {
            if self.repeatable.len() < REPEATABLE {
                self.repeatable.push(order.clone());
            } else {
                self.repeatable[fastrand::usize(..REPEATABLE)] = order.clone();
            }
        }
    }

    /// It is known what became of a cancellation.
    pub(crate) fn cancelled(&mut self, event: usize, booking: Booking, done: bool) {
        let event = &mut self.events[event];
        event.cancelling -= booking.seats;
        if done {
            event.sold = event.sold.saturating_sub(booking.seats);
        }
    }

    /// Looks at all events, beginning anywhere.
    fn find(&self, fits: impl Fn(&Event) -> bool) -> Option<usize> {
        let (first, count) = (self.any(), self.events.len());
        (0..count).map(|step| (first + step) % count).find(|index| fits(&self.events[*index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_for_an_event_stays_between_its_bounds() {
        let mut inventory = Inventory::new(vec![Event::new(Uuid::nil(), "A".into(), Some(40), 0)]);
        while let Some(event) = inventory.reserve(Phase::Fill, 1) {
            let order = Order { key: None, user: "u".into(), event, seats: 1 };
            inventory.booked(&order, Some(Booking { id: Uuid::nil(), seats: 1 }));
        }
        assert_eq!(inventory.events[0].sold, 40 * FILL / 100);
        for _ in 0..10_000 {
            let seats = fastrand::u64(1..=4);
            if fastrand::bool() {
                if let Some(event) = inventory.reserve(Phase::Mix, seats) {
                    let order = Order { key: None, user: "u".into(), event, seats };
                    let booked = fastrand::bool().then(|| Booking { id: Uuid::nil(), seats });
                    inventory.booked(&order, booked);
                }
            } else if let Some((event, booking)) = inventory.release() {
                inventory.cancelled(event, booking, true);
            }
            assert!((8..=36).contains(&inventory.events[0].sold), "{}", inventory.events[0].sold);
        }
    }

    #[test]
    fn a_doubtful_event_is_left_alone_until_it_was_looked_at() {
        let mut inventory = Inventory::new(vec![Event::new(Uuid::nil(), "A".into(), Some(1000), 300)]);
        inventory.events[0].doubtful = true;
        assert!(inventory.reserve(Phase::Mix, 1).is_none() && inventory.release().is_none());
        assert_eq!(inventory.to_look_at(), Some(0));
        inventory.events[0].looked_at(304);
        assert_eq!((inventory.reserve(Phase::Mix, 1), inventory.events[0].sold), (Some(0), 304));
    }
}
