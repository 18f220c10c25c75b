//! What watches the system, held to the files themselves: dashboards, scrape configuration, compose file. Whether it also works
//! in motion is tested by `.ci/compose-test`.
//!
//! - [`alertmanager`]: who is notified of an alert, by real Alertmanagers
//! - [`schema`]: each dashboard against Grafana's own schema
//! - [`annotations`]: what is marked on every time axis
//! - [`panels`]: what a reader needs on every panel
//! - [`looks`]: what pictures of them showed to be wrong
//! - [`exemplars`]: how a graph leads to one request
//! - [`pictures`]: that `docs/pictures` shows them as they are
//! - [`catalogue`]: every query of the repository against the metrics that there are, and `docs/metrics.md`
//! - [`queries`]: the dashboards' queries against what the services really export
//! - [`period`]: what was counted in the chosen period has one form
//! - [`listening`]: where a server that a test has started listens
//! - [`prometheus`]: `promtool check config`
//! - [`discovery`]: the one for Kubernetes, with made-up [`pods`]
//! - [`drills`]: the table in `docs/drills.md`
//! - [`promtool`]: expressions evaluated by it
//! - [`monitor`]: what `make monitor` makes of the same files
//! - [`rules`]: alert and recording rules
//! - [`words`]: what the overview says in a word
//! - [`grafana_alerting`]: alerts of Grafana's own, as files: nobody packages Grafana, so they are not shown at work
//! - [`compose_file`]: what must be so in `docker-compose.yml`
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod alertmanager;
mod annotations;
mod catalogue;
mod compose_file;
mod discovery;
mod drills;
mod exemplars;
mod grafana_alerting;
mod listening;
mod looks;
mod monitor;
mod panels;
mod period;
mod pictures;
mod pods;
mod prometheus;
mod promtool;
mod queries;
mod rules;
mod schema;
mod words;
