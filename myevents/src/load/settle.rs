//! What an answer, or none, means: for the stock, for the record, and whether the request is sent again.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    Shared,
    connection::Answer,
    job::{Job, Purpose},
    recorder::now,
    stock::{Booking, Order},
};
use crate::{
    record::{Asked, Line},
    shapes::{OnSale, Page},
};

/// The part of a booking that matters here.
#[derive(Deserialize)]
struct Told {
    id: String,
    seats: u64,
    status: String,
    user_id: String,
}

/// The `user_id` of a client. Its beginning tells this run's bookings from others.
pub(super) fn user(run: &str, number: u32) -> Arc<str> {
    format!("{}{number}", users(run)).into()
}

/// How they begin.
pub(super) fn users(run: &str) -> String {
    format!("load-{run}-")
}

/// Writes down what is going to be sent for the first time.
pub(super) fn sending(shared: &Shared, job: &Job) {
    let Some(recorder) = &shared.recorder else { return };
    match &job.purpose {
        Purpose::Book(order) => {
            let Some(asked) = asked(shared, order) else { return };
            recorder.write(&Line::SendingBooking { at: now(), asked });
        }
        Purpose::Cancel(_, booking) => {
            recorder.write(&Line::SendingCancellation { at: now(), booking: booking.id.to_string() });
        }
        // A booking that is repeated is in the record already.
        Purpose::Repeat(_) | Purpose::Measure | Purpose::Walk(..) | Purpose::Look(_) => {}
    }
}

/// Gives the request back where its fate is not known and sending it again is safe.
pub(super) fn settle(shared: &Shared, job: Job, answer: Option<Answer>) -> Option<Job> {
    let status = answer.as_ref().map(|answer| answer.status.as_u16());
    if let (Some(status), Some(answer)) = (status, &answer)
        && !job.expected.contains(&status)
    {
        shared.tally().unexpected(|| {
            let said = String::from_utf8_lossy(&answer.body);
            format!("{} {} was answered {status} {said}", job.method, job.path)
        });
    }
    // A 503, or what a gateway says, is no answer to the question whether it happened.
    let unknown = matches!(status, None | Some(500..));
    match &job.purpose {
        Purpose::Measure => None,
        Purpose::Book(order) => {
            let booked = told(status, answer.as_ref());
            record_booking(shared, order, booked.as_ref(), status);
            if unknown && order.key.is_some() {
                return Some(job);
            }
            let mut stock = shared.stock();
            stock.booked(order, booked.as_ref().map(|told| Booking { id: told.id.as_str().into(), seats: told.seats }));
            if booked.is_none() {
                stock.doubt(order.event);
            } else {
                shared.tally().booked(order.seats);
            }
            None
        }
        Purpose::Repeat(order) => {
            record_booking(shared, order, told(status, answer.as_ref()).as_ref(), status);
            None
        }
        Purpose::Cancel(event, booking) => {
            record_cancellation(shared, *event, booking, status);
            if unknown {
                return Some(job);
            }
            let done = status == Some(200);
            let mut stock = shared.stock();
            stock.cancelled(*event, booking, done);
            if done {
                shared.tally().cancelled(booking.seats);
            } else {
                stock.doubt(*event);
            }
            None
        }
        Purpose::Walk(event, page) => {
            walked(shared, *event, page, answer.as_ref());
            None
        }
        Purpose::Look(event) => {
            let answer = answer.filter(|answer| answer.status == 200);
            if let Some(sold) = answer.and_then(|answer| serde_json::from_slice::<OnSale>(&answer.body).ok()) {
                shared.stock().looked_at(*event, sold.booked_seats);
            }
            None
        }
    }
}

/// The booking that was answered, if one was.
fn told(status: Option<u16>, answer: Option<&Answer>) -> Option<Told> {
    answer.filter(|_| matches!(status, Some(200 | 201))).and_then(|answer| serde_json::from_slice(&answer.body).ok())
}

/// Takes the bookings of earlier runs into the stock.
fn walked(shared: &Shared, event: usize, page: &str, answer: Option<&Answer>) {
    let mut stock = shared.stock();
    let Some(read) = answer.and_then(|answer| serde_json::from_slice::<Page<Told>>(&answer.body).ok()) else {
        stock.events[event].walk = Some(page.to_owned()); // another time
        return;
    };
    let ours = users(&shared.run);
    for told in read.items.into_iter().filter(|told| told.status == "confirmed" && !told.user_id.starts_with(&ours)) {
        stock.found(event, Booking { id: told.id.into(), seats: told.seats });
    }
    stock.events[event].walk = read.next.map(|next| format!("&after={next}"));
}

fn record_booking(shared: &Shared, order: &Order, booked: Option<&Told>, status: Option<u16>) {
    let (Some(recorder), Some(asked)) = (&shared.recorder, asked(shared, order)) else { return };
    let at = now();
    recorder.write(&match (status, booked) {
        (Some(status), Some(told)) => {
            Line::Booked { at, asked, booking: told.id.clone(), status, cancelled: told.status == "cancelled" }
        }
        (Some(status), None) => Line::NotBooked { at, asked, status },
        (None, _) => Line::UnansweredBooking { at, asked },
    });
}

/// What stands in the record: `None` without a key.
fn asked(shared: &Shared, order: &Order) -> Option<Asked> {
    let event = shared.stock().events[order.event].id.to_string();
    Some(Asked { key: order.key.clone()?, user: order.user.to_string(), event, seats: order.seats })
}

fn record_cancellation(shared: &Shared, event: usize, cancelled: &Booking, status: Option<u16>) {
    let Some(recorder) = &shared.recorder else { return };
    let event = shared.stock().events[event].id.to_string();
    let (at, booking) = (now(), cancelled.id.to_string());
    recorder.write(&match status {
        Some(200) => Line::Cancelled { at, booking, event, seats: cancelled.seats },
        Some(status) => Line::NotCancelled { at, booking, status },
        None => Line::UnansweredCancellation { at, booking, event },
    });
}
