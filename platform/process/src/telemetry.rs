//! Logs: text for people at a terminal, JSON for machines, always on standard error.
//!
//! Standard output is for what a program answers. A panic is a log line, too: see `panics.rs`. Nothing waits until somebody reads the
//! log: see `log_lines.rs`.

use std::io::IsTerminal;

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::layer,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    checks::{Checks, option},
    log_lines::{Line, write_what_is_left},
    panics::log_panics,
};

/// The target that never logs, with any `RUST_LOG`: lapin, the AMQP client. The crate `amqp` logs what matters.
///
/// **Workaround for lapin 4**, which logs whole frames, and the first one holds the password. No report was found in the issues of
/// lapin. This can go when lapin masks the login.
pub const SILENT: &str = "lapin";

/// The targets of our own lines: the crates of the workspace. A test compares them.
const OURS: [&str; 24] = [
    "alerts",
    "amqp",
    "apidocs",
    "bookingservice",
    "bridge",
    "contracts",
    "eventservice",
    "inbox",
    "inspect",
    "load",
    "messaging",
    "metrics",
    "mongo",
    "myevents",
    "page",
    "paging",
    "process",
    "random",
    "rest",
    "service",
    "sqlite",
    "stories",
    "trace",
    "webserver",
];

/// The options of every program that logs. The example names the services; other programs give `--rust-log` a help of their own.
#[derive(clap::Args)]
pub struct LogOptions {
    /// `text` or `json` [default: text on a terminal, else json]
    #[arg(long, env = "LOG_FORMAT")]
    log_format: Option<String>,
    /// Which log lines, like `warn,bookingservice=debug`; what names no part of MyEvents is added to the default; a bare word must
    /// be a level [default: info]
    #[arg(long, env = "RUST_LOG")]
    rust_log: Option<String>,
}

/// What to log and how. [`LogOptions::read`] makes it.
pub struct LogConfig {
    /// One JSON object a line; else one line of text.
    json: bool,
    filter: Targets,
}

/// actix logs every start of a worker at the level info, which is of no use here.
fn default_filter() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("actix_server", LevelFilter::WARN)
        .with_target("actix_http", LevelFilter::OFF)
}

impl LogOptions {
    /// Checks them.
    pub fn read(&self, checks: &mut Checks) -> LogConfig {
        let format = option("LOG_FORMAT", &self.log_format);
        let json = checks.value(format, !std::io::stderr().is_terminal(), "`text` or `json`", |text| match text {
            "text" => Some(false),
            "json" => Some(true),
            _ => None,
        });
        let right = "a log filter, like `info` or `warn,bookingservice=debug`";
        let filter = option("RUST_LOG", &self.rust_log).unless_blank();
        let filter = checks.value(filter, default_filter(), right, parse_filter);
        LogConfig { json, filter: filter.with_target(SILENT, LevelFilter::OFF) }
    }
}

impl LogConfig {
    /// Starts logging. Only `main` calls this, in its runtime: a process has one subscriber, for as long as it runs.
    pub fn install(self) {
        tokio::spawn(write_what_is_left());
        let lines = layer().with_writer(|| Line);
        let lines = if self.json { lines.json().flatten_event(true).boxed() } else { lines.with_target(false).boxed() };
        tracing_subscriber::registry().with(lines.with_filter(self.filter)).init();
        log_panics();
    }
}

/// A single word must be a level: `RUST_LOG=warning` would be a target that does not exist, and log nothing.
///
/// A filter without a level for all and without any of our targets was set for another program, and must not silence this one. What
/// only another program understands is left out, such as the spans of `EnvFilter`.
fn parse_filter(text: &str) -> Option<Targets> {
    let mut in_span = false;
    let parts = text.split(|c| {
        in_span = c == '[' || in_span && c != ']';
        c == ',' && !in_span
    });
    let parts: Vec<_> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.iter().all(|part| part.starts_with(SILENT)) {
        return None;
    }
    let mut filter = Targets::new();
    let mut is_meant = false;
    for part in parts {
        let target = part.split(['=', '[']).next().unwrap_or_default().trim_end();
        let level = part[target.len()..].trim_start().strip_prefix('=').and_then(|level| level.trim().parse().ok());
        if let Ok(level) = part.parse::<LevelFilter>() {
            filter = filter.with_default(level);
            is_meant = true;
        } else if is_word(part) || part.starts_with('=') {
            return None;
        } else if is_ours(target) {
            filter = filter.with_target(target, level?);
            is_meant = true;
        } else if let Some(level) = level.filter(|_: &LevelFilter| !target.starts_with(SILENT) && !begins_ours(target))
        {
            filter = filter.with_target(target, level);
        }
    }
    Some(if is_meant { filter } else { default_filter().with_targets(filter) })
}

