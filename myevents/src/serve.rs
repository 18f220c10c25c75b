//! The job without a name: both services in one process, from start to end.
//!
//! They share the bus and the main thread, and nothing else: each has its own ports, file and metrics, and learns of the
//! other only by messages, as if a network lay between them.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use messaging::{Bus, in_process::InProcessBus};
use service::{Service, closed};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    folder::{SamplesDue, refuse_if_taken},
    own_services::{Bookable, OwnServices},
    samples,
    start_page::{StartPage, addresses},
};

/// Builds both services, runs them until `stop` is cancelled, and ends when both have finished what was in flight.
pub async fn run(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let (folder, rest_workers) = (config.events.data_dir.clone(), config.events.rest_workers);
    refuse_if_taken(&folder)?;
    let samples_due = SamplesDue::look(&folder, config.empty);

    // Each subscribes while it is built, and publishes only when it runs: no message meets a bus without its reader.
    let bus: Arc<dyn Bus> = Arc::new(InProcessBus::new());
    let events = eventservice::app::build(config.events, bus.clone(), stop.clone()).await?;
    let bookings = bookingservice::app::build(config.bookings, bus, stop.clone()).await?;

    let page = StartPage {
        events: addresses(&events),
        bookings: addresses(&bookings),
        folder: absolute(&folder),
        rest_workers,
        bookable: None,
    };
    let welcome = async {
        tokio::select! { () = welcome(page, samples_due) => {}, () = stop.cancelled() => {} }
    };
    let files = [&events, &bookings].map(Service::file_closed);
    let (events, bookings, ()) = tokio::join!(together(events, &stop), together(bookings, &stop), welcome);
    // Each service writes for the other until both have ended, so only now the files can be closed.
    closed(files.into_iter().flatten()).await;
    events.and(bookings)
}

/// Runs a service. Whatever ends it ends the other, too: one alone would take bookings for events nobody can see.
async fn together(service: Service, stop: &CancellationToken) -> anyhow::Result<()> {
    let name = service.name;
    let end = service.run_until(stop.clone()).await;
    stop.cancel();
    end.map_err(|cause| anyhow::anyhow!("the {name} ended early: {cause}"))
}

/// Creates the samples if they are due, and shows the start page when there is something to book.
async fn welcome(mut page: StartPage, samples_due: Option<SamplesDue>) {
    // What goes wrong here is no reason to end services that run.
    match prepare(&page, samples_due).await {
        Ok(found) => page.bookable = found,
        Err(cause) => tracing::warn!("the start page is without a booking command: {cause:#}"),
    }
    // `println!` would panic where nobody reads, and end services that run.
    if let Err(cause) = write!(std::io::stdout(), "{page}") {
        tracing::info!("nobody reads the start page: {cause}");
    }
}

async fn prepare(page: &StartPage, samples_due: Option<SamplesDue>) -> anyhow::Result<Option<Bookable>> {
    let mut own = OwnServices::new(page.events.0, page.bookings.0)?;
    if let Some(due) = samples_due {
        samples::create(&mut own).await?;
        due.done();
    }
    Ok(own.bookable().await?)
}

/// For the reader, who may stand in another folder.
fn absolute(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}
