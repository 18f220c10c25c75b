//! Secrets: passwords and tokens, which no log line, no error and no panic may show. [`checks`](crate::checks) reads them.

use std::fmt;

/// A text that must not be printed. Its `Debug` and `Display` are masked.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

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

/// Hides the password of a URL: `amqp://user:***@host`. Everything up to the last `@` is hidden, since a password that was
/// pasted without escaping can hold any character.
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
    fn a_password_is_masked_however_it_was_written() {
        for url in
            ["amqp://me:hunter2@host/%2f", "me:hunter2@host", "amqp://me:hunt@hunter2@host", "mongodb://hunter2@h"]
        {
            assert!(!mask(url).contains("hunter2"), "{}", mask(url));
        }
        assert_eq!(mask("amqp://me:hunter2@host:5672"), "amqp://me:***@host:5672");
        assert_eq!(mask("127.0.0.1:80"), "127.0.0.1:80");
    }
}
