//! Where a running system is: the options of every job that asks one over HTTP.
//!
//! A service may run in several replicas on one database. Each of them answers for what is stored, so the
//! first REST address that answers is asked. What each process counts for itself is asked of all of them.

use std::{collections::BTreeSet, net::IpAddr};

use hyper::{Uri, header::HeaderValue};
use process::checks::{Checks, OptionText, option};
use tokio::net::lookup_host;

/// The address of one service's REST.
#[derive(Clone, Debug)]
pub struct Target {
    /// As it was given, without a slash at the end, for messages.
    pub url: String,
    /// What to connect to.
    pub(crate) host: String,
    /// Likewise.
    pub(crate) port: u16,
    /// The `Host` header.
    pub(crate) authority: HeaderValue,
    /// What stands before every path; usually nothing.
    pub(crate) base: String,
}

impl Target {
    /// Takes `http://host:port`, also with a path. HTTPS is for a proxy in front of the services.
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let plain = uri.scheme_str() == Some("http") && uri.query().is_none() && !authority.as_str().contains('@');
        plain.then_some(())?;
        let port = match authority.as_str().strip_prefix(authority.host())?.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None => 80,
        };
        Some(Self {
            url: text.trim_end_matches('/').to_owned(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            authority: HeaderValue::from_str(authority.as_str()).ok()?,
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The same by an address of its host, which is a name.
    pub(crate) fn at(&self, ip: IpAddr) -> Option<Self> {
        let behind = self.url.split_once("://")?.1.strip_prefix(self.host.as_str())?;
        let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        Self::parse(&format!("http://{host}{behind}"))
    }
}

/// Where the four ports are by default.
const DEFAULTS: [(&str, &str); 4] = [
    ("EVENTS_URL", "http://127.0.0.1:8181"),
    ("BOOKINGS_URL", "http://127.0.0.1:8282"),
    ("EVENTS_OPS_URL", "http://127.0.0.1:9100"),
    ("BOOKINGS_OPS_URL", "http://127.0.0.1:9101"),
];

/// The four ports of a system, where `myevents` has them by default.
#[derive(clap::Args)]
pub struct UrlOptions {
    /// The event service's REST; of several replicas all, separated by commas, here and below
    #[arg(long, env = "EVENTS_URL", default_value = DEFAULTS[0].1)]
    events_url: Option<String>,
    /// The booking service's REST
    #[arg(long, env = "BOOKINGS_URL", default_value = DEFAULTS[1].1)]
    bookings_url: Option<String>,
    #[command(flatten)]
    ops: OpsUrlOptions,
}

/// The two ops ports of a system.
#[derive(clap::Args)]
pub struct OpsUrlOptions {
    /// The event service's ops port; of several replicas all, separated by commas, or a name that has all their
    /// addresses (not one of a load balancer, which shows one replica at a time), here and below
    #[arg(long, env = "EVENTS_OPS_URL", default_value = DEFAULTS[2].1)]
    events_ops_url: Option<String>,
    /// The booking service's ops port
    #[arg(long, env = "BOOKINGS_OPS_URL", default_value = DEFAULTS[3].1)]
    bookings_ops_url: Option<String>,
}

/// The addresses. There is one at least of each.
#[derive(Clone, Debug)]
pub struct Urls {
    /// The event service's REST.
    pub events: Vec<Target>,
    /// The booking service's REST.
    pub bookings: Vec<Target>,
    /// The ops ports.
    pub ops: OpsUrls,
}

/// The addresses of the ops ports. There is one at least of each.
#[derive(Clone, Debug)]
pub struct OpsUrls {
    /// The event service's.
    pub events: Vec<Target>,
    /// The booking service's.
    pub bookings: Vec<Target>,
}

impl UrlOptions {
    /// Those that somebody has set, by variable or flag.
    pub fn set(&self) -> Vec<&'static str> {
        let texts = [&self.events_url, &self.bookings_url, &self.ops.events_ops_url, &self.ops.bookings_ops_url];
        let set = texts.into_iter().zip(DEFAULTS).filter(|(text, (_, default))| text.as_deref() != Some(default));
        set.map(|(_, (name, _))| name).collect()
    }

    /// Checks them.
    pub fn read(&self, checks: &mut Checks) -> Urls {
        Urls {
            events: targets(checks, option("EVENTS_URL", &self.events_url)),
            bookings: targets(checks, option("BOOKINGS_URL", &self.bookings_url)),
            ops: self.ops.read(checks),
        }
    }
}

impl OpsUrlOptions {
    /// Checks them.
    pub fn read(&self, checks: &mut Checks) -> OpsUrls {
        OpsUrls {
            events: targets(checks, option("EVENTS_OPS_URL", &self.events_ops_url)),
            bookings: targets(checks, option("BOOKINGS_OPS_URL", &self.bookings_ops_url)),
        }
    }
}

impl OpsUrls {
    /// The ops port of every replica: of a name that has several addresses, as one has under Compose, each of those.
    pub async fn of_every_replica(&self) -> Self {
        Self { events: replicas(&self.events).await, bookings: replicas(&self.bookings).await }
    }
}

async fn replicas(targets: &[Target]) -> Vec<Target> {
    let mut all = Vec::new();
    for target in targets {
        // An address needs no lookup, for which a thread would start.
        let is_address = target.host.parse::<IpAddr>().is_ok();
        all.extend(by_address(target, if is_address { Vec::new() } else { lookup(&target.host).await }));
    }
    all
}

/// Nothing where nobody knows the name: the request to it fails with a better message.
async fn lookup(name: &str) -> Vec<IpAddr> {
    lookup_host((name, 0)).await.map_or_else(|_| Vec::new(), |found| found.map(|address| address.ip()).collect())
}

/// The target by each address that was found; as it is where there is one. A process may have one of each family, as behind
/// `localhost`, and must not be counted twice.
fn by_address(target: &Target, found: Vec<IpAddr>) -> Vec<Target> {
    let (four, six): (BTreeSet<IpAddr>, BTreeSet<IpAddr>) = found.into_iter().partition(IpAddr::is_ipv4);
    let replicas = if four.is_empty() { six } else { four };
    if replicas.len() < 2 {
        return vec![target.clone()];
    }
    replicas.iter().filter_map(|ip| target.at(*ip)).collect()
}

/// Reads one address, or several separated by commas.
pub fn targets(checks: &mut Checks, option: OptionText<'_>) -> Vec<Target> {
    let right = "an address like http://127.0.0.1:8181, or several separated by commas";
    checks.value(option, Vec::new(), right, |text| text.split(',').map(|part| Target::parse(part.trim())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_several_addresses_stands_for_all_replicas_and_localhost_for_one() {
        for (url, found, replicas) in [
            (
                "http://bookings:9100",
                &["10.0.0.3", "10.0.0.2", "10.0.0.3"][..],
                &["http://10.0.0.2:9100", "http://10.0.0.3:9100"][..],
            ),
            (
                "http://six:9100/ops",
                &["fd00::2", "fd00::1"],
                &["http://[fd00::1]:9100/ops", "http://[fd00::2]:9100/ops"],
            ),
            ("http://both", &["fd00::1", "10.0.0.1", "fd00::2", "10.0.0.2"], &["http://10.0.0.1", "http://10.0.0.2"]),
            ("http://localhost:9100", &["::1", "127.0.0.1"], &["http://localhost:9100"]),
            ("http://one:9100", &["10.0.0.1"], &["http://one:9100"]),
            ("http://nobody:9100", &[], &["http://nobody:9100"]),
        ] {
            let found = found.iter().map(|ip| ip.parse().unwrap()).collect();
            let found = by_address(&Target::parse(url).unwrap(), found);
            assert_eq!(found.iter().map(|target| target.url.as_str()).collect::<Vec<_>>(), replicas, "{url}");
        }
    }

    #[test]
    fn an_address_is_taken_apart() {
        for (text, host, port, base) in [
            ("http://127.0.0.1:8181", "127.0.0.1", 8181, ""),
            ("http://[::1]:8181/", "::1", 8181, ""),
            ("http://tickets/events-api/", "tickets", 80, "/events-api"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.host.as_str(), target.port, target.base.as_str()), (host, port, base));
        }
        for text in [
            "",
            "127.0.0.1:8181",
            "https://host",
            "http://",
            "http://me:pass@host",
            "http://host?x=1",
            "http://host:99999",
            "http://host:0",
            "http://host:",
        ] {
            assert!(Target::parse(text).is_none(), "{text}");
        }
    }
}
