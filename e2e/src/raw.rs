//! Requests byte by byte over TCP: what no HTTP client would send.

use std::{net::SocketAddr, time::Duration};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Answer;

/// How long an answer may take, also that to a slow body.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A request's bytes: head, `Content-Length` where there is a body, `Connection: close`.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = head(method, target, headers);
    if !body.is_empty() {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// The same with the body in chunks of `size` bytes and no length announced.
pub fn chunked(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = head(method, target, headers);
    bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    for piece in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// A head without the empty line that ends it.
pub fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.into_bytes()
}

/// Sends the bytes and reads until the server closes. `None` where it closed without an answer.
pub async fn send(to: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let stream = TcpStream::connect(to).await.expect("the server listens");
    let (mut reader, mut writer) = stream.into_split();
    // The server may answer and close before it has read everything: then writing fails, and the answer counts.
    let write = async {
        let _ = writer.write_all(bytes).await;
    };
    let read = async {
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer).await;
        answer
    };
    let both = async { tokio::join!(write, read).1 };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, both).await;
    read_answer(&answer.unwrap_or_else(|_| panic!("no end of the answer to {:?}", String::from_utf8_lossy(bytes))))
}

/// Reads an answer whose body ends with the connection.
pub fn read_answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).expect("heads are ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status is a number");
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        let name: HeaderName = name.parse().expect("a header name is a token");
        headers.append(name, HeaderValue::from_str(value.trim()).expect("a header value is text"));
    }
    Some(Answer { status, headers, body: bytes[end + 4..].to_vec() })
}
