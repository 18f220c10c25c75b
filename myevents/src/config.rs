//! The options of `myevents`, and the list of its subcommands. Each option is a text for clap and is parsed by `process::checks`,
//! which reports all problems at once; clap would stop at the first.
//!
//! Here are the options for `serve`, which runs without a subcommand. Each subcommand, a [`Job`], has its options in its own crate,
//! and decides what its exit codes mean.

use clap::Parser;
use inspect::{dead, verify};
use page::options::PageOptions;
use process::{
    checks::{Checks, ConfigError, option},
    metrics::options::MetricsOptions,
    telemetry::{LogConfig, LogOptions},
    threads,
};
use service::{Listen, Settings, Stories, keep_alive_timeout};

use crate::healthcheck;

/// MyEvents: the event service and the booking service in one process, with nothing to install.
///
/// Without a command it starts both.
#[derive(Parser)]
#[command(name = "myevents", version, after_help = THREADS, args_conflicts_with_subcommands = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) job: Option<Job>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

/// The subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Job {
    /// Loads a running system, and shows how fast it answers
    Load(Box<load::options::Options>),
    /// Shows the messages that a service gave up on, and sends them again
    Dead(dead::Options),
    /// Checks that what is stored agrees with itself, and with what clients were told
    Verify(verify::Options),
    /// Serves the page to book on and to watch, for services that run apart
    Page(page::options::Options),
    /// Shows what happened to one request, step by step, told by all processes together
    ///
    /// Each process keeps the last 10,000 stories in memory, since its start; what none of them knows is shown as unknown.
    Trace(stories::Options),
    /// Passes the alerts of Alertmanager and Grafana on to a DingTalk robot, and says whether they arrived
    ///
    /// DingTalk's robot answers "200 OK" to a message that it throws away: without its keyword, with a wrong signature, or as
    /// the 21st of a minute. Alertmanager and Grafana take that for a success. This answers them with an error instead, so that
    /// they try again or tell, and myevents_notifications_sent_total counts what became of each notification. Of many at once it
    /// makes messages that carry several, so that there are never more than 20 in a minute. It keeps nothing.
    ///
    /// Alertmanager's webhook goes to /alertmanager, and Grafana's contact point of the type "DingDing" to /grafana. The robot's
    /// keyword must be 报警; it may demand a signature, too.
    Bridge(Box<bridge::options::Options>),
    /// Shows the alerts that arrive, on one page, without any account: for your own machine
    ///
    /// It stands in for DingTalk: at /robot/send is a robot that behaves like DingTalk's, with keyword, signature, rate and error
    /// codes. At /mail and /watchdog it takes Alertmanager's webhook: the one is shown as a mail, the other is a dead-man's
    /// switch, which must be heard again and again. The page at / shows it all, and /runbooks what to do about each alert.
    /// /api/messages and /api/watchdog tell the same as JSON, the newest first.
    ///
    /// It has no password and keeps the last 200 messages in memory: let nobody else reach it.
    Inbox(Box<inbox::options::Options>),
    /// Asks the running services whether they are ready, and ends with 0 or 1: a container's health check
    Healthcheck(healthcheck::Options),
}

/// A test compares these numbers with /proc.
const THREADS: &str = "\
Both services together have 14 threads, whatever the number of cores: 6 for each, the main thread for both, and one
for the page. A service on its own, with a broker, has at most 8.";

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// Where the event service's REST listens; port 0 takes a free one, here and below
    #[arg(long, env = "EVENTS_ADDR", default_value = "127.0.0.1:8181")]
    events_addr: Option<String>,
    /// Where the booking service's REST listens
    #[arg(long, env = "BOOKINGS_ADDR", default_value = "127.0.0.1:8282")]
    bookings_addr: Option<String>,
    /// Where the event service's /metrics, /livez and /readyz are
    #[arg(long, env = "EVENTS_OPS_ADDR", default_value = "127.0.0.1:9100")]
    events_ops_addr: Option<String>,
    /// Where the booking service's /metrics, /livez and /readyz are
    #[arg(long, env = "BOOKINGS_OPS_ADDR", default_value = "127.0.0.1:9101")]
    bookings_ops_addr: Option<String>,
    /// The folder of the database files; what it holds is kept
    #[arg(long, env = "DATA_DIR", default_value = "./myevents-data")]
    data_dir: Option<String>,
    /// Do not begin a new data folder with three sample events
    #[arg(long)]
    empty: bool,
    /// Threads that answer REST, for each service [default: 2]
    #[arg(long, env = "REST_WORKERS")]
    rest_workers: Option<String>,
    /// Seconds for which both go on answering after SIGTERM, so that load balancers can leave them first [default: 0]
    #[arg(long, env = "SHUTDOWN_DELAY", allow_negative_numbers = true)]
    shutdown_delay: Option<String>,
    /// Seconds for which a connection to REST is kept without a request; a load balancer must close its own sooner [default: 75]
    #[arg(long, env = "KEEP_ALIVE_TIMEOUT", allow_negative_numbers = true)]
    keep_alive_timeout: Option<String>,
    /// Do not serve the page to book on and to watch
    #[arg(long)]
    no_page: bool,
    #[command(flatten)]
    page: PageOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// The options of both services, checked.
