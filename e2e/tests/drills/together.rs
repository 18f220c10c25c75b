//! Both services in one process, on SQLite: all that a drill needs that is not about the broker.

use std::path::{Path, PathBuf};

use e2e::{
    server::{Plan, Server},
    start_page::Addresses,
};
use tempfile::TempDir;

use crate::{process::port, watch::Watch};

pub(crate) struct Together {
    server: Option<Server>,
    plan: Plan,
    data: PathBuf,
    _folder: TempDir,
}

/// Prometheus, Alertmanager, the bridge and both services.
pub(crate) const TARGETS: usize = 5;

impl Together {
    pub(crate) fn start(watch: &Watch) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_owned();
        Self::start_in(watch, folder, &data)
    }

    /// With its files in a place that the drill has chosen.
    pub(crate) fn start_at(watch: &Watch, data: &Path) -> Self {
        Self::start_in(watch, tempfile::tempdir().unwrap(), data)
    }

    fn start_in(watch: &Watch, folder: TempDir, data: &Path) -> Self {
        let [events, bookings, events_ops, bookings_ops] = [(); 4].map(|()| format!("http://127.0.0.1:{}", port()));
        for (name, url) in [("events", &events_ops), ("bookings", &bookings_ops)] {
            watch.targets(name, &[url.trim_start_matches("http://").to_owned()]);
        }
        let page = String::new(); // on any free port
        let addresses = Some(Addresses { events, bookings, events_ops, bookings_ops, page });
        let plan = Plan { addresses, ..Plan::default() };
        let mut together = Self { server: None, plan, data: data.to_owned(), _folder: folder };
        together.start_again(&[]);
        together
    }

    /// With these variables, where it was before, in place of the process that there was.
    pub(crate) fn start_again(&mut self, env: &[(&'static str, &str)]) {
        self.server = None; // killed
        self.plan.env = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.server = Some(Server::start(&self.data, &self.plan).unwrap_or_else(|end| panic!("it ended: {end}")));
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.server = None;
    }
}
