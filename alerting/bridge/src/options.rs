//! The options of `myevents bridge`. Each is a text for clap, so that all problems are reported at once. A problem with a secret does
//! not show the secret.

use process::{
    checks::{Checks, ConfigError, flag, option},
    secret::Secret,
    telemetry::{LogConfig, LogOptions},
};
use service::Listen;

use super::{
    pace::Rules,
    robot::{Robot, Url},
};
use alerts::dingtalk::check_secret;

/// The options of the bridge.
#[derive(clap::Args)]
#[command(mut_arg("rust_log", |arg| arg.help("Which log lines, like `warn,bridge=debug` [default: info]")))]
pub struct Options {
    /// Where /alertmanager and /grafana are; port 0 takes a free one, here and below
    #[arg(long, env = "BRIDGE_ADDR", default_value = "127.0.0.1:8060")]
    bridge_addr: Option<String>,
    /// Where its /metrics, /livez and /readyz are
    #[arg(long, env = "BRIDGE_OPS_ADDR", default_value = "127.0.0.1:9102")]
    bridge_ops_addr: Option<String>,
    /// The robot's webhook, like `https://oapi.dingtalk.com/robot/send?access_token=…` [default: that of `myevents inbox`]
    #[arg(long, env = "DINGTALK_WEBHOOK_URL", hide_env_values = true)]
    dingtalk_webhook_url: Option<String>,
    /// A file that holds the robot's webhook
    #[arg(long, env = "DINGTALK_WEBHOOK_URL_FILE")]
    dingtalk_webhook_url_file: Option<String>,
    /// The robot's secret, where it demands a signature; it begins with SEC
    #[arg(long, env = "DINGTALK_SECRET", hide_env_values = true)]
    dingtalk_secret: Option<String>,
    /// A file that holds the robot's secret
    #[arg(long, env = "DINGTALK_SECRET_FILE")]
    dingtalk_secret_file: Option<String>,
    #[command(flatten)]
    log: LogOptions,
}

/// The configuration: the options, checked.
pub struct Config {
    /// Where notifications come in.
    pub listen: Listen,
    /// Where the ops port is.
    pub ops: Listen,
    /// Where the notifications are sent.
    pub robot: Robot,
    /// How fast the robot may be used.
    pub rules: Rules,
}

/// The default address of the robot of `myevents inbox`.
const INBOX: &str = "http://127.0.0.1:8026/robot/send?access_token=dev";

impl Options {
    /// Checks all options.
    pub fn read(&self) -> Result<(Config, LogConfig), ConfigError> {
        let mut checks = Checks::new();
        let listen = Listen::read(&mut checks, option("BRIDGE_ADDR", &self.bridge_addr), "127.0.0.1:0");
        let ops = Listen::read(&mut checks, option("BRIDGE_OPS_ADDR", &self.bridge_ops_addr), "127.0.0.1:0");
        Listen::refuse_one_address_for_two(&mut checks, &[&listen, &ops]);
        let mut secret = |name, text, file_name, file| {
            checks.secret(option(name, text).unless_blank(), option(file_name, file).unless_blank())
        };
        let url = secret(
            "DINGTALK_WEBHOOK_URL",
            &self.dingtalk_webhook_url,
            "DINGTALK_WEBHOOK_URL_FILE",
            &self.dingtalk_webhook_url_file,
        );
        let secret =
            secret("DINGTALK_SECRET", &self.dingtalk_secret, "DINGTALK_SECRET_FILE", &self.dingtalk_secret_file);
        check_secret(&mut checks, "DINGTALK_SECRET", secret.as_ref());
        let robot = Url::parse(url.as_ref().map_or(INBOX, Secret::reveal));
        if robot.is_none() {
            checks.problem(format!(
                "DINGTALK_WEBHOOK_URL (or {}, or its file) must be an address like \
                 https://oapi.dingtalk.com/robot/send?access_token=…; what it is is not shown, since it is a secret",
                flag("DINGTALK_WEBHOOK_URL")
            ));
        }
        let robot =
            robot.and_then(|url| Robot::new(url, secret).inspect_err(|cause| checks.problem(cause.to_string())).ok());
        let log = self.log.read(&mut checks);
        checks.finish()?;
        let robot = robot.expect("without one there was a problem");
        Ok((Config { listen, ops, robot, rules: Rules::default() }, log))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: Options,
    }

    fn read(arguments: &[&str]) -> Result<Config, String> {
        let line = CommandLine::try_parse_from([&["bridge"], arguments].concat()).unwrap();
        line.options.read().map(|(config, _)| config).map_err(|error| error.to_string())
    }

    #[test]
    fn all_problems_are_reported_at_once_and_no_secret_is_shown() {
        let message = read(&[
            "--bridge-addr=8060",
            "--dingtalk-webhook-url=https://oapi.dingtalk.com/robot/send?acess_token=hunter2",
            "--dingtalk-secret=SEChunter3",
            "--dingtalk-secret-file=/nowhere",
            "--log-format=xml",
        ]);
        let message = message.err().unwrap();
        for part in ["BRIDGE_ADDR", "DINGTALK_WEBHOOK_URL", "both set", "LOG_FORMAT", "access_token=…"] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!message.contains("hunter"), "{message}");
        let message = read(&["--bridge-addr=127.0.0.1:7", "--bridge-ops-addr=127.0.0.1:7"]).err().unwrap();
        assert!(message.contains("an address of its own"), "{message}");
    }

    #[test]
    fn a_secret_that_was_copied_wrongly_is_reported_and_not_shown() {
        for wrong in ["hunter2", "sechunter2", "=SEChunter2"] {
            let message = read(&[&format!("--dingtalk-secret={wrong}")]).err().unwrap();
            assert!(message.contains("DINGTALK_SECRET (or --dingtalk-secret) must begin with SEC"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
        assert!(read(&["--dingtalk-secret=SECabc"]).is_ok());
    }

    #[test]
    fn without_a_robot_it_is_the_inbox_and_an_empty_variable_is_none() {
        for arguments in [&[][..], &["--dingtalk-webhook-url=", "--dingtalk-secret= ", "--dingtalk-secret-file="]] {
            assert_eq!(format!("{:?}", read(arguments).unwrap().robot), "the robot at 127.0.0.1:8026");
        }
    }
}