pub(crate) struct Config {
    /// How the event service runs.
    pub(crate) events: Settings,
    /// How the booking service runs.
    pub(crate) bookings: Settings,
    /// How the page runs, if it does.
    pub(crate) page: Option<page::options::Config>,
    /// Whether a new folder stays without samples.
    pub(crate) empty: bool,
}

impl Serve {
    /// Checks them; an error lists everything that is wrong.
    pub(crate) fn read(&self) -> Result<(Config, LogConfig), ConfigError> {
        let mut checks = Checks::new();
        // clap sets the default of every option below. The default here is only used in place of a refused value.
        let mut listen = |name, text| Listen::read(&mut checks, option(name, text), "127.0.0.1:0");
        let addresses = [
            listen("EVENTS_ADDR", &self.events_addr),
            listen("BOOKINGS_ADDR", &self.bookings_addr),
            listen("EVENTS_OPS_ADDR", &self.events_ops_addr),
            listen("BOOKINGS_OPS_ADDR", &self.bookings_ops_addr),
        ];
        let page = (!self.no_page).then(|| self.page.read(&mut checks, true));
        let asked = page.as_ref().and_then(page::options::Config::asked_for);
        let all: Vec<_> = addresses.iter().chain(asked).collect();
        Listen::refuse_one_address_for_two(&mut checks, &all);
        let data_dir = checks.folder(option("DATA_DIR", &self.data_dir), "./myevents-data");
        let rest_workers = checks.threads(option("REST_WORKERS", &self.rest_workers), threads::REST_WORKERS);
        let shutdown_delay = checks.shutdown_delay(option("SHUTDOWN_DELAY", &self.shutdown_delay));
        let keep_alive_timeout =
            keep_alive_timeout(&mut checks, option("KEEP_ALIVE_TIMEOUT", &self.keep_alive_timeout));
        let metrics = self.metrics.read(&mut checks);
        let log = self.log.read(&mut checks);

        let stories = Stories::default();
        let settings = |rest, ops| Settings {
            rest,
            ops,
            rest_workers,
            servers: 2,
            shutdown_delay,
            keep_alive_timeout,
            metrics,
            data_dir: data_dir.clone(),
            mongo: None,
            stories: stories.clone(),
        };
        let [events, bookings, events_ops, bookings_ops] = addresses;
        let (events, bookings) = (settings(events, events_ops), settings(bookings, bookings_ops));
        checks.finish()?;
        Ok((Config { events, bookings, page, empty: self.empty }, log))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use process::checks::flag;

    use super::CommandLine;

    fn check(command: &clap::Command) -> usize {
        let named = command.get_arguments().filter_map(|option| Some((option.get_env()?, option.get_long()?)));
        let named: Vec<_> = named.map(|(variable, long)| (variable.to_str().unwrap(), format!("--{long}"))).collect();
        for (variable, long) in &named {
            assert_eq!(flag(variable), *long, "{}", command.get_name());
        }
        named.len() + command.get_subcommands().map(check).sum::<usize>()
    }

    /// A problem names the variable, and the flag is derived from it.
    #[test]
    fn each_variable_is_named_like_its_flag() {
        assert!(check(&CommandLine::command()) > 30);
    }
}
