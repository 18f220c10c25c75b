//! The dead letters of a stopped system, in its data folder.
//!
//! Both files are locked before anything is done: a folder that a running system has is refused, and it says which
//! process that is.

use std::{path::Path, sync::Arc};

use bookingservice::store::{audit::Audit as Bookings, sqlite as bookings};
use eventservice::store::{audit::Audit as Events, sqlite as events};
use messaging::DeadLetters;
use process::metrics::Metrics;
use sqlite::{BadRow, Database, StoppedFile, outbox::SqliteOutbox, writer::StoreMetrics};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Letter, Redrive};
use crate::data_folder::not_stopped;

pub(super) fn list(folder: &Path) -> anyhow::Result<Vec<Letter>> {
    let events = Events::open(folder.to_owned()).map_err(not_stopped)?;
    let bookings = Bookings::open(folder.to_owned()).map_err(not_stopped)?;
    let letters = |keeper, letters: Vec<_>| letters.into_iter().map(move |letter| Letter::of(keeper, letter));
    let all = letters("eventservice", events.file.dead_letters(unreadable(&events.file))?);
    Ok(all.chain(letters("bookingservice", bookings.file.dead_letters(unreadable(&bookings.file))?)).collect())
}

/// Says so on standard error: the list stays one.
fn unreadable(file: &StoppedFile) -> impl FnMut(BadRow) {
    move |row| eprintln!("myevents: {} holds something that cannot be read: {row}", file.path().display())
}

/// They are published when the system starts.
pub(super) async fn redrive(folder: &Path, id: Option<Uuid>) -> anyhow::Result<Redrive> {
    // Opening to write would make files that are missing and change others; what is no folder of ours ends here.
    list(folder)?;
    let metrics = || StoreMetrics::new(&Metrics::default().registry);
    let events = events::open(folder.to_owned(), metrics()?).map_err(not_stopped)?;
    let bookings = bookings::open(folder.to_owned(), metrics()?).map_err(not_stopped)?;
    let mut redrive = Redrive::default();
    for (service, file) in [("eventservice", events), ("bookingservice", bookings)] {
        match redrive_file(file, id).await {
            Ok(count) => redrive.count += count,
            Err(cause) => redrive.failed.push(format!("{service}: {cause:#}")),
        }
    }
    Ok(redrive)
}

async fn redrive_file(file: Database, id: Option<Uuid>) -> anyhow::Result<u64> {
    let outbox = SqliteOutbox::open(Arc::new(file), Arc::new(Notify::new())).await?;
    Ok(outbox.redrive(id).await?)
}
