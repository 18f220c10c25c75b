//! Logs: text for people at a terminal, JSON for machines, always on standard error.
//!
//! Standard output stays free for what a program answers. A panic becomes a log line like any other.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::{
    config::{Checks, Given},
    messaging::amqp,
};

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
    filter: EnvFilter,
}

/// actix tells of every worker it starts; that is no news.
const DEFAULT_FILTER: &str = "info,actix_server=warn";

impl LogConfig {
    /// `LOG_FORMAT` is `text` or `json` (default: text on a terminal, else JSON); `RUST_LOG` filters (default: `info`).
    pub fn read(checks: &mut Checks, format: Given<'_>, filter: Given<'_>) -> Self {
        let default = if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
        let format = checks.value(format, default, "`text` or `json`", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        });
        let right = "a log filter, like `info` or `warn,bookingservice=debug`";
        let filter = checks.value(filter, EnvFilter::new(DEFAULT_FILTER), right, |text| EnvFilter::try_new(text).ok());
        let filter = filter.add_directive(amqp::LOG_FILTER.parse().expect("the directive is valid"));
        Self { format, filter }
    }

    /// Starts logging. Only `main` calls this: the subscriber is the process's own and cannot be taken back.
    pub fn install(self) {
        let lines = tracing_subscriber::fmt().with_env_filter(self.filter).with_writer(std::io::stderr);
        match self.format {
            LogFormat::Text => lines.with_target(false).init(),
            LogFormat::Json => lines.json().flatten_event(true).init(),
        }
        std::panic::set_hook(Box::new(|panic| {
            let thread = std::thread::current();
            tracing::error!(thread = thread.name().unwrap_or("?"), "a panic, which is a bug of ours: {panic}");
        }));
    }
}
