//! A connection that is kept: made when it is needed, made again when it is lost, then to the next replica.

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::urls::Target;

/// A connection that is not there after so long will not be.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was idle for longer is not used again: the server may close it at that very moment, and then nobody knows what
/// became of the request. No port closes one before 2 s, which is what an ops port does while it has many connections.
const IDLE_MAX: Duration = Duration::from_millis(1500);

/// What is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path with its query, as it stands behind the URL of the service.
    pub path: String,
    /// What is sent with it.
    pub body: Option<Bytes>,
    /// What the body is.
    pub content_type: &'static str,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
}

impl Request {
    /// A `GET`; others are made of it.
    pub fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None, content_type: "application/json", key: None }
    }

    /// A `DELETE`.
    pub fn delete(path: String) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// A `POST` of JSON.
    pub fn post(path: String, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: Some(body.into()), ..Self::get(path) }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was not sent.
    #[error("{0}")]
    Away(io::Error),
    /// It was sent: what became of it is not known.
    #[error("the connection was lost, or the time was over")]
    Unanswered,
}

/// A connection to one service.
pub struct Connection {
    /// The replicas.
    targets: Vec<Target>,
    /// The one that is asked.
    target: usize,
    /// A request without an answer is given up after so long.
    timeout: Duration,
    /// Since the last answer.
    open: Option<(Instant, SendRequest<Full<Bytes>>)>,
    idle_max: Duration,
    /// Whether the last exchange had to connect.
    pub is_new: bool,
}

impl Connection {
    /// The client of this number begins with that replica, so that each has its share.
    pub fn new(targets: Vec<Target>, number: u32, timeout: Duration) -> Self {
        let target = number as usize % targets.len();
        Self { targets, target, timeout, open: None, idle_max: IDLE_MAX, is_new: false }
    }

    /// How many replicas there are.
    pub fn replicas(&self) -> usize {
        self.targets.len()
    }

    /// The replica that is asked next.
    pub fn target(&self) -> &Target {
        &self.targets[self.target]
    }

    /// Sends it and waits for the answer. Where none comes, the next exchange is with the next replica.
    pub async fn exchange(&mut self, request: &Request) -> Result<Answer, Failure> {
        let exchanged = self.try_exchange(request).await;
        if exchanged.is_err() {
            self.target = (self.target + 1) % self.targets.len();
        }
        exchanged
    }

    async fn try_exchange(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.is_new = false;
        let mut request = self.http(request).map_err(Failure::Away)?;
        loop {
            let mut open = match self.open.take() {
                Some((since, open)) if open.is_ready() && since.elapsed() < self.idle_max => open,
                // Not yet connected, or the server has closed it meanwhile, which it may.
                _ => {
                    self.is_new = true;
                    self.connect().await.map_err(Failure::Away)?
                }
            };
            let exchanged = timeout(self.timeout, async {
                let response = open.try_send_request(request).await.map_err(|mut cause| cause.take_message())?;
                let (head, body) = response.into_parts();
                let body = body.collect().await.map_err(|_| None)?.to_bytes();
                Ok(Answer { status: head.status, headers: head.headers, body })
            });
            match exchanged.await {
                Ok(Ok(answer)) => {
                    self.open = Some((Instant::now(), open));
                    return Ok(answer);
                }
                // It is given back only where no byte of it was sent.
                Ok(Err(Some(unsent))) if !self.is_new => request = unsent,
                Ok(Err(Some(_))) => return Err(Failure::Away(io::ErrorKind::ConnectionReset.into())),
                Ok(Err(None)) | Err(_) => return Err(Failure::Unanswered),
            }
        }
    }

    async fn connect(&self) -> io::Result<SendRequest<Full<Bytes>>> {
        let connecting = TcpStream::connect((self.target().host.as_str(), self.target().port));
        let stream = timeout(CONNECT_TIMEOUT.min(self.timeout), connecting)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        let (mut open, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends with an error when the connection is lost; a request that waits gets an error.
        tokio::spawn(async move { drop(connection.await) });
        open.ready().await.map_err(io::Error::other)?;
        Ok(open)
    }

    fn http(&self, asked: &Request) -> io::Result<hyper::Request<Full<Bytes>>> {
        let mut request = hyper::Request::new(Full::new(asked.body.clone().unwrap_or_default()));
        *request.method_mut() = asked.method.clone();
        let Target { base, authority, .. } = self.target();
        let path = if base.is_empty() { asked.path.clone() } else { base.clone() + &asked.path };
        *request.uri_mut() = path.parse().map_err(|cause| io::Error::new(io::ErrorKind::InvalidInput, cause))?;
        let headers = request.headers_mut();
        headers.insert(HOST, authority.clone());
        if asked.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(asked.content_type));
        }
        if let Some(key) = &asked.key {
            headers.insert("idempotency-key", HeaderValue::from_str(key).expect("a key is ASCII"));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn a_connection_is_used_again_unless_it_was_idle_for_long() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    while stream.read(&mut [0; 4096]).await.unwrap() > 0 {
                        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                    }
                });
            }
        });
        let mut connection = Connection::new(vec![target], 0, Duration::from_secs(10));
        for (idle_max, is_new) in [(IDLE_MAX, true), (IDLE_MAX, false), (Duration::ZERO, true), (IDLE_MAX, false)] {
            connection.idle_max = idle_max;
            connection.exchange(&Request::get("/".into())).await.unwrap();
            assert_eq!(connection.is_new, is_new, "{idle_max:?}");
        }
    }
}
