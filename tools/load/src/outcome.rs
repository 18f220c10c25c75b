//! What an answer, or none, means: for the inventory, for the record, and whether the request is sent again.

use rest::{
    Answer,
    shapes::{Booking as Answered, BookingStatus, OnSale, Page},
};

use crate::{
    inventory::{Booking, Order},
    job::{Job, Purpose},
    record::{Asked, Line, now},
    shared::Shared,
};

/// How the `user_id` of each client begins: the mark of the bookings of this run.
pub(crate) fn users(run: &str) -> String {
    format!("load-{run}-")
}

/// Writes down what is going to be sent for the first time.
pub(crate) fn sending(shared: &Shared, job: &Job) {
    let Some(recorder) = &shared.recorder else { return };
    match &job.purpose {
        Purpose::Book(order) => {
            let Some(asked) = asked(shared, order) else { return };
            recorder.write(&Line::SendingBooking(asked));
        }
        Purpose::Cancel(_, booking) => recorder.write(&Line::SendingCancellation { at: now(), booking: booking.id }),
        // A booking that is repeated is in the record already.
        Purpose::Repeat(_) | Purpose::Measure | Purpose::Walk(..) | Purpose::Look(_) => {}
    }
}

/// Returns the request if its outcome is not known and it is safe to send it again.
pub(crate) fn apply(shared: &Shared, job: Job, answer: Option<Answer>) -> Option<Job> {
    let status = answer.as_ref().map(|answer| answer.status.as_u16());
    if let (Some(status), Some(answer)) = (status, &answer)
        && !job.expected.contains(&status)
    {
        shared.tally().unexpected(|| {
            let said = String::from_utf8_lossy(&answer.body);
            format!("{} {} was answered {status} {said}", job.request.method, job.request.path)
        });
    }
    // A 503, or what a gateway says, is no answer to the question whether it happened.
    let unknown = matches!(status, None | Some(500..));
    match &job.purpose {
        Purpose::Measure => {}
        Purpose::Book(order) => {
            let booked = answered(status, answer.as_ref());
            record_booking(shared, order, booked.as_ref(), status);
            if unknown && order.key.is_some() {
                return Some(job);
            }
            let mut inventory = shared.inventory();
            inventory.booked(order, booked.as_ref().map(in_inventory));
            if booked.is_none() {
                inventory.events[order.event].doubtful = true;
            } else {
                shared.tally().totals.seats_booked += order.seats;
            }
        }
        Purpose::Repeat(order) => record_booking(shared, order, answered(status, answer.as_ref()).as_ref(), status),
        Purpose::Cancel(event, booking) => {
            record_cancellation(shared, *event, *booking, status);
            if unknown {
                return Some(job);
            }
            let done = status == Some(200);
            let mut inventory = shared.inventory();
            inventory.cancelled(*event, *booking, done);
            if done {
                shared.tally().totals.seats_cancelled += booking.seats;
            } else {
                inventory.events[*event].doubtful = true;
            }
        }
        Purpose::Walk(event, page) => walked(shared, *event, page, answer.as_ref()),
        Purpose::Look(event) => {
            let answer = answer.filter(|answer| answer.status == 200);
            if let Some(sold) = answer.and_then(|answer| serde_json::from_slice::<OnSale>(&answer.body).ok()) {
                shared.inventory().events[*event].looked_at(sold.booked_seats);
            }
        }
    }
    None
}

/// The booking that was answered, if one was.
fn answered(status: Option<u16>, answer: Option<&Answer>) -> Option<Answered> {
    answer.filter(|_| matches!(status, Some(200 | 201))).and_then(|answer| serde_json::from_slice(&answer.body).ok())
}

fn in_inventory(booking: &Answered) -> Booking {
    Booking { id: booking.id, seats: booking.seats }
}

/// Takes the bookings of earlier runs into the inventory.
fn walked(shared: &Shared, event: usize, page: &str, answer: Option<&Answer>) {
    let mut inventory = shared.inventory();
    let event = &mut inventory.events[event];
    let Some(read) = answer.and_then(|answer| serde_json::from_slice::<Page<Answered>>(&answer.body).ok()) else {
        event.walk = Some(page.to_owned()); // another time
        return;
    };
    let ours = users(&shared.run);
    let of_others = |booking: &&Answered| !booking.user_id.starts_with(&ours);
    for booking in read.items.iter().filter(of_others).filter(|one| one.status == BookingStatus::Confirmed) {
        event.remember(in_inventory(booking));
    }
    event.walk = read.next.map(|next| format!("&after={next}"));
}

fn record_booking(shared: &Shared, order: &Order, booked: Option<&Answered>, status: Option<u16>) {
    let (Some(recorder), Some(asked)) = (&shared.recorder, asked(shared, order)) else { return };
    recorder.write(&match (status, booked) {
        (Some(status), Some(booked)) => {
            let cancelled = booked.status == BookingStatus::Cancelled;
            Line::Booked { asked, booking: booked.id, status, cancelled }
        }
        (Some(status), None) => Line::NotBooked { asked, status },
        (None, _) => Line::UnansweredBooking(asked),
    });
}

/// What stands in the record: `None` without a key.
fn asked(shared: &Shared, order: &Order) -> Option<Asked> {
    let event = shared.inventory().events[order.event].id;
    Some(Asked { at: now(), key: order.key.clone()?, user: order.user.to_string(), event, seats: order.seats })
}

fn record_cancellation(shared: &Shared, event: usize, cancelled: Booking, status: Option<u16>) {
    let Some(recorder) = &shared.recorder else { return };
    let event = shared.inventory().events[event].id;
    let (at, Booking { id: booking, seats }) = (now(), cancelled);
    recorder.write(&match status {
        Some(200) => Line::Cancelled { at, booking, event, seats },
        Some(status) => Line::NotCancelled { at, booking, status },
        None => Line::UnansweredCancellation { at, booking, event },
    });
}
