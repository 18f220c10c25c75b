//! A connection that is kept: made when it is needed, made again when it is lost, then to the next replica.

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header::{CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use super::{job::Job, target::Target};

/// A request without an answer is given up after so long. The services give up a wait of their own after 5 s.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that is not there after so long will not be.
const CONNECT: Duration = Duration::from_secs(5);

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not sent.
    Away(io::Error),
    /// It was sent: what became of it is not known.
    Unanswered,
}

pub(super) struct Connection {
    /// The replicas.
    targets: Vec<Target>,
    /// The one that is asked.
    target: usize,
    open: Option<SendRequest<Full<Bytes>>>,
    /// Whether the last exchange had to connect.
    pub(super) is_new: bool,
}

impl Connection {
    /// The client of this number begins with that replica, so that each has its share.
    pub(super) fn new(targets: Vec<Target>, number: u32) -> Self {
        let target = number as usize % targets.len();
        Self { targets, target, open: None, is_new: false }
    }

    fn target(&self) -> &Target {
        &self.targets[self.target]
    }

    /// Sends it and waits for the answer. Where none comes, the next exchange is with the next replica.
    pub(super) async fn exchange(&mut self, job: &Job) -> Result<Answer, Failure> {
        let exchanged = self.try_exchange(job).await;
        if exchanged.is_err() {
            self.target = (self.target + 1) % self.targets.len();
        }
        exchanged
    }

    async fn try_exchange(&mut self, job: &Job) -> Result<Answer, Failure> {
        self.is_new = false;
        let mut request = self.request(job);
        loop {
            let mut open = match self.open.take() {
                Some(open) if open.is_ready() => open,
                // Not yet connected, or the server has closed it meanwhile, which it may.
                _ => {
                    self.is_new = true;
                    self.connect().await.map_err(Failure::Away)?
                }
            };
            let exchanged = timeout(PATIENCE, async {
                let response = open.try_send_request(request).await.map_err(|mut cause| cause.take_message())?;
                let status = response.status();
                let body = response.into_body().collect().await.map_err(|_| None)?.to_bytes();
                Ok(Answer { status, body })
            });
            match exchanged.await {
                Ok(Ok(answer)) => {
                    self.open = Some(open);
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
        let stream = timeout(CONNECT, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        let (mut open, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // It ends with an error when the connection is lost; whoever waits for an answer hears of it.
        tokio::spawn(async move { drop(connection.await) });
        open.ready().await.map_err(io::Error::other)?;
        Ok(open)
    }

    fn request(&self, job: &Job) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(job.body.clone().unwrap_or_default()));
        *request.method_mut() = job.method.clone();
        let Target { base, authority, .. } = self.target();
        let path = if base.is_empty() { job.path.clone() } else { base.clone() + &job.path };
        *request.uri_mut() = path.parse().expect("it is made of ids and of what stands in this program");
        let headers = request.headers_mut();
        headers.insert(HOST, authority.clone());
        if job.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(key) = &job.key {
            headers.insert("idempotency-key", HeaderValue::from_str(key).expect("a key is ASCII"));
        }
        request
    }
}
