//! `myevents trace`: what happened to one request, told by all processes together. The page asks in the same way.
//!
//! - here: the options, and what is looked for
//! - [`told`]: what one process says of a request, and how the halves are joined that two processes know
//! - [`running`]: asks the ops ports of a running system
//! - [`logs`]: reads the processes' JSON logs instead
//! - [`picture`]: what is printed
//!
//! What no process knows is printed as unknown: it may have happened before a restart, or longer ago than a process remembers.

mod logs;
mod picture;
pub mod running;
pub mod told;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::bail;
use process::checks::{Checks, OptionText};
use rest::urls::OpsUrlOptions;
use trace::TraceId;
use uuid::Uuid;

/// A person waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// `myevents trace …`
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 it was found, 1 nobody knows it, or it could not be looked for.")]
pub struct Options {
    /// The id of a booking, event or location, of a request (X-Request-Id), or of a trace (32 hexadecimal digits)
    id: String,
    #[command(flatten)]
    urls: OpsUrlOptions,
    /// Read JSON logs at the level debug (RUST_LOG=debug) instead of asking; - is standard input. Of several files, each has its --logs
    #[arg(long, value_name = "FILE")]
    logs: Vec<String>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All requests of a trace.
    Trace(TraceId),
    /// The id of what a request made; or else that of a request.
    Resource(Uuid),
}

impl Wanted {
    /// Takes the id of a booking, event, location or request, or 32 hexadecimal digits of a trace.
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = || text.parse().ok().map(Self::Resource);
        text.parse().ok().map(Self::Trace).or_else(uuid)
    }

    /// The trace, if it is one's id, or that of a request.
    fn trace(self) -> Option<TraceId> {
        match self {
            Self::Trace(trace) => Some(trace),
            Self::Resource(id) => TraceId::of(id),
        }
    }
}

/// Does what was asked for.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let mut checks = Checks::new();
    let right = "the id of a booking or request, or 32 hexadecimal digits of a trace";
    let nobody = Wanted::Resource(Uuid::nil());
    let text = OptionText { name: "the id", text: Some(&options.id) };
    let wanted = checks.value(text, nobody, right, Wanted::parse);
    let ops = options.urls.read(&mut checks);
    checks.finish()?;
    let found = if options.logs.is_empty() {
        running::ask(&ops.of_every_replica().await, wanted, TIMEOUT).await?
    } else {
        logs::read(&options.logs, wanted)?
    };
    if found.stories.is_empty() {
        let (id, where_asked) = (options.id, found.asked.join(", "));
        bail!("nobody knows {id}: a process keeps the last 10,000 stories since its start; asked: {where_asked}");
    }
    let text = picture::draw(&found, io::stdout().is_terminal());
    io::stdout().write_all(text.as_bytes())?; // `println!` would panic where nobody reads
    Ok(ExitCode::SUCCESS)
}
