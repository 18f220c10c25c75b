//! The options that every service has when it runs on its own, and how any binary reads its options.
//!
//! Every option is a text for clap and is parsed by [`Checks`], which reports all problems at once and masks secrets; clap
//! would stop at the first and print it. Read next: `config.rs` of a service, which adds its addresses.

use std::net::SocketAddr;

use amqp::Broker;
use clap::Parser;
use mongo::address::MongoUrl;
use process::{
    checks::{Checks, ConfigError, option},
    metrics::options::MetricsOptions,
    telemetry::{LogConfig, LogOptions},
    threads,
};
use trace::Stories;
use webserver::{connection_limits::keep_alive_timeout, listen::Listen};

use crate::settings::Settings;

/// What the command line of a service that runs on its own asks for.
pub enum Command {
    /// To run the service.
    Serve(Box<Config>),
    /// To check the service whose ops port has this address.
    Healthcheck(SocketAddr),
}

/// What a service on its own needs to start.
pub struct Config {
    /// How the service runs.
    pub settings: Settings,
    /// How it logs.
    pub log: LogConfig,
    /// The message broker, if one is named.
    pub broker: Option<Broker>,
}

/// The subcommands; without one the service runs.
#[derive(clap::Subcommand)]
pub enum Job {
    /// Asks the running service whether it is ready, and ends with 0 or 1: a container's health check
    Healthcheck,
}

/// Reads the process's arguments and environment. `--help` and unknown arguments end the process, as clap does it.
///
/// What is not UTF-8 is refused here: clap 4 does not say which variable or argument it is. No report was found in the issues of
/// clap; [`refuse_what_is_not_utf8`] can go when clap names it.
pub fn parse<P: Parser>() -> Result<P, ConfigError> {
    let mut checks = Checks::new();
    for argument in std::env::args_os().skip(1).filter(|argument| argument.to_str().is_none()) {
        checks.problem(format!("the argument {argument:?} is not UTF-8: give it a text that is"));
    }
    refuse_what_is_not_utf8(&P::command(), &mut checks);
    checks.finish()?;
    Ok(P::parse())
}

fn refuse_what_is_not_utf8(command: &clap::Command, checks: &mut Checks) {
    for name in command.get_arguments().filter_map(clap::Arg::get_env) {
        if std::env::var_os(name).is_some_and(|text| text.to_str().is_none()) {
            checks.problem(format!("{} is not UTF-8: give it a text that is", name.display()));
        }
    }
    command.get_subcommands().for_each(|command| refuse_what_is_not_utf8(command, checks));
}

/// The options of any service that runs on its own, but its addresses: their defaults differ from service to service.
#[derive(clap::Args)]
pub struct ServiceOptions {
    /// Threads that answer REST [default: 2]
    #[arg(long, env = "REST_WORKERS")]
    rest_workers: Option<String>,
    /// Seconds for which it goes on answering after SIGTERM, so that load balancers can leave it first [default: 0]
    #[arg(long, env = "SHUTDOWN_DELAY", allow_negative_numbers = true)]
    shutdown_delay: Option<String>,
    /// Seconds for which a connection to REST is kept without a request; a load balancer must close its own sooner [default: 75]
    #[arg(long, env = "KEEP_ALIVE_TIMEOUT", allow_negative_numbers = true)]
    keep_alive_timeout: Option<String>,
    /// The folder of the database file [default: ./myevents-data]
    #[arg(long, env = "DATA_DIR")]
    data_dir: Option<String>,
    /// The MongoDB server to store in instead, like mongodb://user:password@host:27017; a database that is named behind it
    /// is taken in place of the one with the service's name, and must be this service's alone
    #[arg(long, env = "MONGO_URL", hide_env_values = true)]
    mongo_url: Option<String>,
    /// A file that holds the MongoDB server's URL
    #[arg(long, env = "MONGO_URL_FILE")]
    mongo_url_file: Option<String>,
    /// The message broker, like amqp://user:password@host:5672
    #[arg(long, env = "AMQP_BROKER_URL", hide_env_values = true)]
    amqp_broker_url: Option<String>,
    /// A file that holds the broker's URL
    #[arg(long, env = "AMQP_BROKER_URL_FILE")]
    amqp_broker_url_file: Option<String>,
    /// A file with the certificate authority to trust alone, for an amqps:// broker [default: those of the machine]
    #[arg(long, env = "AMQP_CA_FILE")]
    amqp_ca_file: Option<String>,
    #[command(flatten)]
    metrics: MetricsOptions,
    #[command(flatten)]
    log: LogOptions,
}

impl ServiceOptions {
    /// Checks them, and the addresses of REST and of the ops port, each with its default.
    pub fn command(
        &self,
        job: Option<Job>,
        (listen_addr, default_listen_addr): (&Option<String>, &str),
        (ops_addr, default_ops_addr): (&Option<String>, &str),
    ) -> Result<Command, ConfigError> {
        let mut checks = Checks::new();
        let ops = Listen::read(&mut checks, option("OPS_ADDR", ops_addr), default_ops_addr);
        if let Some(Job::Healthcheck) = job {
            checks.finish()?;
            return Ok(Command::Healthcheck(ops.address));
        }
        let settings = Settings {
            rest: Listen::read(&mut checks, option("LISTEN_ADDR", listen_addr), default_listen_addr),
            ops,
            rest_workers: checks.threads(option("REST_WORKERS", &self.rest_workers), threads::REST_WORKERS),
            servers: 1,
            shutdown_delay: checks.shutdown_delay(option("SHUTDOWN_DELAY", &self.shutdown_delay)),
            keep_alive_timeout: keep_alive_timeout(&mut checks, option("KEEP_ALIVE_TIMEOUT", &self.keep_alive_timeout)),
            metrics: self.metrics.read(&mut checks),
            data_dir: checks.folder(option("DATA_DIR", &self.data_dir), "./myevents-data"),
            mongo: MongoUrl::read(
                &mut checks,
                option("MONGO_URL", &self.mongo_url),
                option("MONGO_URL_FILE", &self.mongo_url_file),
            ),
            stories: Stories::default(),
        };
        let log = self.log.read(&mut checks);
        let broker = Broker::read(
            &mut checks,
            option("AMQP_BROKER_URL", &self.amqp_broker_url),
            option("AMQP_BROKER_URL_FILE", &self.amqp_broker_url_file),
            option("AMQP_CA_FILE", &self.amqp_ca_file),
        );
        checks.finish()?;
        Ok(Command::Serve(Box::new(Config { settings, log, broker })))
    }
}
