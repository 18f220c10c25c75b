//! Where a service is.

use std::net::IpAddr;

use hyper::{Uri, header::HeaderValue};

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

#[cfg(test)]
mod tests {
    use super::Target;

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
