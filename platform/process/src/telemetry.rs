//! Logs: text for people at a terminal, JSON for machines, always on standard error.
//!
//! Standard output stays free for what a program answers. A panic becomes a log line like any other.

use std::io::IsTerminal;

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::layer,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    checks::{Checks, OptionText},
    panics::log_panics,
};

/// What may log nothing, whatever `RUST_LOG` says: lapin, the AMQP client, writes frames to its log, and the first one holds the
/// login. What matters of it the crate `amqp` logs itself.
pub const SILENT: &str = "lapin";

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to log and how; made by [`LogConfig::read`].
pub struct LogConfig {
    format: LogFormat,
    filter: Targets,
}

/// actix tells of every worker it starts; that is no news.
fn default_filter() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("actix_server", LevelFilter::WARN)
        .with_target("actix_http", LevelFilter::OFF)
}

impl LogConfig {
    /// `LOG_FORMAT` is `text` or `json` (default: text on a terminal, else JSON); `RUST_LOG` filters (default: `info`; an
    /// empty one counts as not given, as Compose files write it).
    pub fn read(checks: &mut Checks, format: OptionText<'_>, filter: OptionText<'_>) -> Self {
        let default = if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
        let format = checks.value(format, default, "`text` or `json`", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        let right = "a log filter, like `info` or `warn,bookingservice=debug`";
        let filter = OptionText { text: filter.text.filter(|text| !text.trim().is_empty()), ..filter };
        let filter = checks.value(filter, default_filter(), right, parse_filter);
        Self { format, filter: filter.with_target(SILENT, LevelFilter::OFF) }
    }

    /// Starts logging. Only `main` calls this: the subscriber is the process's own and cannot be taken back.
    pub fn install(self) {
        let lines = layer().with_writer(std::io::stderr);
        let lines = match self.format {
            LogFormat::Text => lines.with_target(false).boxed(),
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        tracing_subscriber::registry().with(lines.with_filter(self.filter)).init();
        log_panics();
    }
}

/// A bare word must be a level: `RUST_LOG=warning` would name a part of the program that is not there, and log nothing.
fn parse_filter(text: &str) -> Option<Targets> {
    let parts: Vec<_> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_word = |part: &str| part.chars().all(|c| c.is_alphanumeric() || "_:-.".contains(c));
    if parts.iter().any(|part| is_word(part) && part.parse::<LevelFilter>().is_err()) {
        return None;
    }
    let heard: Vec<_> = parts.into_iter().filter(|part| !part.starts_with(SILENT)).collect();
    if heard.is_empty() { None } else { heard.join(",").parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::option;

    fn read(filter: &str) -> Result<String, String> {
        let mut checks = Checks::new();
        let config =
            LogConfig::read(&mut checks, option("LOG_FORMAT", &None), option("RUST_LOG", &Some(filter.to_owned())));
        checks.finish().map(|()| config.filter.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_filter_that_would_silence_everything_by_a_slip_is_refused() {
        for slip in ["warning", "inof", "info,bookingservice", "sqlite", "=?=", ","] {
            let told = read(slip).unwrap_err();
            assert!(told.contains("RUST_LOG") && told.contains(slip), "{told}");
        }
        for meant in ["warn", "OFF", "info,bookingservice=debug", "warn,", "bookingservice=off,sqlite=trace"] {
            read(meant).unwrap_or_else(|told| panic!("{told}"));
        }
    }

    #[test]
    fn what_may_log_nothing_cannot_be_asked_to() {
        read(&format!("info,{SILENT}")).unwrap_err();
        for part in ["", "::channel"] {
            let asked = format!("{SILENT}{part}=trace");
            assert_eq!(read(&format!("{asked}, info")).unwrap(), read("info").unwrap());
            read(&asked).unwrap_err();
        }
    }

    #[test]
    fn an_empty_filter_is_the_one_that_is_taken_when_none_is_given() {
        let default = LogConfig::read(&mut Checks::new(), option("LOG_FORMAT", &None), option("RUST_LOG", &None));
        for empty in ["", "  "] {
            assert_eq!(read(empty).unwrap(), default.filter.to_string());
        }
    }
}
