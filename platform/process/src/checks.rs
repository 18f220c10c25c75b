//! Configuration without surprises: every value is checked before anything starts, and all problems are told at once.
//!
//! Options arrive as texts (see each service's `config.rs`); clap would stop at the first bad one and print it, with
//! its password. [`Checks`] collects the problems instead, and what it prints is masked.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

/// One option as the user gave it: by variable or by flag, or not at all.
pub struct Given<'a> {
    /// The environment variable, `LISTEN_ADDR`; the flag is the same in small letters, `--listen-addr`. An option that
    /// no variable sets has its flag here.
    pub name: &'static str,
    /// The text, if there is one.
    pub text: Option<&'a str>,
}

/// Shorthand for a [`Given`].
pub fn given<'a>(name: &'static str, text: &'a Option<String>) -> Given<'a> {
    Given { name, text: text.as_deref() }
}

/// The flag that sets the same as a variable: `LISTEN_ADDR` is `--listen-addr`.
pub fn flag(name: &str) -> String {
    format!("--{}", name.to_lowercase().replace('_', "-"))
}

/// Collects what is wrong while the values are read.
#[derive(Default)]
pub struct Checks {
    problems: Vec<String>,
}

/// Everything that is wrong with the configuration, a line each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be used:\n  - {}", .0.join("\n  - "))]
pub struct ConfigError(Vec<String>);

impl Checks {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a problem that is not about one value's form.
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// Reads a value, or takes the default where none was given. `right` says what would be right.
    pub fn value<T>(&mut self, option: Given<'_>, default: T, right: &str, parse: impl FnOnce(&str) -> Option<T>) -> T {
        let Some(text) = option.text else { return default };
        parse(text).unwrap_or_else(|| {
            self.refuse(option.name, text, right);
            default
        })
    }

    /// An address to listen on. Port 0 takes a free port.
    pub fn address(&mut self, option: Given<'_>, default: &str) -> SocketAddr {
        let default = default.parse().expect("a default address is valid");
        self.value(option, default, "an IP address and a port, like 127.0.0.1:8181 or [::1]:8181", |text| {
            text.parse().ok()
        })
    }

    /// A number of threads.
    pub fn threads(&mut self, option: Given<'_>, default: usize) -> usize {
        self.value(option, default, "a whole number from 1 to 64", |text| {
            text.parse().ok().filter(|n| (1..=64).contains(n))
        })
    }

    /// How long a service goes on answering after the signal to stop: seconds, `5`, `0.5` or `5s`. Without it, not at all.
    pub fn shutdown_delay(&mut self, option: Given<'_>) -> Duration {
        self.value(option, Duration::ZERO, "a number of seconds from 0 to 300, like 5 or 0.5", |text| {
            let seconds: f64 = text.strip_suffix('s').unwrap_or(text).parse().ok()?;
            (0.0..=300.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
        })
    }

    /// A folder; whether it can be used is seen when it is opened.
    pub fn folder(&mut self, option: Given<'_>, default: &str) -> PathBuf {
        self.value(option, PathBuf::from(default), "the path of a folder", |text| {
            (!text.trim().is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
        })
    }

    /// A file; whether it can be used is seen when it is opened.
    pub fn file(&mut self, option: Given<'_>) -> PathBuf {
        self.value(option, PathBuf::new(), "the path of a file", |text| {
            (!text.trim().is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
        })
    }

    /// A secret, by value or by the file that holds it (its contents are trimmed). Both at once is an error.
    pub fn secret(&mut self, value: Given<'_>, file: Given<'_>) -> Option<Secret> {
        match (value.text, file.text) {
            (Some(_), Some(_)) => {
                self.problem(format!("{} and {} are both set: keep one of them", value.name, file.name));
                None
            }
            (Some(text), None) => self.non_empty(value.name, text.trim()),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => self.non_empty(file.name, text.trim()),
                Err(cause) => {
                    self.refuse(file.name, path, &format!("a file that can be read ({cause})"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    fn non_empty(&mut self, name: &str, text: &str) -> Option<Secret> {
        if text.is_empty() {
            self.problem(format!("{name} is empty: give it a value, or leave it out"));
            return None;
        }
        Some(Secret(text.to_owned()))
    }

    fn refuse(&mut self, name: &str, text: &str, right: &str) {
        let name = if name.starts_with("--") { name.to_owned() } else { format!("{name} (or {})", flag(name)) };
        self.problems.push(format!("{name} is {:?}: it must be {right}", mask(text)));
    }

    /// The end of reading: an error if anything was wrong.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }
}

/// A text that must not be printed as it is. Its `Debug` and `Display` are masked.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

/// Hides the password of a URL: `amqp://user:***@host`. Everything up to the last `@` goes, since a password that
/// was pasted without escaping may hold any character.
pub fn mask(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let Some((login, host)) = rest.rsplit_once('@') else { return text.to_owned() };
    let user = login.split_once(':').map_or("***", |(user, _)| user);
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    format!("{scheme}{user}:***@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_told_at_once_by_name_value_and_what_would_be_right() {
        let mut checks = Checks::new();
        checks.address(given("LISTEN_ADDR", &Some("8181".into())), "127.0.0.1:1");
        checks.threads(given("REST_WORKERS", &Some("0".into())), 2);
        let told = checks.finish().unwrap_err().to_string();
        for part in ["LISTEN_ADDR", "--listen-addr", "\"8181\"", "127.0.0.1:8181", "REST_WORKERS", "1 to 64"] {
            assert!(told.contains(part), "{part} is missing in {told}");
        }
    }

    #[test]
    fn a_shutdown_delay_is_plain_seconds_up_to_five_minutes() {
        let read = |text: &str| {
            let mut checks = Checks::new();
            let delay = checks.shutdown_delay(given("SHUTDOWN_DELAY", &Some(text.into())));
            checks.finish().map(|()| delay)
        };
        for (text, millis) in [("0", 0), ("5", 5000), ("0.25", 250), ("5s", 5000), ("300", 300_000)] {
            assert_eq!(read(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "s", "-1", "300.1", "soon", "5m", "5 s", "NaN", "inf"] {
            let told = read(text).unwrap_err().to_string();
            assert!(told.contains("SHUTDOWN_DELAY (or --shutdown-delay)"), "{told}");
            assert!(told.contains(&format!("{text:?}")) && told.contains("from 0 to 300"), "{told}");
        }
        assert_eq!(Checks::new().shutdown_delay(given("SHUTDOWN_DELAY", &None)), Duration::ZERO);
    }

    #[test]
    fn a_password_is_masked_however_it_was_written() {
        for url in
            ["amqp://me:hunter2@host/%2f", "me:hunter2@host", "amqp://me:hunt@hunter2@host", "mongodb://hunter2@h"]
        {
            assert!(!mask(url).contains("hunter2"), "{}", mask(url));
        }
        assert_eq!(mask("amqp://me:hunter2@host:5672"), "amqp://me:***@host:5672");
        assert_eq!(mask("127.0.0.1:80"), "127.0.0.1:80");
    }

    #[test]
    fn a_secret_comes_from_its_variable_or_its_file_but_not_from_both() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "  s3cret\n").unwrap();
        let path = Some(file.path().to_str().unwrap().to_owned());
        let mut checks = Checks::new();
        let read = checks.secret(given("URL", &None), given("URL_FILE", &path)).unwrap();
        assert_eq!(read.reveal(), "s3cret");
        assert!(checks.secret(given("URL", &Some("x".into())), given("URL_FILE", &path)).is_none());
        assert!(checks.finish().unwrap_err().to_string().contains("both set"));
    }
}
