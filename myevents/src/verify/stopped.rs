//! Reads the data folder of a stopped system, or of one service that runs apart. The files are locked first and stay as
//! they are.

use std::path::Path;

use bookingservice::store::audit::{Audit as Bookings, StoredBooking, StoredEvent as StoredOnSale};
use eventservice::store::audit::{Audit as Events, StoredEvent};
use platform::sqlite::{open::OpenError, stopped::StoppedFile};

use super::{
    Unchecked,
    facts::{Booking, Facts, Shown, Sold},
    findings::{Findings, Kind},
    watch::Watch,
};
use crate::folder::{BOOKINGS, EVENTS, elsewhere, not_stopped};

/// Reads everything, and shows each booking to `watch`. `None` where damage keeps it from being read; that is a finding
/// then.
pub(super) fn read(folder: &Path, findings: &mut Findings, watch: &mut Watch) -> Result<Option<Facts>, Unchecked> {
    let elsewhere = elsewhere(folder);
    let here = |file| elsewhere != Some(file);
    let events = here(EVENTS).then(|| opened(Events::open(folder.to_owned()), findings)).transpose()?;
    let bookings = here(BOOKINGS).then(|| opened(Bookings::open(folder.to_owned()), findings)).transpose()?;
    if matches!(events, Some(None)) || matches!(bookings, Some(None)) {
        return Ok(None);
    }
    let (events, bookings) = (events.flatten(), bookings.flatten());
    if bookings.is_none() && watch.has_record() {
        return Err(anyhow::anyhow!(
            "{} was never in {}, and it alone can be held against a record",
            BOOKINGS,
            folder.display()
        )
        .into());
    }
    for file in [events.as_ref().map(|events| &events.file), bookings.as_ref().map(|bookings| &bookings.file)] {
        let Some(file) = file else { continue };
        match file.problems() {
            Ok(problems) => {
                for problem in problems {
                    findings.add(Kind::File, || format!("{} is damaged: {problem}", file.path().display()));
                }
            }
            Err(cause) => findings.add(Kind::File, || cause.to_string()),
        }
    }
    watch.begin();
    match facts(events.as_ref(), bookings.as_ref(), watch) {
        Ok(facts) => Ok(Some(Facts { elsewhere, ..facts })),
        Err(cause) => {
            findings.add(Kind::File, || cause.to_string());
            Ok(None)
        }
    }
}

fn facts(events: Option<&Events>, bookings: Option<&Bookings>, watch: &mut Watch) -> Result<Facts, OpenError> {
    let mut facts = Facts::default();
    if let Some(events) = events {
        facts.shown = events.events()?.into_iter().map(shown).collect();
        letters(&mut facts, "eventservice", &events.file)?;
    }
    if let Some(bookings) = bookings {
        facts.sold = bookings.events()?.into_iter().map(sold).collect();
        bookings.each_booking(|stored| {
            let StoredBooking { id, event_id, seq, user_id, seats, cancelled } = stored;
            let booking = Booking { id, event_id, seq: Some(seq), user_id, seats, cancelled };
            facts.tally.add(&booking);
            watch.see(&booking);
        })?;
        letters(&mut facts, "bookingservice", &bookings.file)?;
    }
    Ok(facts)
}

/// What waits, and what was given up.
fn letters(facts: &mut Facts, publisher: &'static str, file: &StoppedFile) -> Result<(), OpenError> {
    facts.pending.extend(file.pending()?.into_iter().map(|entry| (publisher, entry.message)));
    facts.dead.extend(file.dead_letters()?.into_iter().map(|letter| (publisher, letter)));
    Ok(())
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
    let StoredEvent { id, name, end_date, capacity, booked_seats, seats_left, version } = stored;
    Shown { id, name, end_date, capacity, booked_seats, seats_left, version: Some(version) }
}

fn sold(stored: StoredOnSale) -> Sold {
    let StoredOnSale { id, name, end_date, capacity, seats_left, booked_seats, version, unlimited_off_by } = stored;
    Sold { id, name, end_date: Some(end_date), capacity, seats_left, booked_seats, version, unlimited_off_by }
}
