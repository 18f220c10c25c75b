//! The start page, which is shown when all is ready: the addresses, and one command to begin with.
//!
//! It goes to standard output and the logs to standard error, so that a script can read one without the other.

use std::{fmt, net::SocketAddr, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use process::threads;
use service::{Service, healthcheck::url};

use crate::own_services::Bookable;

/// The start page. Its `Display` is its text.
pub(crate) struct StartPage {
    /// Where the page is, if there is one, and the address that was not free for it.
    pub(crate) page: Option<(SocketAddr, Option<SocketAddr>)>,
    /// The event service: REST and ops port.
    pub(crate) events: (SocketAddr, SocketAddr),
    /// The booking service, likewise.
    pub(crate) bookings: (SocketAddr, SocketAddr),
    /// Where the data is.
    pub(crate) folder: PathBuf,
    /// `REST_WORKERS`.
    pub(crate) rest_workers: usize,
    /// The event that the command books, if one was found.
    pub(crate) bookable: Option<Bookable>,
}

/// A service's addresses, with the real ports.
pub(crate) fn addresses(service: &Service) -> (SocketAddr, SocketAddr) {
    (service.rest_address, service.ops_address)
}

impl fmt::Display for StartPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (events, bookings) = (url(self.events.0), url(self.bookings.0));
        if let Some((page, moved_from)) = self.page {
            writeln!(f, "{}", url(page))?;
            if let Some(taken) = moved_from {
                writeln!(f, "({taken} is taken, so the page is on a free port; --page-addr chooses another.)")?;
            }
        }
        writeln!(
            f,
            "\nMyEvents is ready{}.\n",
            self.page.map_or("", |_| ": open the address above to book and to watch")
        )?;
        for (name, rest, ops) in [("event", &events, self.events.1), ("booking", &bookings, self.bookings.1)] {
            let name = format!("{name} service");
            writeln!(f, "  {name:<17}{rest}   API {rest}/docs   metrics {}/metrics", url(ops))?;
        }
        match &self.bookable {
            Some(event) => {
                let (id, seats) = (&event.id, event.seats);
                let what = if seats == 1 { "the last seat" } else { "two seats" };
                writeln!(f, "\nBook {what} for \"{}\":\n", event.name)?;
                writeln!(
                    f,
                    "  {}",
                    curl(&format!("{bookings}/events/{id}/bookings"), &format!(r#"{{"seats": {seats}}}"#))
                )?;
                writeln!(f, "\nand see it arrive at the event service, as booked_seats:\n")?;
                writeln!(f, "  curl {}", quoted(&format!("{events}/events/{id}")))?;
            }
            None => {
                let start = Timestamp::now() + SignedDuration::from_hours(24 * 30);
                let end = start + SignedDuration::from_hours(3);
                let body = format!(
                    r#"{{"name": "My first event", "start_date": "{start:.0}", "end_date": "{end:.0}", "capacity": 100}}"#
                );
                writeln!(f, "\nNo event was found that can be booked. Create one:\n")?;
                writeln!(f, "  {}", curl(&format!("{events}/events"), &body))?;
            }
        }
        writeln!(f, "\nThe data is in {} and is kept.", self.folder.display())?;
        writeln!(
            f,
            "This process has {} threads, on any number of cores.",
            threads_of_both(self.rest_workers) + self.page.map_or(0, |_| threads::count(&[&page::THREADS]))
        )?;
        writeln!(f, "Stop it with Ctrl-C.\n")
    }
}

/// A command that posts JSON, for any shell.
fn curl(url: &str, body: &str) -> String {
    format!("curl {} -H 'Content-Type: application/json' -d '{body}'", quoted(url))
}

/// Some shells expand the brackets of an IPv6 address.
fn quoted(url: &str) -> String {
    if url.contains('[') { format!("'{url}'") } else { url.to_owned() }
}

/// Twice the thread budget of a service; but both share the main thread.
fn threads_of_both(rest_workers: usize) -> usize {
    let one_service = threads::count(&[&threads::SERVICE, &threads::SQLITE]);
    2 * (one_service - threads::REST_WORKERS + rest_workers - 1) + 1
}
