//! Keeps web pages of others from pressing what changes something. A browser sends a simple request for any page, also to this machine;
//! with DNS rebinding even under a name of the page's own. It names the page's site in `Origin`, which programs do not send.
//!
//! Every server but REST has this check. None has a password, REST neither. It keeps pages of other sites out in another way: it takes
//! JSON only and has `DELETE`, for which a browser asks first (a preflight), and no answer here allows it. DNS rebinding gets around
//! that, since the page then is of the same site: it can use a REST port that the browser reaches, also one of this machine only. REST is
//! served under any name, so it cannot tell that name from the one of a proxy in front of it, which is where a check of names belongs.

use std::net::IpAddr;

use actix_web::{
    dev::ServiceRequest,
    http::{StatusCode, header, uri::Authority},
};

use crate::problem::Problem;

/// Names in small letters under which web pages reach a server, too: a part of its application's data.
pub struct Names(pub Vec<String>);

/// Refuses a changing request that names an `Origin`, unless that is the `Host` and a loopback name or an address, where no other site can
/// be, or one of the server's [`Names`].
pub(crate) fn check(request: &ServiceRequest) -> Result<(), Problem> {
    let headers = request.headers();
    if request.method().is_safe() || !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    let only = |name| {
        let mut values = headers.get_all(name);
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    };
    let site = only(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    let same = site.zip(only(header::HOST)).filter(|((_, site), host)| site.eq_ignore_ascii_case(host));
    if same.is_some_and(|(_, host)| is_known(host, request.app_data())) {
        return Ok(());
    }
    let detail = "Origin: a page of another site must not change anything here; send the request without this header, or from a \
                  page of this port under localhost or an IP address";
    Err(Problem::new(StatusCode::FORBIDDEN, "foreign-origin", "The request comes from a page of another site", detail))
}

fn is_known(host: &str, names: Option<&Names>) -> bool {
    let Ok(host) = host.to_ascii_lowercase().parse::<Authority>() else { return false };
    let host = host.host();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        || names.is_some_and(|Names(names)| names.iter().any(|name| name == host))
}

#[cfg(test)]
mod tests {
    use actix_web::{http::Method, test::TestRequest};

    use super::*;

    fn served(method: Method, headers: &[(&'static str, &str)]) -> bool {
        let request = TestRequest::default().method(method);
        let request = headers.iter().fold(request, |request, header| request.append_header(*header));
        check(&request.app_data(Names(vec!["tickets.example".to_owned()])).to_srv_request()).is_ok()
    }

    #[test]
    fn a_changing_request_with_an_origin_is_served_only_from_this_port_at_home() {
        for (origin, host, right) in [
            ("http://127.0.0.1:9101", "127.0.0.1:9101", true),
            ("https://LocalHost:9101", "localhost:9101", true),
            ("http://ops.localhost", "ops.localhost", true),
            ("http://[::1]:9101", "[::1]:9101", true),
            ("http://10.1.2.3:9101", "10.1.2.3:9101", true),
            ("http://evil.example", "127.0.0.1:9101", false),
            ("http://evil.example:9101", "evil.example:9101", false), // DNS rebinding
            ("http://127.0.0.1.evil.example", "127.0.0.1.evil.example", false),
            ("http://tickets.example", "Tickets.example", true),
            ("http://x.tickets.example", "x.tickets.example", false),
            ("http://localhost:3000", "localhost:9101", false),
            ("http://localhost", "localhost:9101", false),
            ("http://localhost:9101", "127.0.0.1:9101", false),
            ("http://evil@127.0.0.1:9101", "127.0.0.1:9101", false),
            ("null", "127.0.0.1:9101", false),
            ("null", "null", false),
            ("", "", false),
            ("http://", "", false),
            ("127.0.0.1:9101", "127.0.0.1:9101", false),
        ] {
            let headers = [("Origin", origin), ("Host", host)];
            for method in [Method::POST, Method::DELETE, Method::PUT, Method::PATCH] {
                assert_eq!(served(method.clone(), &headers), right, "{method} {origin:?} at {host:?}");
            }
            assert!(served(Method::GET, &headers));
        }
    }

    #[test]
    fn without_an_origin_any_host_is_right_and_two_of_a_header_never_are() {
        let (origin, host) = (("Origin", "http://127.0.0.1:1"), ("Host", "127.0.0.1:1"));
        assert!(served(Method::POST, &[("Host", "bookings-ops:9100")]) && served(Method::POST, &[]));
        assert!(served(Method::POST, &[origin, host]));
        assert!(!served(Method::POST, &[origin, origin, host]) && !served(Method::POST, &[origin, host, host]));
        assert!(!served(Method::POST, &[origin]));
    }
}
