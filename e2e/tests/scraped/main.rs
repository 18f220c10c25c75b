//! What a Prometheus of today makes of what it scrapes, shown on a running one. `.ci/scrape-test` builds it and runs this.
//!
//! - [`target`]: counters of which the test says when they begin, grow and end
//! - [`server`]: a Prometheus that scrapes them, with the flags of Compose
//! - [`period`]: what was counted in the chosen period

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod period;
mod server;
mod target;
