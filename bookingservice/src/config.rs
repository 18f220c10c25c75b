//! The options of the `bookingservice` binary. Every one is a text here and is parsed by `platform::config`, which tells
//! all problems at once and masks secrets; clap would stop at the first and print it.

use std::net::SocketAddr;

use clap::Parser;
use platform::{
    config::{Checks, ConfigError, given},
    messaging::amqp::Broker,
    mongo::address::MongoUrl,
    service::{Listen, Settings},
    telemetry::LogConfig,
    threads,
};

/// Sells the seats of events: REST, metrics, and messages over AMQP.
#[derive(Parser)]
#[command(name = "bookingservice", version)]
struct Options {
    #[command(subcommand)]
    job: Option<Job>,
    /// Where REST listens [default: 127.0.0.1:8282]
    #[arg(long, env = "LISTEN_ADDR")]
    listen_addr: Option<String>,
    /// Where /metrics, /livez and /readyz are [default: 127.0.0.1:9101]
    #[arg(long, env = "OPS_ADDR")]
    ops_addr: Option<String>,
    /// Threads that answer REST [default: 2]
    #[arg(long, env = "REST_WORKERS")]
    rest_workers: Option<String>,
    /// The folder of the database file [default: ./myevents-data]
    #[arg(long, env = "DATA_DIR")]
    data_dir: Option<String>,
    /// The MongoDB server to store in instead, like mongodb://user:password@host:27017/bookingservice
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
    /// `text` or `json` [default: text on a terminal, else json]
    #[arg(long, env = "LOG_FORMAT")]
    log_format: Option<String>,
    /// Which log lines, like `warn,bookingservice=debug` [default: info]
    #[arg(long, env = "RUST_LOG")]
    rust_log: Option<String>,
}

/// What is done instead of serving.
#[derive(clap::Subcommand)]
enum Job {
    /// Asks the running service whether it is ready, and ends with 0 or 1: a container's health check
    Healthcheck,
}

/// What the command line asks for.
pub enum Command {
    /// The service.
    Serve(Box<Config>),
    /// To ask the one that has its ops port there.
    Healthcheck(SocketAddr),
}

/// What the options mean.
pub struct Config {
    /// How the service runs.
    pub settings: Settings,
    /// How it logs.
    pub log: LogConfig,
    /// The broker.
    pub broker: Option<Broker>,
}

/// Reads the process's options and environment; an error lists everything that is wrong.
pub fn read() -> Result<Command, ConfigError> {
    let options = Options::parse();
    let mut checks = Checks::new();
    let ops = Listen::read(&mut checks, given("OPS_ADDR", &options.ops_addr), "127.0.0.1:9101");
    if let Some(Job::Healthcheck) = options.job {
        checks.finish()?;
        return Ok(Command::Healthcheck(ops.address));
    }
    let settings = Settings {
        rest: Listen::read(&mut checks, given("LISTEN_ADDR", &options.listen_addr), "127.0.0.1:8282"),
        ops,
        rest_workers: checks.threads(given("REST_WORKERS", &options.rest_workers), threads::REST_WORKERS),
        servers: 1,
        data_dir: checks.folder(given("DATA_DIR", &options.data_dir), "./myevents-data"),
        mongo: MongoUrl::read(
            &mut checks,
            given("MONGO_URL", &options.mongo_url),
            given("MONGO_URL_FILE", &options.mongo_url_file),
        ),
    };
    let log =
        LogConfig::read(&mut checks, given("LOG_FORMAT", &options.log_format), given("RUST_LOG", &options.rust_log));
    let broker = Broker::read(
        &mut checks,
        given("AMQP_BROKER_URL", &options.amqp_broker_url),
        given("AMQP_BROKER_URL_FILE", &options.amqp_broker_url_file),
        given("AMQP_CA_FILE", &options.amqp_ca_file),
    );
    checks.finish()?;
    Ok(Command::Serve(Box::new(Config { settings, log, broker })))
}
