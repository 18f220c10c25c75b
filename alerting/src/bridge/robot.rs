//! The robot at the other end: one message is one request, and its answer says what became of it.
//!
//! The URL holds the robot's token and our signature, so it is in no error and no log: what is told of a failure is made
//! here, of words of our own and of the robot's, with the token taken out. For the same reason there is no HTTP client
//! around it that would put the URL into its errors.

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
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use super::outcome::{Failure, Outcome};
use crate::dingtalk::sign;

/// Alertmanager gives a notification at least 10 s.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The answer is an errcode and a few words.
const ANSWER_MAX: usize = 64 * 1024;

/// Longer words of the robot's are cut, in characters.
const SAID_MAX: usize = 200;

/// A robot, and how to speak to it.
pub struct Robot {
    url: Url,
    secret: Option<Secret>,
    tls: Option<TlsConnector>,
    timeout: Duration,
}

/// A robot's URL, taken apart.
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
    /// Reads whom to trust, where it is asked over TLS.
    pub(super) fn new(url: Url, secret: Option<Secret>) -> anyhow::Result<Self> {
        let tls = url.secure.then(trust).transpose()?;
        Ok(Self { url, secret, tls, timeout: ANSWER_TIMEOUT })
    }

    /// With another timeout than the usual one.
    #[cfg(test)]
    pub(super) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends a message; tells what became of it.
    pub(super) async fn send(&self, message: String) -> Outcome {
        match timeout(self.timeout, self.exchange(message)).await {
            Ok(Ok((status, body))) => self.understood(status, &body),
            Ok(Err(cause)) => Outcome::failed(Failure::Network, format!("it cannot be reached: {cause}")),
            Err(_) => Outcome::failed(Failure::Timeout, format!("it did not answer within {:?}", self.timeout)),
        }
    }

    async fn exchange(&self, message: String) -> io::Result<(u16, Bytes)> {
        let stream = TokioIo::new(self.connect().await?);
        let (mut open, connection) = handshake(stream).await.map_err(io::Error::other)?;
        // It ends when this exchange does; what goes wrong in it is told to the exchange.
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

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.url.host.as_str(), self.url.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(self.url.host.clone()).map_err(io::Error::other)?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }

    fn signed_path(&self) -> String {
        let path = &self.url.path;
        let Some(secret) = &self.secret else { return path.clone() };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let timestamp = since.as_millis().to_string();
        // Of the characters of base64, these three mean something else in a URL.
        let sign = sign(secret.reveal(), &timestamp).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("{path}&timestamp={timestamp}&sign={sign}")
    }

    fn understood(&self, status: u16, body: &[u8]) -> Outcome {
        #[derive(Deserialize)]
        struct Answer {
            errcode: i64,
            #[serde(default)]
            errmsg: String,
        }
        let said = |text: &str| {
            let text: String = text.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect();
            text.replace(&self.url.token, "***")
        };
        match serde_json::from_slice::<Answer>(body) {
            Ok(answer) if (200..300).contains(&status) => Outcome::of(answer.errcode, said(&answer.errmsg)),
            // Somebody between us and the robot answers, or the robot in a way that is in no table.
            Ok(_) | Err(_) => {
                let detail = format!("HTTP {status}: {}", said(&String::from_utf8_lossy(body)));
                let again = !(400..500).contains(&status) || status == 408 || status == 429;
                Outcome::failed(if again { Failure::Unclear } else { Failure::Refused }, detail)
            }
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

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
    fn what_the_robot_says_is_told_without_the_token() {
        let robot = Robot::new(Url::parse("http://h/robot/send?access_token=hunter2").unwrap(), None).unwrap();
        let outcome = robot.understood(200, br#"{"errcode":300001,"errmsg":"token hunter2 is not exist"}"#);
        assert_eq!(outcome.label(), "token");
        let told = format!("{outcome:?} {robot:?}");
        assert!(!told.contains("hunter2") && told.contains("***"), "{told}");
        for (status, body, again) in [(502, "bad gateway", true), (404, "", false), (200, r#"{"status":1111}"#, true)] {
            let outcome = robot.understood(status, body.as_bytes());
            assert_eq!((outcome.label(), outcome.worth_a_retry()), ("error", again), "{status}");
        }
    }
}
