//! The flags, with the names of the example for Go, and its defaults but for the address: it can be reached from this machine only. Each is a text for clap, so that all problems are reported at once.

use std::time::Duration;

use jiff::SignedDuration;
use process::checks::{Checks, ConfigError, option};
use process::telemetry::{LogConfig, LogOptions};
use webserver::listen::Listen;

/// Calls three services that do not exist, and shows at /metrics how long that takes
#[derive(clap::Parser)]
#[command(name = "random", version, allow_negative_numbers = true)]
#[command(mut_arg("rust_log", |arg| arg.help("Which log lines, like `warn,random=debug` [default: info]")))]
pub(crate) struct Options {
    /// Where /metrics is; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "LISTEN_ADDRESS", value_name = "ADDRESS")]
    listen_address: Option<String>,
    /// The longest call of `uniform` [default: 0.0002]
    #[arg(long = "uniform.domain", value_name = "SECONDS")]
    uniform_domain: Option<String>,
    /// The standard deviation of the calls of `normal` [default: 0.0002]
    #[arg(long = "normal.domain", value_name = "SECONDS")]
    normal_domain: Option<String>,
    /// The mean of the calls of `normal`, before those below zero are left out [default: 0.00001]
    #[arg(long = "normal.mean", value_name = "SECONDS")]
    normal_mean: Option<String>,
    /// The time from many calls to few and back, like 90s or 1h30m [default: 10m]
    #[arg(long, value_name = "DURATION")]
    oscillation_period: Option<String>,
    #[command(flatten)]
    log: LogOptions,
}

/// The flags, checked. All numbers are seconds.
pub(crate) struct Config {
    pub(crate) listen: Listen,
    pub(crate) uniform_domain: f64,
    pub(crate) normal_domain: f64,
    pub(crate) normal_mean: f64,
    pub(crate) oscillation_period: Duration,
}

impl Options {
    pub(crate) fn read(&self) -> Result<(Config, LogConfig), ConfigError> {
        let mut checks = Checks::new();
        let mut seconds = |name, text, default: f64, least: f64| {
            let right = format!("a number of seconds from {least} to 10, like {default}");
            let fits = |seconds: &f64| (least..=10.0).contains(seconds);
            checks.value(option(name, text), default, &right, |text| text.parse().ok().filter(fits))
        };
        let uniform_domain = seconds("--uniform.domain", &self.uniform_domain, 0.0002, 0.000_001);
        let normal_domain = seconds("--normal.domain", &self.normal_domain, 0.0002, 0.000_001);
        let normal_mean = seconds("--normal.mean", &self.normal_mean, 0.00001, 0.0);
        let (period, right) = (option("--oscillation-period", &self.oscillation_period), "from 1s to 24h, like 10m");
        let oscillation_period = checks.value(period, Duration::from_secs(600), right, |text| {
            let period: Duration = text.parse::<SignedDuration>().ok()?.try_into().ok()?;
            (1..=86_400).contains(&period.as_secs()).then_some(period)
        });
        let listen = Listen::read(&mut checks, option("LISTEN_ADDRESS", &self.listen_address), "127.0.0.1:8080");
        let log = self.log.read(&mut checks);
        checks.finish()?;
        Ok((Config { listen, uniform_domain, normal_domain, normal_mean, oscillation_period }, log))
    }
}
