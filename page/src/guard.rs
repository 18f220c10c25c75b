//! What keeps pages of others away: every request must be for a name that is known to be ours, and one that changes something must come
//! from this page itself and be JSON.
//!
//! A page of another site can be looked at in the same browser, and its name can lead to this port (DNS rebinding); then it could read all
//! that is here as if it were its own. The browser tells the name in `Host`, so names that nobody has allowed get no answer.

use std::{net::IpAddr, rc::Rc};

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
        uri::Authority,
    },
    middleware::Next,
};
use webserver::problem::Problem;

/// Nothing from outside, and no script or style that stands in the page itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every answer says to the browser.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The middleware.
pub(crate) async fn guard(
    hosts: Rc<Vec<String>>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let mut response = match check(&hosts, &request) {
        Ok(()) => next.call(request).await?,
        Err(problem) => {
            let answer = problem.error_response();
            request.into_response(answer)
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // What is answered here is of this moment; the files of the page say otherwise themselves.
    if !response.headers().contains_key(header::CACHE_CONTROL) {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

fn check(hosts: &[String], request: &ServiceRequest) -> Result<(), Problem> {
    let only = |name| {
        let mut values = request.headers().get_all(name);
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    };
    // A request may name the host in its first line as well, and that counts (RFC 9112, 3.2.2).
    let named = request.uri().authority().is_none_or(|named| is_ours(named.as_str(), hosts));
    let host = only(header::HOST).filter(|host| named && is_ours(host, hosts));
    let Some(host) = host else {
        let detail = "Host: this page answers under localhost, an address of this machine's own like 127.0.0.1, and the names in \
                      PAGE_HOSTS";
        let title = "The page is not known under this name";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown-host", title, detail));
    };
    // Another page may lead here by a link. It cannot read an answer, but it could hold a stream, or have the services asked.
    let site = only(HeaderName::from_static("sec-fetch-site")).unwrap_or("none");
    if request.path().starts_with("/api/") && !matches!(site, "same-origin" | "none") {
        return Err(foreign());
    }
    if request.method().is_safe() {
        return Ok(());
    }
    // The scheme may be another one behind a proxy; the name and the port may not.
    let site = only(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    if !site.is_some_and(|(_, site)| site.eq_ignore_ascii_case(host)) {
        return Err(foreign());
    }
    if request.method() != Method::DELETE && !request.content_type().eq_ignore_ascii_case("application/json") {
        let title = "The body is of a type that is not read here";
        let detail = "Content-Type: it must be application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", title, detail));
    }
    Ok(())
}

fn foreign() -> Problem {
    let detail = "Origin: only this page itself may ask here; programs use the services' own ports";
    Problem::new(StatusCode::FORBIDDEN, "foreign-origin", "The request does not come from this page", detail)
}

/// A loopback name, or one of `hosts`; with any port.
fn is_ours(host: &str, hosts: &[String]) -> bool {
    let Ok(host) = host.to_ascii_lowercase().parse::<Authority>() else { return false };
    if host.as_str().contains('@') {
        return false;
    }
    let name = host.host().trim_end_matches('.');
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
        || hosts.iter().any(|ours| ours == name)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn served(method: Method, headers: &[(&'static str, &str)]) -> bool {
        let request = TestRequest::default().method(method);
        let request = headers.iter().fold(request, |request, header| request.append_header(*header));
        check(&["tickets.example".to_owned()], &request.to_srv_request()).is_ok()
    }

    #[test]
    fn only_names_that_are_ours_are_answered() {
        for (host, right) in [
            ("127.0.0.1:8383", true),
            ("127.8.0.1", true),
            ("localhost:1", true),
            ("LocalHost", true),
            ("localhost.", true),
            ("page.localhost:8383", true),
            ("[::1]:8383", true),
            ("tickets.example", true),
            ("Tickets.Example:443", true),
            ("evil.example:8383", false), // DNS rebinding
            ("192.168.0.4:8383", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("x.tickets.example", false),
            ("evil@localhost", false),
            ("", false),
        ] {
            assert_eq!(served(Method::GET, &[("Host", host)]), right, "{host:?}");
        }
        assert!(!served(Method::GET, &[]), "no Host at all");
        assert!(!served(Method::GET, &[("Host", "localhost"), ("Host", "localhost")]), "two of them");
    }

    #[test]
    fn another_page_may_link_here_and_no_more() {
        for (path, site, right) in [
            ("/trace/x", "cross-site", true),
            ("/api/stream", "cross-site", false),
            ("/api/events", "same-site", false),
            ("/api/events", "same-origin", true),
            ("/api/events", "none", true),
        ] {
            let request = TestRequest::with_uri(path).insert_header(("Host", "localhost"));
            let request = request.insert_header(("Sec-Fetch-Site", site)).to_srv_request();
            assert_eq!(check(&[], &request).is_ok(), right, "{path} {site}");
        }
    }

    #[test]
    fn a_change_comes_from_this_page_and_is_json() {
        let (host, json) = (("Host", "localhost:8383"), ("Content-Type", "application/json; charset=utf-8"));
        let ours = ("Origin", "http://localhost:8383");
        assert!(served(Method::POST, &[host, ours, json]));
        assert!(served(Method::DELETE, &[host, ours]));
        for origin in ["http://evil.example", "http://localhost", "http://127.0.0.1:8383", "null", ""] {
            assert!(!served(Method::POST, &[host, ("Origin", origin), json]), "{origin:?}");
            assert!(!served(Method::DELETE, &[host, ("Origin", origin)]), "{origin:?}");
        }
        assert!(!served(Method::POST, &[host, json]), "no Origin");
        assert!(!served(Method::POST, &[host, ours, ours, json]), "two of them");
        assert!(!served(Method::POST, &[host, ours, ("Content-Type", "text/plain")]), "what a form can send");
        assert!(!served(Method::POST, &[host, ours]));
    }
}
