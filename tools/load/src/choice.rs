//! Which request a client makes next.

use std::sync::Arc;

use crate::{
    inventory::{Inventory, Order},
    job::{Job, Purpose, Service},
    mix::{Choice, Kind, Phase},
    shared::Shared,
};

/// The next request of a client; `None` where the phase has nothing left to do.
pub(crate) fn next(shared: &Shared, phase: Phase, user: &Arc<str>) -> Option<Job> {
    let mut inventory = shared.inventory();
    if let Some(event) = inventory.to_look_at() {
        return Some(Job::look(event, inventory.events[event].id));
    }
    let book = |inventory: &mut Inventory| {
        let seats = fastrand::u64(1..=4);
        let event = inventory.reserve(phase, seats)?;
        let keyed = fastrand::u32(0..100) < shared.plan.keyed;
        let key = keyed.then(|| format!("{}-{:016x}", shared.run, fastrand::u64(..)));
        Some(Job::book(inventory.events[event].id, Order { key, user: user.clone(), event, seats }))
    };
    if phase == Phase::Fill {
        return book(&mut inventory);
    }
    let choice = match shared.plan.shares.choose() {
        Choice::Read => return Some(read(&mut inventory)),
        Choice::Bad => return Some(Job::bad(inventory.events[inventory.any()].id)),
        Choice::Repeat => match inventory.any_keyed() {
            Some(order) => return Some(Job::repeat(inventory.events[order.event].id, order)),
            None => Choice::Book, // there is none yet
        },
        choice @ (Choice::Book | Choice::Cancel) => choice,
    };
    // At a bound, a cancellation replaces a booking and the other way round. If neither is possible, it is a read.
    let cancel = |inventory: &mut Inventory| inventory.release().map(|(event, booking)| Job::cancel(event, booking));
    let job = match choice {
        Choice::Cancel => cancel(&mut inventory).or_else(|| book(&mut inventory)),
        Choice::Book | Choice::Read | Choice::Repeat | Choice::Bad => {
            book(&mut inventory).or_else(|| cancel(&mut inventory))
        }
    };
    Some(job.unwrap_or_else(|| read(&mut inventory)))
}

/// One of the five reads.
fn read(inventory: &mut Inventory) -> Job {
    let index = inventory.any();
    let id = inventory.events[index].id;
    match fastrand::u8(0..10) {
        0..4 => Job::get(Kind::ReadEvent, Service::Events, format!("/events/{id}")),
        4 => Job::get(Kind::ListEvents, Service::Events, "/events".into()),
        5..7 => Job::get(Kind::ReadSeats, Service::Bookings, format!("/events/{id}")),
        7 => match inventory.events[index].walk.take() {
            Some(page) => {
                let get =
                    Job::get(Kind::ListBookings, Service::Bookings, format!("/events/{id}/bookings?limit=100{page}"));
                Job { purpose: Purpose::Walk(index, page), ..get }
            }
            None => Job::get(Kind::ListBookings, Service::Bookings, format!("/events/{id}/bookings")),
        },
        _ => match inventory.any_booking() {
            Some(booking) => Job::get(Kind::ReadBooking, Service::Bookings, format!("/bookings/{booking}")),
            None => Job::get(Kind::ReadSeats, Service::Bookings, format!("/events/{id}")),
        },
    }
}
