//! Reads the data folder of a stopped system, or of one service that runs apart. The files are locked first and stay as
//! they are.

use std::path::Path;

use bookingservice::{
    domain::{Seats, SeatsRecord},
    store::audit::{Audit as Bookings, StoredBooking, unlimited_off_by},
};
use eventservice::store::audit::{Audit as Events, StoredEvent};
use sqlite::{BadRow, OpenError, StoppedFile};

use super::{
    against::Against,
    facts::{Booking, Facts, Shown, Sold, Unchecked},
    findings::{Findings, Kind},
};
use crate::{
    data_folder::{BOOKINGS, EVENTS, elsewhere, not_stopped},
    dead::Letter,
};

/// Reads everything, and holds a record against the bookings. `None` where damage keeps it from being read; that is a finding
/// then.
pub(super) fn read(
    folder: &Path,
    findings: &mut Findings,
    against: &mut Option<Against>,
) -> Result<Option<Facts>, Unchecked> {
    let elsewhere = elsewhere(folder);
    let here = |file| elsewhere != Some(file);
    let events = here(EVENTS).then(|| opened(Events::open(folder.to_owned()), findings)).transpose()?;
    let bookings = here(BOOKINGS).then(|| opened(Bookings::open(folder.to_owned()), findings)).transpose()?;
    if matches!(events, Some(None)) || matches!(bookings, Some(None)) {
        return Ok(None);
    }
    let (events, bookings) = (events.flatten(), bookings.flatten());
    if bookings.is_none() && against.is_some() {
        return Err(anyhow::anyhow!(
            "{} was never in {}, and it alone can be held against a record",
            BOOKINGS,
            folder.display()
        )
        .into());
    }
    let files = [events.as_ref().map(|events| &events.file), bookings.as_ref().map(|bookings| &bookings.file)];
    for file in files.into_iter().flatten() {
        match file.problems() {
            Ok(problems) => {
                for problem in problems {
                    findings.add(Kind::File, || format!("{} is damaged: {problem}", file.path().display()));
                }
            }
            Err(cause) => findings.add(Kind::File, || cause.to_string()),
        }
    }
    Ok(Some(Facts { elsewhere, ..facts(events.as_ref(), bookings.as_ref(), findings, against) }))
}

/// Everything that can be read. What cannot is a finding, and hides nothing else.
fn facts(
    events: Option<&Events>,
    bookings: Option<&Bookings>,
    findings: &mut Findings,
    against: &mut Option<Against>,
) -> Facts {
    let mut facts = Facts::default();
    let mut bad = Vec::new();
    if let Some(events) = events {
        for stored in table(events.events(|row| bad.push(row)), findings) {
            for wrong in &stored.wrong {
                findings.add(Kind::Row, || format!("event {}: {wrong}", stored.id));
            }
            facts.shown.push(shown(stored));
        }
        messages("eventservice", &events.file, bad, &mut facts, findings);
    }
    let mut bad = Vec::new();
    if let Some(bookings) = bookings {
        facts.sold.extend(table(bookings.seats(|row| bad.push(row)), findings).iter().map(sold));
        let see = |stored: StoredBooking<'_>| {
            let StoredBooking { id, event_id, seq, user_id, seats, cancelled } = stored;
            let booking = Booking { id, event_id, seq: Some(seq), user_id, seats, cancelled };
            facts.tally.add(&booking);
            if let Some(against) = against.as_mut() {
                against.see(&booking);
            }
        };
        if let Err(cause) = bookings.each_booking(see, |row| bad.push(row)) {
            findings.add(Kind::File, || cause.to_string());
        }
        messages("bookingservice", &bookings.file, bad, &mut facts, findings);
    }
    facts
}

/// What waits, and what was given up; and then which rows of the file cannot be read.
fn messages(
    publisher: &'static str,
    file: &StoppedFile,
    mut bad: Vec<BadRow>,
    facts: &mut Facts,
    findings: &mut Findings,
) {
    let pending = table(file.pending(|row| bad.push(row)), findings);
    facts.pending.extend(pending.into_iter().map(|entry| (publisher, entry.message)));
    let dead = table(file.dead_letters(|row| bad.push(row)), findings);
    facts.dead.extend(dead.into_iter().map(|letter| Letter::of(publisher, letter)));
    for row in bad {
        findings.add(Kind::Row, || format!("{} holds something that cannot be read: {row}", file.path().display()));
        if row.table == "events" {
            facts.unreadable.extend(row.id);
        }
    }
}

/// What a table holds; nothing where it cannot be read at all.
fn table<T>(rows: Result<Vec<T>, OpenError>, findings: &mut Findings) -> Vec<T> {
    rows.unwrap_or_else(|cause| {
        findings.add(Kind::File, || cause.to_string());
        Vec::new()
    })
}

/// A file that is damaged was checked, and found damaged; one that is missing, in use or a stranger's was not.
fn opened<T>(file: Result<T, OpenError>, findings: &mut Findings) -> Result<Option<T>, Unchecked> {
    match file {
        Ok(file) => Ok(Some(file)),
        Err(cause @ (OpenError::Damaged(..) | OpenError::NotADatabase(_) | OpenError::Unreadable(..))) => {
            findings.add(Kind::File, || cause.to_string());
            Ok(None)
        }
        Err(
            cause @ (OpenError::Folder(..)
            | OpenError::File(..)
            | OpenError::Lock(..)
            | OpenError::ReadOnly(_)
            | OpenError::InUse(..)
            | OpenError::OtherApplication(_)
            | OpenError::Newer(..)
            | OpenError::Older(..)
            | OpenError::Missing(_)
            | OpenError::Sqlite(..)),
        ) => Err(not_stopped(cause).into()),
    }
}

fn shown(stored: StoredEvent) -> Shown {
    let StoredEvent { id, name, end_date, capacity, booked_seats, seats_left, version, wrong: _ } = stored;
    Shown { id, name, end_date, capacity, booked_seats, seats_left, version: Some(version) }
}

fn sold(seats: &Seats) -> Sold {
    let (seats_left, unlimited_off_by) = (seats.left(), unlimited_off_by(seats.record()));
    let SeatsRecord { event_id: id, event_name: name, end_date, capacity, booked: booked_seats, version, .. } =
        seats.record().clone();
    Sold { id, name, end_date: Some(end_date), capacity, seats_left, booked_seats, version, unlimited_off_by }
}
