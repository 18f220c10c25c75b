//! `myevents verify`: whether everything that is stored agrees with itself, and with the answers that clients got.
//!
//! - here: the options, and the way from reading to the exit code
//! - reading: [`running`] asks a system when it is [`quiet`]; [`stopped`] reads a data folder; both give [`facts`]
//! - judging: [`reconcile`] (with [`pending`]) and, for `--against`, [`against`] a [`record_file`]; both give [`findings`]
//! - [`report`]: what is printed
//!
//! Exit codes: 0 all is well, 1 something is wrong, 2 it could not be checked.

mod against;
mod facts;
mod findings;
mod options;
mod pending;
mod quiet;
mod reconcile;
mod record_file;
mod report;
mod running;
mod stopped;
#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    process::ExitCode,
};

pub use options::Options;

use facts::Unchecked;
use findings::Findings;
use options::{Plan, Source};
use report::Report;

/// Checks, prints, and says by the exit code how it is.
pub async fn run(options: Options) -> ExitCode {
    let json = options.json;
    let checked = match options.read() {
        Ok(plan) => verify(&plan).await,
        Err(cause) => Err(Unchecked::Away(cause.into())),
    };
    let (text, code) = match checked {
        Ok(report) => (if json { report::json(&report) } else { report.to_string() }, u8::from(!report.ok)),
        Err(cause) => {
            eprintln!("myevents: not checked: {cause}");
            (if json { report::unchecked(&cause) } else { String::new() }, 2)
        }
    };
    // `print!` would panic where nobody reads; the exit code still says how it is.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}

async fn verify(plan: &Plan) -> Result<Report, Unchecked> {
    let mut findings = Findings::default();
    let mut against = plan.against.as_deref().map(|file| record_file::read(file, &mut findings)).transpose()?;
    if let Some(against) = &mut against {
        against.exclusive = plan.exclusive;
    }
    let facts = match &plan.source {
        Source::Running(urls, patience) => Some(running::read(urls, *patience, &mut against).await?),
        Source::Stopped(folder) => stopped::read(folder, &mut findings, &mut against)?,
    };
    let Some(facts) = facts else { return Ok(Report::unreadable(plan, findings)) };
    reconcile::reconcile(&facts, plan.pending_ok, &mut findings);
    let record = against.map(|against| against.finish(&mut findings));
    Ok(Report::new(plan, &facts, record, findings))
}
