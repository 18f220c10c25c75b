//! The events that are booked, and how many seats of each are sold.
//!
//! An event is held between [`LOW`] and [`HIGH`] percent sold. What is under way counts on the safe side: a booking as if it
//! had happened, a cancellation as if it had, so the bounds hold whatever happens to it.

use std::sync::Arc;

/// Percent of the seats that are sold at least, once the filling is done.
pub(crate) const LOW: u64 = 20;
/// At most.
pub(crate) const HIGH: u64 = 90;
/// So much is sold before the load begins: some way from both bounds.
const FILL: u64 = 35;

/// Bookings of an unlimited event that are remembered, to be read and cancelled.
const REMEMBERED: usize = 10_000;
/// Keyed bookings that are remembered, to be repeated.
const REPEATABLE: usize = 1000;

/// A confirmed booking.
#[derive(Clone, Debug)]
pub(crate) struct Booking {
    pub(crate) id: Arc<str>,
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
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    pub(crate) capacity: Option<u64>,
    /// Seats of all confirmed bookings, without those under way.
    pub(crate) sold: u64,
    /// Seats that are being booked, and cancelled.
    booking: u64,
    cancelling: u64,
    /// Some request had no answer: `sold` must be asked for before the event is booked again.
    doubtful: bool,
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
    pub(crate) fn new(id: &str, name: &str, capacity: Option<u64>, sold: u64) -> Self {
        let walk = (sold > 0).then(String::new);
        let (id, name) = (id.into(), name.to_owned());
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

    fn remember(&mut self, booking: Booking) {
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

    /// An event for a booking; its seats count as taken until `booked`.
    pub(crate) fn reserve(&mut self, seats: u64) -> Option<usize> {
        let index = self.find(|event| event.may_book(seats, HIGH))?;
        self.events[index].booking += seats;
        Some(index)
    }

    /// Likewise, while not enough is sold for a beginning.
    pub(crate) fn reserve_to_fill(&mut self, seats: u64) -> Option<usize> {
        let index = self.find(|event| event.capacity.is_some() && event.may_book(seats, FILL))?;
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

    /// An event that must be looked at, once nothing of it is under way.
    pub(crate) fn to_look_at(&self) -> Option<usize> {
        self.events.iter().position(|event| event.doubtful && event.booking == 0 && event.cancelling == 0)
    }

    /// An event, evenly.
    pub(crate) fn any(&self) -> usize {
        fastrand::usize(..self.events.len())
    }

    /// A confirmed booking.
    pub(crate) fn any_booking(&self) -> Option<Arc<str>> {
        let event = &self.events[self.any()];
        event.confirmed.last().map(|booking| booking.id.clone())
    }

    /// A booking that was made under a key.
    pub(crate) fn any_keyed(&self) -> Option<Order> {
        let last = self.repeatable.len().checked_sub(1)?;
        Some(self.repeatable[fastrand::usize(..=last)].clone())
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
    pub(crate) fn cancelled(&mut self, event: usize, booking: &Booking, done: bool) {
        let event = &mut self.events[event];
        event.cancelling -= booking.seats;
        if done {
            event.sold = event.sold.saturating_sub(booking.seats);
        }
    }

    /// What is sold is not known any more.
    pub(crate) fn doubt(&mut self, event: usize) {
        self.events[event].doubtful = true;
    }

    /// What the booking service says, if nothing is under way that would change it.
    pub(crate) fn looked_at(&mut self, event: usize, sold: u64) {
        let event = &mut self.events[event];
        if event.doubtful && event.booking == 0 && event.cancelling == 0 {
            (event.sold, event.doubtful) = (sold, false);
        }
    }

    /// A confirmed booking of an earlier run was found.
    pub(crate) fn found(&mut self, event: usize, booking: Booking) {
        self.events[event].remember(booking);
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
        let mut inventory = Inventory::new(vec![Event::new("a", "A", Some(40), 0)]);
        while let Some(event) = inventory.reserve_to_fill(1) {
            let order = Order { key: None, user: "u".into(), event, seats: 1 };
            inventory.booked(&order, Some(Booking { id: "b".into(), seats: 1 }));
        }
        assert_eq!(inventory.events[0].sold, 40 * FILL / 100);
        for _ in 0..10_000 {
            let seats = fastrand::u64(1..=4);
            if fastrand::bool() {
                if let Some(event) = inventory.reserve(seats) {
                    let order = Order { key: None, user: "u".into(), event, seats };
                    let booked = fastrand::bool().then(|| Booking { id: "b".into(), seats });
                    inventory.booked(&order, booked);
                }
            } else if let Some((event, booking)) = inventory.release() {
                inventory.cancelled(event, &booking, true);
            }
            assert!((8..=36).contains(&inventory.events[0].sold), "{}", inventory.events[0].sold);
        }
    }

    #[test]
    fn a_doubtful_event_is_left_alone_until_it_was_looked_at() {
        let mut inventory = Inventory::new(vec![Event::new("a", "A", Some(1000), 300)]);
        inventory.doubt(0);
        assert!(inventory.reserve(1).is_none() && inventory.release().is_none());
        assert_eq!(inventory.to_look_at(), Some(0));
        inventory.looked_at(0, 304);
        assert_eq!((inventory.reserve(1), inventory.events[0].sold), (Some(0), 304));
    }
}
