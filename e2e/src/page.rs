//! The page's own API, as far as tests ask it.

use std::time::Duration;

use crate::{Api, dashboard::list, eventually};

/// Waits until the page says that all are ready: so many processes of each service. So it reaches every ops port.
pub async fn says_that_all_are_ready(page: &Api, events: usize, bookings: usize) {
    let all = async || {
        let said = page.get("/api/ready").await.expect(200).json();
        let ready = |service: &str| {
            let mut of = list(&said["items"]).filter(|one| one["service"] == service).peekable();
            of.peek()?;
            let ready: Vec<_> = of.map(|one| one["report"]["ready"] == true).collect();
            ready.iter().all(|ready| *ready).then_some(ready.len())
        };
        (ready("eventservice") == Some(events) && ready("bookingservice") == Some(bookings)).then_some(())
    };
    eventually(Duration::from_secs(30), "the page says that all are ready", all).await;
}
