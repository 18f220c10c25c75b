//! What is counted about bookings.
//!
//! `myevents_bookings_count` and `myevents_seats_per_booking` are named by the chapter. The first has an event's id as a label, which
//! makes one time series for each event. So there are at most [`LABELS_MAX`], and a counter shows when there were more events.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use metrics::{Counter, CounterVec, Gauge, Histogram, Registry, Result};
use uuid::Uuid;

use crate::domain::{Booking, BookingRecord};

/// Events with a series of their own; all others are counted together as `_other`.
pub const LABELS_MAX: usize = 1000;

const NAME_MAX: usize = 128;
const OTHER: &str = "_other";

/// Why a booking request was not fulfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Not enough seats, or the event is over.
    SoldOut,
    /// The request breaks the rules.
    Invalid,
    /// No such event.
    NotFound,
    /// The key has booked something else.
    Conflict,
    /// Not begun: too many requests wait, or the store is away.
    Unavailable,
    /// It may have happened or not.
    OutcomeUnknown,
}

impl Rejection {
    const ALL: [Self; 6] =
        [Self::SoldOut, Self::Invalid, Self::NotFound, Self::Conflict, Self::Unavailable, Self::OutcomeUnknown];

    fn label(self) -> &'static str {
        match self {
            Self::SoldOut => "sold_out",
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}

/// The metrics about bookings and seats.
#[derive(Clone)]
pub struct BookingMetrics {
    seats_by_event: CounterVec,
    series: Arc<Mutex<HashMap<Uuid, Counter>>>,
    overflow: CounterVec,
    seats_per_booking: Histogram,
    booked_seats: Counter,
    accepted: Counter,
    replays: Counter,
    cancelled: Counter,
    cancelled_seats: Counter,
    rejections: CounterVec,
    seat_changes: Gauge,
    seats_confirmed: Gauge,
}

impl BookingMetrics {
    /// Registers them, with the known label sets at zero.
    pub fn new(registry: &Registry) -> Result<Self> {
        let metrics = Self {
            seats_by_event: registry.counter_vec(
                "myevents_bookings_count",
                "Seats booked since the process started, by event; cancellations do not lower it.",
                &["eventID", "eventName"],
            )?,
            series: Arc::default(),
            overflow: registry.counter_vec(
                "myevents_label_overflow_total",
                "Observations counted under _other, because the metric has too many label values already.",
                &["metric"],
            )?,
            seats_per_booking: registry.histogram(
                "myevents_seats_per_booking",
                "Seats of each booking.",
                [1.0, 2.0, 3.0, 4.0],
            )?,
            booked_seats: registry.counter("myevents_booked_seats_total", "Seats booked since the process started.")?,
            accepted: registry.counter("myevents_bookings_accepted_total", "Bookings made.")?,
            replays: registry.counter("myevents_booking_replays_total", "Requests that repeated a booking under its key.")?,
            cancelled: registry.counter("myevents_bookings_cancelled_total", "Bookings cancelled.")?,
            cancelled_seats: registry.counter("myevents_cancelled_seats_total", "Seats given back by cancellations.")?,
            rejections: registry.counter_vec(
                "myevents_booking_rejections_total",
                "Booking requests that were not fulfilled, by reason; an event that is over counts as sold_out.",
                &["reason"],
            )?,
            seat_changes: registry.gauge(
                "myevents_seat_changes",
                "Changes of seats stored: the sum of all events' versions. The event service's view catches up with it. \
                 Of the store.",
            )?,
            seats_confirmed: registry.gauge("myevents_seats_confirmed", "Seats of all confirmed bookings that are stored. Of the store.")?,
        };
        metrics.overflow.with_label_values(&["myevents_bookings_count"]);
        for reason in Rejection::ALL {
            metrics.rejections.with_label_values(&[reason.label()]);
        }
        Ok(metrics)
    }

    /// Sets the totals that are stored: at the start, and again where other processes change them, too.
    pub fn stored(&self, seat_changes: i64, seats_confirmed: i64) {
        self.seat_changes.set(seat_changes as f64);
        self.seats_confirmed.set(seats_confirmed as f64);
    }

    /// An event can be booked: its series begins at zero, so that `rate()` sees the first booking.
    pub fn on_sale(&self, id: Uuid, name: &str) {
        self.series_of(id, name);
    }

    /// A booking is durable.
    pub fn booked(&self, booking: &Booking) {
        let BookingRecord { event_id, event_name, seats, .. } = booking.record();
        self.series_of(*event_id, event_name)
            .unwrap_or_else(|| {
                self.overflow.with_label_values(&["myevents_bookings_count"]).inc();
                self.seats_by_event.with_label_values(&[OTHER, OTHER])
            })
            .inc_by(*seats);
        self.seats_per_booking.observe(*seats as f64);
        self.booked_seats.inc_by(*seats);
        self.accepted.inc();
        self.seat_changes.inc();
        self.seats_confirmed.add(*seats as f64);
    }

    /// A cancellation is durable.
    pub fn cancelled(&self, booking: &Booking) {
        self.cancelled.inc();
        self.cancelled_seats.inc_by(booking.record().seats);
        self.seat_changes.inc();
        self.seats_confirmed.sub(booking.record().seats as f64);
    }

    /// A request repeated a booking.
    pub fn replayed(&self) {
        self.replays.inc();
    }

    /// A request was not fulfilled.
    pub fn rejected(&self, reason: Rejection) {
        self.rejections.with_label_values(&[reason.label()]).inc();
    }

    /// The event's own series, if it has one or there is room for one.
    fn series_of(&self, id: Uuid, name: &str) -> Option<Counter> {
        let mut series = self.series.lock().expect("nothing panics while it holds this");
        if let Some(counter) = series.get(&id) {
            return Some(counter.clone());
        }
        if series.len() >= LABELS_MAX {
            return None;
        }
        let name = name.char_indices().nth(NAME_MAX).map_or(name, |(end, _)| &name[..end]);
        let counter = self.seats_by_event.with_label_values(&[id.to_string().as_str(), name]);
        series.insert(id, counter.clone());
        Some(counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_beyond_the_limit_are_counted_together_and_the_overflow_says_so() {
        let registry = Registry::new();
        let metrics = BookingMetrics::new(&registry).unwrap();
        for _ in 0..LABELS_MAX + 500 {
            metrics.on_sale(Uuid::new_v4(), "x");
        }
        assert_eq!(metrics.series.lock().unwrap().len(), LABELS_MAX);
        let overflow = || metrics.overflow.with_label_values(&["myevents_bookings_count"]).get();
        assert_eq!(overflow(), 0, "nothing was counted yet");

        let booking = Booking::stored(BookingRecord {
            id: Uuid::new_v4(),
            event_id: Uuid::new_v4(),
            event_name: "x".into(),
            user_id: "guest".into(),
            seats: 3,
            status: crate::domain::Status::Confirmed,
            booked_at: contracts::Instant::now(),
            cancelled_at: None,
            seq: 1,
        });
        metrics.booked(&booking);
        metrics.booked(&booking);

        assert_eq!(metrics.seats_by_event.with_label_values(&[OTHER, OTHER]).get(), 6);
        assert_eq!(overflow(), 2, "one for each booking that has no series of its own");
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let metrics = BookingMetrics::new(&Registry::new()).unwrap();
        assert!(metrics.series_of(Uuid::new_v4(), &"票".repeat(200)).is_some());
    }
}
