//! The options of `myevents inbox`. Each is a text for clap, so that all problems are reported at once.

use process::{
    checks::{Checks, ConfigError, option},
    telemetry::{LogConfig, LogOptions},
};
use service::Listen;

use super::robot::Rules;
use alerts::dingtalk::check_secret;

/// The options of the inbox.
#[derive(clap::Args)]
#[command(mut_arg("rust_log", |arg| arg.help("Which log lines, like `warn,inbox=debug` [default: info]")))]
pub struct Options {
    /// Where it listens; port 0 takes a free one
    #[arg(long, env = "INBOX_ADDR", default_value = "127.0.0.1:8026")]
    inbox_addr: Option<String>,
    /// The word that the robot demands in each message; an empty one demands nothing
    #[arg(long, env = "INBOX_KEYWORD", default_value = "报警")]
    inbox_keyword: Option<String>,
    /// The secret of the signature that the robot demands; it begins with SEC [default: it demands none]
    #[arg(long, env = "INBOX_SECRET", hide_env_values = true)]
    inbox_secret: Option<String>,
    /// The robot's access_token
    #[arg(long, env = "INBOX_TOKEN", default_value = "dev")]
    inbox_token: Option<String>,
    #[command(flatten)]
    log: LogOptions,
}

/// The configuration: the options, checked.
pub struct Config {
    /// Where it listens.
    pub listen: Listen,
    /// What its robot demands and accepts.
    pub rules: Rules,
}

impl Options {
    /// Checks all options.
    pub fn read(&self) -> Result<(Config, LogConfig), ConfigError> {
        let mut checks = Checks::new();
        let listen = Listen::read(&mut checks, option("INBOX_ADDR", &self.inbox_addr), "127.0.0.1:0");
        let secret = option("INBOX_SECRET", &self.inbox_secret).unless_blank();
        let secret = checks.secret(secret, option("INBOX_SECRET", &None));
        check_secret(&mut checks, "INBOX_SECRET", secret.as_ref());
        let token = checks.value(
            option("INBOX_TOKEN", &self.inbox_token),
            "dev".into(),
            "1 to 100 letters and digits",
            |text| {
                let fits = (1..=100).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric());
                fits.then(|| text.to_owned())
            },
        );
        let log = self.log.read(&mut checks);
        checks.finish()?;
        let keyword = self.inbox_keyword.clone().unwrap_or_default().trim().to_owned();
        Ok((Config { listen, rules: Rules { token, keyword, secret, ..Rules::default() } }, log))
    }
}
