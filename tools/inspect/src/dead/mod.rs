//! `myevents dead`: the messages that a service gave up on, and the way back to their queue.
//!
//! - here: the options, and the two jobs
//! - [`stopped`]: looks into the data folder of a stopped one
//! - [`table`]: what `list` prints
//!
//! A message is given up where no later try can help: it is about something unknown, or its handler panics each time. So
//! mend the cause first; a redriven message that fails again is in the list again.

mod stopped;
mod table;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::Subcommand;
use messaging::DeadLetter;
use process::checks::{Checks, ConfigError, option};
use rest::{
    dead_letters,
    urls::{OpsUrlOptions, OpsUrls},
};
use serde::Serialize;
use uuid::Uuid;

/// For the list: a person waits for it.
const LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// `myevents dead …`
#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Lists them: what failed, and why; at most 1,000 of each service
    List {
        #[command(flatten)]
        source: SourceOptions,
        /// Print JSON, with the messages' bodies
        #[arg(long)]
        json: bool,
    },
    /// Sends them to the queue that gave up on them, once
    Redrive {
        #[command(flatten)]
        source: SourceOptions,
        #[command(flatten)]
        which: Which,
    },
}

/// One of the two, so that nobody sends all by leaving out an id.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The message with this id
    #[arg(long)]
    id: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

/// Whose dead letters.
#[derive(clap::Args)]
struct SourceOptions {
    #[command(flatten)]
    urls: OpsUrlOptions,
    // Not from DATA_DIR: that may be set for a system that runs, and then the running one is meant.
    /// Look into the data folder of a stopped system instead
    #[arg(long)]
    data_dir: Option<String>,
}

/// The same, checked.
enum Source {
    Running(OpsUrls),
    Stopped(PathBuf),
}

/// A dead letter, and who published it, where that is known.
#[derive(Debug, Serialize)]
pub(crate) struct Letter {
    pub(crate) publisher: Option<&'static str>,
    #[serde(flatten)]
    pub(crate) letter: DeadLetter,
}

impl Letter {
    /// `keeper` is the service that shows it. In one process that is the publisher, whose outbox keeps it. A broker keeps it
    /// beside the queue it was sent to, and shows it to that queue's service: its sender is not known.
    pub(crate) fn of(keeper: &'static str, letter: DeadLetter) -> Self {
        Self { publisher: (keeper != letter.queue).then_some(keeper), letter }
    }
}

/// What a redrive did: both services are tried, even if one of them fails.
#[derive(Default)]
struct Redrive {
    /// Messages that go to their queue again.
    count: u64,
    /// What went wrong.
    failed: Vec<String>,
}

/// Does what was asked for.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    match options.what {
        What::List { source, json } => {
            let letters = match source.read(Checks::new())? {
                Source::Running(ops) => running(&ops, LIST_TIMEOUT).await?,
                Source::Stopped(folder) => stopped::list(&folder)?,
            };
            let text = if json { serde_json::to_string_pretty(&letters)? } else { table::text(&letters) };
            say(&text)
        }
        What::Redrive { source, which: Which { id, all: _ } } => {
            let mut checks = Checks::new();
            let right = "an id that `dead list` shows";
            let id: Option<Uuid> = checks.value(option("--id", &id), None, right, |text| text.parse().ok().map(Some));
            let source = source.read(checks)?;
            let Redrive { count, failed } = match &source {
                Source::Running(ops) => Redrive::of_running(ops, id).await,
                Source::Stopped(folder) => stopped::redrive(folder, id).await?,
            };
            let when = if matches!(source, Source::Stopped(_)) { ", when the system starts" } else { "" };
            let what = if count == 1 { "1 message goes".into() } else { format!("{count} messages go") };
            let done = format!("{what} to the queue again{when}");
            // Source the one that was asked for is found, it does not matter who did not answer.
            match id {
                Some(_) if count > 0 => say(&done),
                Some(id) if failed.is_empty() => anyhow::bail!("there is no dead letter {id}"),
                None if failed.is_empty() => say(&done),
                _ => anyhow::bail!("{done}; {}", failed.join("; ")),
            }
        }
    }
}

/// The dead letters of a running system. Each request may take as long as `timeout`.
pub(crate) async fn running(ops: &OpsUrls, timeout: Duration) -> anyhow::Result<Vec<Letter>> {
    let mut letters = Vec::new();
    for (keeper, kept) in dead_letters::list(ops, timeout).await {
        let kept = kept.with_context(|| format!("the {keeper}'s ops port does not tell its dead letters"))?;
        letters.extend(kept.into_iter().map(|letter| Letter::of(keeper, letter)));
    }
    Ok(letters)
}

impl Redrive {
    async fn of_running(ops: &OpsUrls, id: Option<Uuid>) -> Self {
        let mut redrive = Self::default();
        for (_, answer) in dead_letters::redrive(ops, id).await {
            match answer {
                Ok(count) => redrive.count += count,
                Err(cause) => redrive.failed.push(format!("{:#}", anyhow::Error::new(cause))),
            }
        }
        redrive
    }
}

/// `println!` would panic where nobody reads.
fn say(text: &str) -> anyhow::Result<ExitCode> {
    writeln!(io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

impl SourceOptions {
    /// Checks them; `checks` has what was found before.
    fn read(&self, mut checks: Checks) -> Result<Source, ConfigError> {
        let source = match &self.data_dir {
            Some(_) => Source::Stopped(checks.folder(option("--data-dir", &self.data_dir), "")),
            None => Source::Running(self.urls.read(&mut checks)),
        };
        checks.finish().map(|()| source)
    }
}
