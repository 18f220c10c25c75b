//! What watches the system, held to the files themselves: dashboards, scrape configuration, compose file. Whether it also works
//! in motion is tested by `.ci/compose-test`.
//!
//! - [`schema`]: each dashboard against Grafana's own schema
//! - [`panels`]: what a reader needs on every panel
//! - [`queries`]: every query against what the services really export
//! - [`period`]: what was counted in the chosen period, by Prometheus' own reckoning
//! - [`prometheus`]: `promtool check config`
//! - [`compose_file`]: what must be so in `docker-compose.yml`
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod compose_file;
mod known;
mod panels;
mod period;
mod prometheus;
mod queries;
mod schema;
