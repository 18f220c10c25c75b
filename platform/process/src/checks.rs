//! Checks every option before anything starts, and reports all problems at once.
//!
//! clap reads each option as a text, since its own parser stops at the first bad value and prints it, with a password in it.
//! [`Checks`] parses the texts and collects the problems; what it prints is masked. Read next: `config.rs` of a service.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use crate::secret::{Secret, mask};

/// The text of one option, as the user has set it by a variable or a flag; or none.
pub struct OptionText<'a> {
    /// The environment variable, like `LISTEN_ADDR`. The flag is the same in small letters, `--listen-addr`. Where no variable
    /// sets the option, this is the flag.
    pub name: &'static str,
    /// The text, if there is one.
    pub text: Option<&'a str>,
}

impl OptionText<'_> {
    /// Without a blank text: an empty variable counts as none, since a Compose file cannot leave a variable out.
    pub fn unless_blank(self) -> Self {
        Self { text: self.text.filter(|text| !text.trim().is_empty()), ..self }
    }
}

/// Makes an [`OptionText`] of what clap has read.
pub fn option<'a>(name: &'static str, text: &'a Option<String>) -> OptionText<'a> {
    OptionText { name, text: text.as_deref() }
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
    /// Without any problem.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem that [`Checks::value`] cannot find.
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// Parses a value, or takes the default where there is none. `right` describes a right value.
    pub fn value<T>(
        &mut self,
        option: OptionText<'_>,
        default: T,
        right: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(text) = option.text else { return default };
        parse(text).unwrap_or_else(|| {
            self.refuse(option.name, text, right);
            default
        })
    }

    /// An address to listen on. Port 0 takes a free port.
    pub fn address(&mut self, option: OptionText<'_>, default: &str) -> SocketAddr {
        let default = default.parse().expect("a default address is valid");
        self.value(option, default, "an IP address and a port, like 127.0.0.1:8181 or [::1]:8181", |text| {
            text.parse().ok()
        })
    }

    /// A number of threads.
    pub fn threads(&mut self, option: OptionText<'_>, default: usize) -> usize {
        self.value(option, default, "a whole number from 1 to 64", |text| {
            text.parse().ok().filter(|n| (1..=64).contains(n))
        })
    }

    /// How long a service still answers after the signal to stop. The default is zero.
    pub fn shutdown_delay(&mut self, option: OptionText<'_>) -> Duration {
        self.seconds(option, Duration::ZERO, 0..=300)
    }

    /// A number of seconds: `5`, `7.5` or `5s`.
    pub fn seconds(&mut self, option: OptionText<'_>, default: Duration, range: RangeInclusive<u32>) -> Duration {
        let right = format!("a number of seconds from {} to {}, like 5 or 7.5", range.start(), range.end());
        self.value(option, default, &right, |text| {
            let seconds: f64 = text.strip_suffix('s').unwrap_or(text).parse().ok()?;
            let fits = (f64::from(*range.start())..=f64::from(*range.end())).contains(&seconds);
            fits.then(|| Duration::from_secs_f64(seconds))
        })
    }

    /// One of some words; the first is the default.
    pub fn choice<T: Copy>(&mut self, option: OptionText<'_>, words: &[(&str, T)]) -> T {
        let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        self.value(option, words[0].1, &all.join(" or "), |text| {
            words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
        })
    }

    /// A folder; whether it can be used shows when it is opened.
    pub fn folder(&mut self, option: OptionText<'_>, default: &str) -> PathBuf {
        self.value(option, PathBuf::from(default), "the path of a folder", path)
    }

    /// A file; whether it can be used shows when it is opened.
    pub fn file(&mut self, option: OptionText<'_>) -> PathBuf {
        self.value(option, PathBuf::new(), "the path of a file", path)
    }

    /// A secret, from its value or from a file (its text is trimmed). To set both is an error.
    pub fn secret(&mut self, value: OptionText<'_>, file: OptionText<'_>) -> Option<Secret> {
        let (name, text) = match (value.text, file.text) {
            (Some(_), Some(_)) => {
                self.problem(format!("{} and {} are both set: keep one of them", value.name, file.name));
                return None;
            }
            (Some(text), None) => (value.name, text.to_owned()),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => (file.name, text),
                Err(cause) => {
                    self.refuse(file.name, path, &format!("a file that can be read ({cause})"));
                    return None;
                }
            },
            (None, None) => return None,
        };
        if text.trim().is_empty() {
            self.problem(format!("{name} is empty: give it a value, or leave it out"));
            return None;
        }
        Some(Secret::new(text.trim()))
    }

    fn refuse(&mut self, name: &str, text: &str, right: &str) {
        let name = if name.starts_with("--") { name.to_owned() } else { format!("{name} (or {})", flag(name)) };
        self.problems.push(format!("{name} is {:?}: it must be {right}", mask(text)));
    }

    /// Ends reading: an error if there is any problem.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.trim().is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_reported_at_once_with_name_value_and_what_is_right() {
        let mut checks = Checks::new();
        checks.address(option("LISTEN_ADDR", &Some("8181".into())), "127.0.0.1:1");
        checks.threads(option("REST_WORKERS", &Some("0".into())), 2);
        let message = checks.finish().unwrap_err().to_string();
        for part in ["LISTEN_ADDR", "--listen-addr", "\"8181\"", "127.0.0.1:8181", "REST_WORKERS", "1 to 64"] {
            assert!(message.contains(part), "{part} is missing in {message}");
        }
    }

    #[test]
    fn a_shutdown_delay_is_plain_seconds_up_to_five_minutes() {
        let read = |text: &str| {
            let mut checks = Checks::new();
            let delay = checks.shutdown_delay(option("SHUTDOWN_DELAY", &Some(text.into())));
            checks.finish().map(|()| delay)
        };
        for (text, millis) in [("0", 0), ("5", 5000), ("0.25", 250), ("5s", 5000), ("300", 300_000)] {
            assert_eq!(read(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "s", "-1", "300.1", "soon", "5m", "5 s", "NaN", "inf"] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains("SHUTDOWN_DELAY (or --shutdown-delay)"), "{message}");
            assert!(message.contains(&format!("{text:?}")) && message.contains("from 0 to 300"), "{message}");
        }
        assert_eq!(Checks::new().shutdown_delay(option("SHUTDOWN_DELAY", &None)), Duration::ZERO);
    }

    #[test]
    fn a_secret_comes_from_its_variable_or_its_file_but_not_from_both() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "  s3cret\n").unwrap();
        let path = Some(file.path().to_str().unwrap().to_owned());
        let mut checks = Checks::new();
        let read = checks.secret(option("URL", &None), option("URL_FILE", &path)).unwrap();
        assert_eq!(read.reveal(), "s3cret");
        assert!(checks.secret(option("URL", &Some("x".into())), option("URL_FILE", &path)).is_none());
        assert!(checks.finish().unwrap_err().to_string().contains("both set"));
    }
}
