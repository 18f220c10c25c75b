//! The subcommand `healthcheck`: asks `/readyz` of a running service. The process ends with 0 or 1.
//!
//! A container's health check runs a program of its image, and the images here hold only the service's binary, without a shell and
//! `curl`. One request over a TCP socket is enough, so no HTTP client is linked in.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// The longest wait for each step. It is longer than the slowest `/readyz`, which gives each of its two checks 2 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The most that is read of an answer. `/readyz` sends a few hundred bytes.
const ANSWER_MAX: u64 = 64 * 1024;

/// Why a service is not healthy.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// No answer.
    #[error("no answer from http://{0}/readyz: {1}")]
    Silent(SocketAddr, io::Error),
    /// An answer other than 200; the body says why.
    #[error("http://{0}/readyz says: {1}")]
    NotReady(SocketAddr, String),
}

/// Asks the ops port that listens on `ops`.
pub fn ask(ops: SocketAddr) -> Result<(), Unhealthy> {
    let target = reachable(ops);
    let answer = get_readyz(target).map_err(|cause| Unhealthy::Silent(target, cause))?;
    let status = answer.split_ascii_whitespace().nth(1);
    if status == Some("200") {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or(answer.as_str(), |(_, body)| body);
    Err(Unhealthy::NotReady(target, body.trim().to_owned()))
}

/// HTTP/1.0, so that the answer ends with the connection and is never in chunks.
fn get_readyz(target: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&target, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // In one write: if a server answered and closed after the first part, writing the second would fail.
    stream.write_all(format!("GET /readyz HTTP/1.0\r\nHost: {target}\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// How what listens on `address` is reached from this machine.
pub fn url(address: SocketAddr) -> String {
    format!("http://{}", reachable(address))
}

/// `0.0.0.0` means: on all addresses. One of them is this machine's own.
fn reachable(ops: SocketAddr) -> SocketAddr {
    let ip = match ops.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        reachable @ (IpAddr::V4(_) | IpAddr::V6(_)) => reachable,
    };
    SocketAddr::new(ip, ops.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Something that answers one request with `answer`.
    fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let read = stream.read(&mut asked).unwrap();
            assert!(asked[..read].starts_with(b"GET /readyz HTTP/1.0\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn a_service_that_listens_everywhere_is_asked_on_this_machine() {
        ask(server("HTTP/1.0 200 OK\r\n\r\n{}")).unwrap();
    }

    #[test]
    fn an_address_that_listens_everywhere_is_reached_at_home() {
        for (address, reached) in [
            ("127.0.0.1:8181", "http://127.0.0.1:8181"),
            ("0.0.0.0:8181", "http://127.0.0.1:8181"),
            ("[::]:8181", "http://[::1]:8181"),
            ("192.0.2.7:80", "http://192.0.2.7:80"),
        ] {
            assert_eq!(url(address.parse().unwrap()), reached);
        }
    }

    #[test]
    fn a_service_that_is_not_ready_says_why() {
        let message = ask(server("HTTP/1.0 503 Service Unavailable\r\n\r\n{\"ready\":false}")).unwrap_err().to_string();
        assert!(message.ends_with("says: {\"ready\":false}"), "{message}");
    }

    #[test]
    fn nobody_there_is_unhealthy() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(ask(free), Err(Unhealthy::Silent(..))));
    }
}
