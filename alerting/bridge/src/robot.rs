//! The client of the robot: one request for each message, and its answer gives the [`Outcome`].
//!
//! The URL holds the robot's token and a signature, so no error and no log line may show it. The text of a failure is made here, from
//! fixed texts and from the robot's answer, in which the token is masked. Most HTTP clients put the URL into their errors, so plain
//! hyper is used.

use std::{
    fmt, io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Uri,
    client::conn::http1::handshake,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use process::secret::Secret;
use serde::Deserialize;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use tokio_util::either::Either;

use super::outcome::{Failure, Outcome};
use alerts::dingtalk::sign;

/// The longest wait for the robot's answer. Alertmanager waits at least 10 s for ours.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The most that is read of an answer, which is an errcode and a short text.
const ANSWER_MAX: usize = 64 * 1024;

/// The longest text of the robot that is shown, in characters.
const ERRMSG_MAX: usize = 200;

/// A robot, and how to reach it.
pub struct Robot {
    url: Url,
    secret: Option<Secret>,
    tls: Option<TlsConnector>,
    /// How long to wait for its answer.
    pub(super) timeout: Duration,
}

/// A robot's URL, in parts.
pub(super) struct Url {
    host: String,
    port: u16,
    secure: bool,
    authority: String,
    /// With the token.
    path: String,
    token: String,
}

impl fmt::Debug for Robot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the robot at {}", self.url.authority)
    }
}

impl Url {
    /// `https://HOST/robot/send?access_token=…`, or with `http`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let (secure, usual) = match uri.scheme_str()? {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = match authority.as_str().strip_prefix(authority.host())?.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None => usual,
        };
        let token = uri.query()?.split('&').find_map(|one| one.strip_prefix("access_token="))?;
        let (host, path) = (authority.host().trim_matches(['[', ']']), uri.path_and_query()?.as_str());
        (!token.is_empty() && !host.is_empty()).then(|| Self {
            host: host.to_owned(),
            port,
            secure,
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
            token: token.to_owned(),
        })
    }
}

impl Robot {
    /// Reads the trusted certificate authorities, if the URL is an `https` one.
    pub(super) fn new(url: Url, secret: Option<Secret>) -> anyhow::Result<Self> {
        let tls = url.secure.then(trust).transpose()?;
        Ok(Self { url, secret, tls, timeout: ANSWER_TIMEOUT })
    }

    /// Sends a message.
    pub(super) async fn send(&self, message: String) -> Outcome {
        match timeout(self.timeout, self.exchange(message)).await {
            Ok(Ok((status, body))) => self.outcome_of(status, &body),
            Ok(Err(cause)) => Outcome::failed(Failure::Network, format!("it cannot be reached: {cause}")),
            Err(_) => Outcome::failed(Failure::Timeout, format!("it did not answer within {:?}", self.timeout)),
        }
    }

    async fn exchange(&self, message: String) -> io::Result<(u16, Bytes)> {
        let stream = TokioIo::new(self.connect().await?);
        let (mut open, connection) = handshake(stream).await.map_err(io::Error::other)?;
        // The task of the connection ends with this exchange, which gets its errors, too.
        let connection = tokio::spawn(async move { drop(connection.await) });
        let path = self.signed_path();
        let request = Request::post(path).header(HOST, &self.url.authority).header(CONTENT_TYPE, "application/json");
        let request =
            request.body(Full::<Bytes>::from(message)).map_err(|_| io::Error::other("the URL cannot be used"))?;
        let answer = open.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await.map_err(io::Error::other)?;
        connection.abort();
        Ok((status, body.to_bytes()))
    }

    async fn connect(&self) -> io::Result<Either<TcpStream, TlsStream<TcpStream>>> {
        let stream = TcpStream::connect((self.url.host.as_str(), self.url.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Either::Left(stream)) };
        let name = ServerName::try_from(self.url.host.clone()).map_err(io::Error::other)?;
        Ok(Either::Right(tls.connect(name, stream).await?))
    }

    fn signed_path(&self) -> String {
        let path = &self.url.path;
        let Some(secret) = &self.secret else { return path.clone() };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let timestamp = since.as_millis().to_string();
        // These three characters of base64 have another meaning in a URL.
        let sign = sign(secret.reveal(), &timestamp).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("{path}&timestamp={timestamp}&sign={sign}")
    }

    fn outcome_of(&self, status: u16, body: &[u8]) -> Outcome {
        #[derive(Deserialize)]
        struct Answer {
            errcode: i64,
            #[serde(default)]
            errmsg: String,
        }
        let shown = |text: &str| {
            let text: String = text.chars().filter(|c| !c.is_control()).take(ERRMSG_MAX).collect();
            text.replace(&self.url.token, "***")
        };
        match serde_json::from_slice::<Answer>(body) {
            Ok(answer) if (200..300).contains(&status) => Outcome::of(answer.errcode, shown(&answer.errmsg)),
            // The answer is that of a proxy, or one of the robot's that is in no table.
            Ok(_) | Err(_) => {
                let detail = format!("HTTP {status}: {}", shown(&String::from_utf8_lossy(body)));
                let again = !(400..500).contains(&status) || status == 408 || status == 429;
                Outcome::failed(if again { Failure::Unclear } else { Failure::Refused }, detail)
            }
        }
    }
}

/// The certificate authorities of the machine, or of the file that `SSL_CERT_FILE` names.
fn trust() -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    anyhow::ensure!(!roots.is_empty(), "no certificate authority is found to trust: name a file in SSL_CERT_FILE");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_one_without_a_token_is_refused() {
        let url = Url::parse("https://oapi.dingtalk.com/robot/send?access_token=abc").unwrap();
        assert_eq!(
            (url.host.as_str(), url.port, url.secure, url.token.as_str()),
            ("oapi.dingtalk.com", 443, true, "abc")
        );
        let url = Url::parse("http://[::1]:8026/robot/send?access_token=dev").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.authority.as_str()), ("::1", 8026, "[::1]:8026"));
        for text in [
            "",
            "oapi.dingtalk.com",
            "https://h/robot/send",
            "https://h/?access_token=",
            "ftp://h/?access_token=a",
            "https://u:p@h/?access_token=a",
            "https://h:0/?access_token=a",
        ] {
            assert!(Url::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_answer_of_the_robot_is_shown_without_the_token() {
        let robot = Robot::new(Url::parse("http://h/robot/send?access_token=hunter2").unwrap(), None).unwrap();
        let outcome = robot.outcome_of(200, br#"{"errcode":300001,"errmsg":"token hunter2 is not exist"}"#);
        assert_eq!(outcome.label(), "token");
        let text = format!("{outcome:?} {robot:?}");
        assert!(!text.contains("hunter2") && text.contains("***"), "{text}");
        for (status, body, again) in [(502, "bad gateway", true), (404, "", false), (200, r#"{"status":1111}"#, true)] {
            let outcome = robot.outcome_of(status, body.as_bytes());
            assert_eq!((outcome.label(), outcome.worth_a_retry()), ("error", again), "{status}");
        }
    }
}
