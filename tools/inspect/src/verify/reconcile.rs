//! The judgement: what must hold of [`Facts`], and a finding for each thing that does not.
//!
//! It reads nothing itself, so that each rule can be tested by a few values.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{
    facts::{Facts, Shown, Sold, Sums, Tally, Totals},
    findings::{Findings, Kind},
    pending::Pending,
};
use crate::dead::Letter;

/// Compares everything with everything. `pending_ok` takes a filled outbox for granted.
pub(super) fn reconcile(facts: &Facts, pending_ok: bool, findings: &mut Findings) {
    let pending = Pending::read(&facts.pending, pending_ok, findings);
    for Letter { publisher, letter } in &facts.dead {
        findings.add(Kind::DeadLetter, || {
            let (id, message, queue, cause) = (letter.id, &letter.message, &letter.queue, &letter.cause);
            let of = publisher.map_or_else(String::new, |publisher| format!(" of {publisher}"));
            format!("dead letter {id}: {queue} gave up on this {message}{of}: {cause}")
        });
    }
    for id in &facts.tally.orphans {
        findings.add(Kind::Orphan, || format!("booking {id} is of an event that the booking service does not have"));
    }
    for (id, seats) in &facts.tally.impossible {
        findings.add(Kind::Row, || format!("booking {id} has {seats} seats: nobody can book so many"));
    }
    let none = Sums::default();
    let shown: HashMap<Uuid, &Shown> = facts.shown.iter().map(|shown| (shown.id, shown)).collect();
    for sold in &facts.sold {
        seats(sold, facts.tally.by_event.get(&sold.id).unwrap_or(&none), facts.may_release, findings);
        if facts.elsewhere.is_some() {
            continue;
        }
        match shown.get(&sold.id) {
            Some(shown) => view(sold, &pending.applied_to(shown), findings),
            None if facts.unreadable.contains(&sold.id) => {}
            None => findings.add(Kind::UnknownEvent, || {
                format!("event {}: the booking service sells it, and the event service does not have it", sold.id)
            }),
        }
    }
    let mut known: HashSet<Uuid> = facts.sold.iter().map(|sold| sold.id).collect();
    known.extend(&facts.unreadable);
    let missing = |shown: &&Shown| !known.contains(&shown.id) && !pending.creates(shown.id);
    for shown in facts.shown.iter().filter(|shown| facts.elsewhere.is_none() && missing(shown)) {
        findings.add(Kind::UnknownEvent, || {
            format!("event {}: the event service has it, and the booking service has not heard of it", shown.id)
        });
    }
    if let Some(totals) = &facts.totals {
        metrics(totals, &facts.sold, &facts.tally, facts.dead.len(), findings);
    }
}

/// What the booking service says of an event, against its bookings.
fn seats(sold: &Sold, sums: &Sums, may_release: bool, findings: &mut Findings) {
    let (id, confirmed) = (sold.id, sums.confirmed_seats);
    if let (Some(capacity), left) = (sold.capacity, sold.seats_left.unwrap_or(0)) {
        let sum = confirmed + u128::from(left);
        if sum != u128::from(capacity) {
            findings.add(Kind::Seats, || {
                format!("event {id}: {confirmed} seats of confirmed bookings + {left} left = {sum}, not {capacity}")
            });
        }
    }
    if sold.unlimited_off_by != 0 {
        findings
            .add(Kind::Seats, || format!("event {id} has no limit, and yet {} seats too many", sold.unlimited_off_by));
    }
    if u128::from(sold.booked_seats) != confirmed {
        findings.add(Kind::BookedSeats, || {
            format!("event {id}: booked_seats is {}, and its confirmed bookings have {confirmed}", sold.booked_seats)
        });
    }
    let changes = sums.bookings + sums.cancelled;
    // What was taken and given back are two changes. Two too many look the same, but one too many is always wrong.
    let in_pairs = may_release && sold.version > changes && (sold.version - changes).is_multiple_of(2);
    if sold.version != changes && !in_pairs {
        findings.add(Kind::Version, || {
            let (version, bookings, cancelled) = (sold.version, sums.bookings, sums.cancelled);
            format!("event {id}: version is {version}, and it has {bookings} bookings + {cancelled} cancellations")
        });
    }
    let mut seqs = sums.seqs.clone();
    seqs.sort_unstable();
    for pair in seqs.windows(2).filter(|pair| pair[0] == pair[1]) {
        findings.add(Kind::Seq, || format!("event {id}: two bookings have the seq {}", pair[0]));
    }
    for seq in seqs.iter().filter(|seq| !(1..=sold.version).contains(seq)) {
        findings.add(Kind::Seq, || format!("event {id}: a booking has the seq {seq}, outside 1..={}", sold.version));
    }
}

/// What the event service shows, with what waits for it, against what is sold.
fn view(sold: &Sold, shown: &Shown, findings: &mut Findings) {
    let id = sold.id;
    if shown.name != sold.name
        || shown.capacity != sold.capacity
        || sold.end_date.is_some_and(|end| end != shown.end_date)
    {
        findings.add(Kind::Copy, || format!("event {id}: name, end or capacity differ between the services"));
    }
    let mut differ = |what, here: Option<u64>, there: Option<u64>| {
        if here != there {
            let text = |seats: Option<u64>| seats.map_or("none".to_owned(), |seats| seats.to_string());
            findings.add(Kind::View, || {
                let (here, there) = (text(here), text(there));
                format!("event {id}: the event service shows {what} {here}, and the booking service has {there}")
            });
        }
    };
    differ("booked_seats", Some(shown.booked_seats), Some(sold.booked_seats));
    differ("seats_left", shown.seats_left, sold.seats_left);
    if shown.version.is_some() {
        differ("version", shown.version, Some(sold.version));
    }
}

/// What a running system's metrics say, against what is stored.
fn metrics(totals: &Totals, sold: &[Sold], tally: &Tally, dead: usize, findings: &mut Findings) {
    let changes: u128 = sold.iter().map(|sold| u128::from(sold.version)).sum();
    let (_, _, confirmed) = tally.totals();
    for (name, says, is) in [
        ("myevents_seat_changes", totals.seat_changes, changes),
        ("myevents_seats_confirmed", totals.seats_confirmed, confirmed),
    ] {
        if u128::from(says) != is {
            findings.add(Kind::Totals, || format!("{name} is {says}, and {is} are stored"));
        }
    }
    // REST does not show the versions of the view, so its sum is all there is to compare.
    if u128::from(totals.view_seat_changes) != changes {
        let says = totals.view_seat_changes;
        findings.add(Kind::View, || format!("myevents_view_seat_changes is {says}, and there were {changes} changes"));
    }
    if totals.holds > 0 {
        findings.add(Kind::Hold, || format!("holds are left behind: {} of one event", totals.holds));
    }
    if dead == 0 && totals.dead_letters > 0 {
        findings.add(Kind::DeadLetter, || format!("myevents_dead_letters is {}", totals.dead_letters));
    }
}
