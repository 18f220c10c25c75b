//! What Prometheus makes of what it scrapes, shown on running ones: today's and Debian's. `.ci/scrape-test` builds it and runs this.
//!
//! - [`target`]: counters of which the test says when they begin, grow and end
//! - [`server`]: a Prometheus that scrapes, with the flags of Compose
//! - [`period`]: what was counted in the chosen period
//! - [`system`]: the services, scraped every second; [`forms`]: by both Prometheus, in every form
//! - [`exemplars`]: one request is found in a graph
//! - [`page`]: the page says the same as Prometheus
//! - [`clock`]: they start with a clock that is ahead

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod clock;
mod exemplars;
mod forms;
mod page;
mod period;
mod server;
mod system;
mod target;
