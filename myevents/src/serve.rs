//! Runs both services in one process: what `myevents` does without a subcommand.
//!
//! The services share only the bus and the main thread. Each has its own ports, database file and metrics, and knows of the other only
//! by messages, as if they ran on two machines. Read next: `app.rs` of either service.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use messaging::{Bus, in_process::InProcessBus};
use page::Page;
use process::output::Output;
use service::{Service, closed};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    folder::{SamplesDue, refuse_if_taken},
    own_services::{Bookable, OwnServices, urls},
    samples,
    start_page::{StartPage, addresses},
};

/// Builds both services, runs them until `stop` is cancelled, and returns when both have shut down gracefully.
pub(crate) async fn run(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let (folder, rest_workers) = (config.events.data_dir.clone(), config.events.rest_workers);
    refuse_if_taken(&folder)?;
    let listener = config.page.as_ref().map(page::options::Config::bind).transpose()?;
    let samples_due = SamplesDue::look(&folder, config.empty);

    // A service subscribes while it is built, and publishes only when it runs. So no message is published before its queue exists.
    let bus: Arc<dyn Bus> = Arc::new(InProcessBus::new());
    let services_stop = CancellationToken::new();
    let events = eventservice::app::build(config.events, bus.clone(), services_stop.clone()).await?;
    let bookings = bookingservice::app::build(config.bookings, bus, services_stop.clone()).await?;

    let (events_at, bookings_at) = (addresses(&events), addresses(&bookings));
    let page = match config.page.zip(listener) {
        Some((config, listener)) => {
            Some((config.clone(), Page::start(listener, config, urls(events_at, bookings_at)?)?))
        }
        None => None,
    };
    let start_page = StartPage {
        page: page.as_ref().map(|(config, page)| (page.address, config.moved_from(page.address))),
        events: events_at,
        bookings: bookings_at,
        folder: absolute(&folder),
        rest_workers,
        bookable: None,
    };
    let welcome = async {
        tokio::select! { () = welcome(start_page, samples_due) => {}, () = stop.cancelled() => {} }
    };
    let files = [&events, &bookings].map(Service::file_closed);
    let page = async {
        stop.cancelled().await;
        if let Some((_, page)) = page {
            page.stop().await;
        }
        // The page first: a service takes a second longer to stop where it has connections.
        services_stop.cancel();
    };
    let run = |service: Service| together(service, services_stop.clone(), &stop);
    let (events, bookings, (), ()) = tokio::join!(run(events), run(bookings), welcome, page);
    // A service handles messages of the other until both have ended, so the files can be closed only now.
    closed(files.into_iter().flatten()).await;
    events.and(bookings)
}

/// Runs one service. When it ends for any reason, it stops the other one, too: a single service is of no use.
async fn together(service: Service, stop: CancellationToken, all: &CancellationToken) -> anyhow::Result<()> {
    let name = service.name;
    let end = service.run_until(stop).await;
    all.cancel();
    end.map_err(|cause| anyhow::anyhow!("the {name} ended early: {cause}"))
}

/// Creates the samples if they are due, then shows the start page.
async fn welcome(mut page: StartPage, samples_due: Option<SamplesDue>) {
    // An error here must not end the services.
    match prepare(&page, samples_due).await {
        Ok(found) => page.bookable = found,
        Err(cause) => tracing::warn!("the start page is without a booking command: {cause:#}"),
    }
    // `println!` would panic if standard output is closed, and stop the main thread while nobody reads.
    if let Err(cause) = Output::stdout().write_all(page.to_string().as_bytes()).await {
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

/// An absolute path is of use in any folder.
fn absolute(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}
