//! The broker's address and login, read from the options.
//!
//! The URL holds a password. It is parsed once, here. Logs and errors show only [`Broker::address`]. Read next:
//! `connection.rs`.

use std::{fmt, path::Path};

use lapin::uri::{AMQPScheme, AMQPUri};
use process::checks::{Checks, OptionText};

/// The heartbeat that is asked of the broker. A broker that is silent for twice this time is considered dead.
const HEARTBEAT_SECONDS: u16 = 10;

/// What would be right, for the message about a wrong one.
const RIGHT: &str = "like amqp://user:password@host:5672 or amqps://…:5671, a virtual host behind it; \
                     in user, password and virtual host, write @ as %40, / as %2F, # as %23, ? as %3F, % as %25";

/// The broker's address and login.
#[derive(Clone)]
pub struct Broker {
    pub(super) uri: AMQPUri,
    /// PEM. If it is given, only this certificate authority is trusted.
    pub(super) ca: Option<String>,
}

impl Broker {
    /// Reads the URL, by value or by file, and the file with the certificate authority. `None` where no URL was given.
    pub fn read(
        checks: &mut Checks,
        url: OptionText<'_>,
        url_file: OptionText<'_>,
        ca_file: OptionText<'_>,
    ) -> Option<Self> {
        let name = if url.text.is_some() { url.name } else { url_file.name };
        let secret = checks.secret(url, url_file);
        let ca = ca_file.text.and_then(|path| {
            let problem = |cause| checks.problem(format!("{} is {path:?}: {cause}", ca_file.name));
            pem(Path::new(path)).map_err(problem).ok()
        });
        let secret = secret?;
        let Some(uri) = parse(secret.reveal()) else {
            // The parser's own error quotes the URL, password and all.
            checks.problem(format!("{name} is {:?}: it must be {RIGHT}", secret.to_string()));
            return None;
        };
        if ca.is_some() && uri.scheme == AMQPScheme::AMQP {
            checks.problem(format!("{} is given, but {name} is not encrypted: write amqps://", ca_file.name));
        }
        Some(Self { uri, ca })
    }

    /// Scheme, host, port and virtual host, without the login.
    pub fn address(&self) -> String {
        let (host, vhost) = (&self.uri.authority.host, self.uri.vhost.trim_start_matches('/'));
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        format!("{}://{host}:{}/{vhost}", self.uri.scheme, self.uri.authority.port)
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())
    }
}

fn parse(url: &str) -> Option<AMQPUri> {
    if cut_short(url) {
        return None;
    }
    let mut uri: AMQPUri = url.parse().ok()?;
    if let Some(host) = ipv6(url) {
        uri.authority.host = host; // the parser gives an empty host here, and lapin would connect to localhost
    }
    if uri.vhost.is_empty() {
        uri.vhost = "/".into(); // a URL that ends in a slash means the default virtual host
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    Some(uri)
}

fn pem(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|cause| format!("it cannot be read: {cause}"))?;
    let holds_one = text.contains("-----BEGIN CERTIFICATE-----");
    holds_one.then_some(text).ok_or_else(|| "it holds no certificate in PEM form".into())
}

/// Whether the password holds an unescaped `#`, `/` or `?`. lapin's parser ends the address there, and uses the user name as the
/// host. A URL must be percent-encoded (<https://github.com/amqp-rs/lapin/issues/375>); this can go when the parser refuses such
/// a URL.
fn cut_short(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let address = rest.split(['/', '?', '#']).next().unwrap_or_default();
    rest.contains('#') || (rest.contains('@') && !address.contains('@'))
}

/// The host, if it is written as `[::1]`. lapin's parser loses it: no report was found in lapin's issues. This can go when the
/// parser keeps it.
fn ipv6(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host).strip_prefix('[')?;
    host.split_once(']').map(|(host, _)| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use process::checks::option;

    fn read(url: &str) -> (Option<Broker>, String) {
        let mut checks = Checks::new();
        let broker = Broker::read(
            &mut checks,
            option("AMQP_BROKER_URL", &Some(url.into())),
            option("AMQP_BROKER_URL_FILE", &None),
            option("AMQP_CA_FILE", &None),
        );
        (broker, checks.finish().err().map(|error| error.to_string()).unwrap_or_default())
    }

    #[test]
    fn the_address_is_shown_and_the_login_never() {
        for (url, address) in [
            ("amqp://me:hunter2@rabbit", "amqp://rabbit:5672/"),
            ("amqp://me:hunter2@rabbit:1/", "amqp://rabbit:1/"),
            ("amqps://me:hunter2@rabbit/shop", "amqps://rabbit:5671/shop"),
            ("amqp://me:hunter2@[::1]:7/%2F", "amqp://[::1]:7/"),
            ("amqp://me:h%40unter2@127.0.0.1", "amqp://127.0.0.1:5672/"),
        ] {
            let broker = read(url).0.unwrap();
            assert_eq!(broker.address(), address);
            assert_eq!(format!("{broker:?}"), address);
        }
    }

    #[test]
    fn the_error_about_a_wrong_url_says_what_would_be_right_and_hides_the_password() {
        for url in [
            "me:hunter2@rabbit",
            "http://me:hunter2@rabbit",
            "amqp://me:hunter2@rabbit:port",
            "amqp://me:#hunter2@r",
            "amqp://me:?hunter2@r",
            "amqp://me:/hunter2@r",
        ] {
            let (_, error) = read(url);
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("AMQP_BROKER_URL") && error.contains("amqp://user:password@host:5672"), "{error}");
        }
    }

    #[test]
    fn a_slash_at_the_end_means_the_usual_virtual_host() {
        assert_eq!(read("amqp://rabbit/").0.unwrap().uri.vhost, "/");
        assert_eq!(read("amqp://rabbit").0.unwrap().uri.vhost, "/");
        assert_eq!(read("amqp://rabbit/shop").0.unwrap().uri.vhost, "shop");
    }
}
