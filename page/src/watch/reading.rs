//! What one process said at `/metrics`, as far as the page shows it.

use std::collections::BTreeMap;

use rest::exposition::{Exposition, Labels, Series};

/// What is counted. Each of these only grows while a process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Count {
    /// Requests answered.
    Requests,
    /// Those answered with a 5xx.
    Errors,
    /// Bookings and cancellations that REST answered well.
    Accepted,
    /// Bookings made.
    Bookings,
    /// Seats booked.
    BookedSeats,
    /// Bookings cancelled.
    Cancelled,
    /// Bookings turned away.
    Rejected,
    /// Changes of seats that the broker has confirmed.
    Published,
    /// Changes of seats that the event service has applied.
    Applied,
    /// Requests answered within so many seconds, as the bits of the number: those of positive numbers are in the same order.
    Within(u64),
}

/// A number for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Counts(BTreeMap<Count, f64>);

impl Counts {
    pub(super) fn add(&mut self, what: Count, more: f64) {
        *self.0.entry(what).or_default() += more;
    }

    /// 0 where nothing was counted.
    pub(super) fn get(&self, what: Count) -> f64 {
        self.0.get(&what).copied().unwrap_or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Count, f64)> {
        self.0.iter().map(|(what, number)| (*what, *number))
    }

    /// What these have more than `before`, and never less than nothing.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self(self.all().map(|(what, number)| (what, (number - before.get(what)).max(0.0))).collect())
    }
}

/// What one process said.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// When it started, in seconds since 1970.
    pub(super) started: f64,
    pub(super) counts: Counts,
    /// Resident bytes.
    pub(super) memory: f64,
    pub(super) threads: f64,
    /// Services in this process.
    pub(super) services: f64,
    /// What waits in the outbox. This and the following are of the store; `None` where the process does not say it.
    pub(super) outbox: Option<f64>,
    /// When the oldest of that was written; 0 where nothing waits.
    pub(super) oldest: Option<f64>,
    /// Dead letters of all queues.
    pub(super) dead: Option<f64>,
    /// Changes of seats that are stored.
    pub(super) seat_changes: Option<f64>,
    /// Those that the view has heard of.
    pub(super) view_seat_changes: Option<f64>,
}

impl Reading {
    /// Reads it; `None` where it is not the page of a service.
    pub(super) fn of(text: &Exposition) -> Option<Self> {
        let mut reading = Self::default();
        for Series { name, labels, value } in text.series() {
            match name {
                "process_start_time_seconds" => reading.started = value,
                "process_resident_memory_bytes" => reading.memory = value,
                "process_threads" => reading.threads = value,
                "myevents_services_in_process" => reading.services = value,
                "myevents_outbox_pending_messages" => reading.outbox = Some(value),
                "myevents_outbox_oldest_pending_timestamp_seconds" => reading.oldest = Some(value),
                "myevents_dead_letters" => reading.dead = Some(reading.dead.unwrap_or_default() + value),
                "myevents_seat_changes" => reading.seat_changes = Some(value),
                "myevents_view_seat_changes" => reading.view_seat_changes = Some(value),
                _ => counted(name, labels, |what| reading.counts.add(what, value)),
            }
        }
        (reading.started > 0.0).then_some(reading)
    }
}

fn counted(name: &str, labels: Labels<'_>, mut add: impl FnMut(Count)) {
    let label = |name| labels.get(name).unwrap_or_default();
    match name {
        "myevents_request_total" => {
            let status = label("status");
            add(Count::Requests);
            if status.starts_with('5') {
                add(Count::Errors);
            }
            let changes = [("POST", "/events/{id}/bookings"), ("DELETE", "/bookings/{id}")];
            if status.starts_with('2') && changes.contains(&(label("method"), label("route"))) {
                add(Count::Accepted);
            }
        }
        "myevents_request_duration_seconds_bucket" => {
            if let Ok(bound) = label("le").parse::<f64>() {
                add(Count::Within(bound.to_bits()));
            }
        }
        "myevents_bookings_accepted_total" => add(Count::Bookings),
        "myevents_booked_seats_total" => add(Count::BookedSeats),
        "myevents_bookings_cancelled_total" => add(Count::Cancelled),
        "myevents_booking_rejections_total" => add(Count::Rejected),
        // Of a booking or cancellation one message each tells of the seats; Grafana's picture of the way counts the same.
        "myevents_messages_published_total" if is_of_seats(label("message")) && label("result") == "confirmed" => {
            add(Count::Published);
        }
        "myevents_messages_consumed_total" if is_of_seats(label("message")) && label("result") == "acked" => {
            add(Count::Applied);
        }
        _ => {}
    }
}

fn is_of_seats(message: &str) -> bool {
    ["eventBooked", "seatsChanged"].contains(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_shows_is_read_and_nothing_else() {
        let text = r#"# HELP process_threads Threads of the process.
process_start_time_seconds 1764543210.12
process_threads 12
myevents_dead_letters{queue="a"} 2
myevents_dead_letters{queue="b"} 1
myevents_request_total{method="POST",route="/events/{id}/bookings",status="201"} 5
myevents_request_total{method="DELETE",route="/bookings/{id}",status="200"} 2
myevents_request_total{method="GET",route="/bookings/{id}",status="200"} 10
myevents_request_total{method="POST",route="/events/{id}/bookings",status="503"} 1
myevents_request_duration_seconds_bucket{method="GET",route="/bookings/{id}",le="0.0005"} 7
myevents_request_duration_seconds_bucket{method="GET",route="/bookings/{id}",le="+Inf"} 10
myevents_request_duration_seconds_bucket{method="POST",route="/x",le="+Inf"} 8
myevents_messages_published_total{message="eventBooked",result="confirmed"} 4
myevents_messages_published_total{message="eventBooked",result="nacked"} 9
myevents_messages_published_total{message="seatsChanged",result="confirmed"} 2
myevents_messages_published_total{message="bookingCancelled",result="confirmed"} 2
myevents_messages_consumed_total{queue="eventservice",message="seatsChanged",result="acked"} 2
myevents_messages_consumed_total{queue="eventservice",message="seatsChanged",result="stale"} 9
myevents_bookings_count{eventID="x",eventName="y"} 3
"#;
        let reading = Reading::of(&Exposition(text.into())).unwrap();
        let counts = |what| reading.counts.get(what);
        assert_eq!((reading.started, reading.threads, reading.dead), (1_764_543_210.12, 12.0, Some(3.0)));
        assert_eq!((reading.outbox, reading.seat_changes), (None, None), "what is not said is not 0");
        assert_eq!((counts(Count::Requests), counts(Count::Errors), counts(Count::Accepted)), (18.0, 1.0, 7.0));
        assert_eq!((counts(Count::Published), counts(Count::Applied)), (6.0, 2.0));
        let within = |seconds: f64| counts(Count::Within(seconds.to_bits()));
        assert_eq!((within(0.0005), within(f64::INFINITY)), (7.0, 18.0));
        assert_eq!(Reading::of(&Exposition("<html>".into())), None);
    }
}
