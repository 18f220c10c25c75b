//! The options of `verify`.

use std::{path::PathBuf, time::Duration};

use process::checks::{Checks, ConfigError, option};
use rest::urls::{UrlOptions, Urls};

/// A day.
const PATIENCE_MAX: u64 = 24 * 60 * 60;

/// `myevents verify …`
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 all is well, 1 something is wrong, 2 it could not be checked.")]
pub struct Options {
    #[command(flatten)]
    urls: UrlOptions,
    // Not from DATA_DIR: that may be set for a system that runs, and then the running one is meant.
    /// Check the data folder of a stopped system instead, or that of one service that runs apart
    #[arg(long)]
    data_dir: Option<String>,
    /// Hold the bookings against what `load --record` wrote
    #[arg(long, value_name = "FILE")]
    against: Option<String>,
    /// Nobody but that load has cancelled: a booking that is cancelled without being asked for is wrong
    #[arg(long, requires = "against")]
    exclusive: bool,
    /// How many seconds a running system is waited for to become quiet
    #[arg(long, value_name = "SECONDS", default_value = "30", conflicts_with = "data_dir")]
    patience: Option<String>,
    /// Take it for granted that a stopped system's outboxes hold messages, as after a kill
    #[arg(long, requires = "data_dir")]
    pending_ok: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// The same, checked.
pub(super) struct Plan {
    pub(super) source: Source,
    pub(super) against: Option<PathBuf>,
    pub(super) exclusive: bool,
    pub(super) pending_ok: bool,
    /// Options that were set and have no meaning here.
    pub(super) unused: Vec<&'static str>,
}

/// What is read.
pub(super) enum Source {
    Running(Urls, Duration),
    Stopped(PathBuf),
}

impl Options {
    pub(super) fn read(&self) -> Result<Plan, ConfigError> {
        let mut checks = Checks::new();
        let right = format!("a number of seconds up to {PATIENCE_MAX}");
        let patience = checks.value(option("--patience", &self.patience), 0, &right, |text| {
            text.parse().ok().filter(|seconds| *seconds <= PATIENCE_MAX)
        });
        let source = match &self.data_dir {
            Some(_) => Source::Stopped(checks.folder(option("--data-dir", &self.data_dir), "")),
            None => Source::Running(self.urls.read(&mut checks), Duration::from_secs(patience)),
        };
        let against = self.against.is_some().then(|| checks.file(option("--against", &self.against)));
        checks.finish()?;
        Ok(Plan {
            // Variables may be set for a system that runs, so they are no mistake.
            unused: if self.data_dir.is_some() { self.urls.set() } else { Vec::new() },
            source,
            against,
            exclusive: self.exclusive,
            pending_ok: self.pending_ok,
        })
    }
}