fn is_word(part: &str) -> bool {
    part.chars().all(|c| c.is_alphanumeric() || "_:-.".contains(c))
}

fn is_ours(target: &str) -> bool {
    OURS.contains(&target.split("::").next().unwrap_or_default())
}

/// `book=off` would hold for `bookingservice`, too: `Targets` compares how the names begin.
fn begins_ours(target: &str) -> bool {
    OURS.iter().any(|ours| format!("{ours}::").starts_with(target))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn read(filter: &str) -> Result<String, String> {
        let mut checks = Checks::new();
        let config = LogOptions { log_format: None, rust_log: Some(filter.to_owned()) }.read(&mut checks);
        checks.finish().map(|()| config.filter.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_filter_that_would_silence_everything_by_a_mistake_is_refused() {
        for mistake in [
            "warning",
            "inof",
            "info,bookingservice",
            "sqlite",
            "=?=",
            "=info",
            ",",
            "bookingservice=verbose",
            "bookingservice::http=debug=info",
            "bookingservice[span]=debug",
            "my_app[span],my_app",
        ] {
            let message = read(mistake).unwrap_err();
            assert!(message.contains("RUST_LOG") && message.contains(mistake), "{message}");
        }
        for meant in ["warn", "OFF", "info,bookingservice=debug", "warn,", "bookingservice=off,sqlite=trace"] {
            read(meant).unwrap_or_else(|message| panic!("{message}"));
        }
    }

    #[test]
    fn a_filter_of_another_program_does_not_silence_this_one() {
        let default = default_filter();
        for other in [
            "other_app=info",
            "other_app=off, tower_http=trace",
            "actix_web=debug",
            "sqlx=warn,other=error",
            "my_app[span{x=1}]=info",
            "my_app[{one,two,three}]=off,my_app[span]",
            "[span{x=1}]=off",
            "my_app=verbose,my_app=debug/words",
            "s=off",
            "book=off,bookingservice:=off",
            "sqlite_other=off",
        ] {
            let filter = parse_filter(other).unwrap();
            for (target, level) in
                [("bookingservice::http", Level::INFO), ("sqlite", Level::ERROR), ("actix_server", Level::INFO)]
            {
                assert_eq!(
                    filter.would_enable(target, &level),
                    default.would_enable(target, &level),
                    "{other}: {target}"
                );
            }
        }
        let with_others = parse_filter("debug,book=off,my_app[span{x=1}]=info,sqlite = warn").unwrap();
        assert!(with_others.would_enable("bookingservice::http", &Level::DEBUG));
        assert!(!with_others.would_enable("sqlite", &Level::INFO));
        assert!(parse_filter("actix_web=debug").unwrap().would_enable("actix_web", &Level::DEBUG));
        for meant in [
            "error",
            "other_app=info,warn",
            "bookingservice=debug",
            "bookingservice::http=debug",
            "eventservice=debug,sqlite=off",
        ] {
            assert!(!parse_filter(meant).unwrap().would_enable("sqlite", &Level::INFO), "{meant}");
        }
    }

    #[test]
    fn the_silent_target_cannot_be_switched_on() {
        read(&format!("info,{SILENT}")).unwrap_err();
        for part in ["", "::channel"] {
            let asked = format!("{SILENT}{part}=trace");
            assert_eq!(read(&format!("{asked}, info")).unwrap(), read("info").unwrap());
            read(&asked).unwrap_err();
        }
    }

    #[test]
    fn an_empty_filter_is_the_one_that_is_taken_when_none_is_given() {
        let default = LogOptions { log_format: None, rust_log: None }.read(&mut Checks::new());
        for empty in ["", "  "] {
            assert_eq!(read(empty).unwrap(), default.filter.to_string());
        }
    }
}
