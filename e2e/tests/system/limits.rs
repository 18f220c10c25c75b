//! Limits of size and time: what is too large is refused, and who is too slow is cut off.

use std::time::{Duration, Instant};

use e2e::{
    Answer, Api, SOON, System,
    api::send,
    eventually, raw, samples,
    server::{Plan, Server},
};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::steps::{bookings_of, seats};

const BODY_MAX: usize = 64 * 1024;

/// A booking, filled up with spaces to `size` bytes.
fn booking_of(size: usize) -> String {
    let booking = r#"{"seats": 1}"#;
    booking.to_owned() + &" ".repeat(size - booking.len())
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_a_413() {
    let system = System::start();
    let event = seats(&system, 100).await;
    let path = bookings_of(&event);
    let json = [("Content-Type", "application/json")];
    for (size, status) in [(BODY_MAX, 201), (BODY_MAX + 1, 413), (1 << 20, 413)] {
        let body = booking_of(size);
        let request = system.bookings.request(Method::POST, &path).header("Content-Type", "application/json");
        assert_eq!(send(request.body(body.clone())).await.status, status, "{size} bytes with their length");
        let chunked = raw::chunked("POST", &path, &json, body.as_bytes(), 8000);
        let answer = raw::send(system.bookings.address(), &chunked).await.unwrap();
        assert_eq!(answer.status, status, "{size} bytes in chunks");
    }
}

/// Sends `begin` and then one byte a second of `rest`, for as long as the server bears it. Says when it had enough, and
/// what it answered.
async fn one_byte_a_second(system: &System, begin: Vec<u8>, rest: u8) -> (Duration, Option<Answer>) {
    let stream = TcpStream::connect(system.bookings.address()).await.unwrap();
    let began = Instant::now();
    let (mut reader, mut writer) = stream.into_split();
    let write = async {
        writer.write_all(&begin).await.unwrap();
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if writer.write_all(&[rest]).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    let read = async {
        let _ = reader.read_to_end(&mut answer).await; // a reset is an end too
    };
    tokio::select! {
        () = write => {}
        () = read => {}
        () = tokio::time::sleep(Duration::from_secs(25)) => {}
    }
    (began.elapsed(), raw::read_answer(&answer))
}

fn slow(method: &str, path: &str) -> Vec<u8> {
    let head = String::from_utf8(raw::head(method, path, &[("Content-Type", "application/json")])).unwrap();
    let head = head.replace("Connection: close\r\n", "");
    format!("{head}Content-Length: 1000\r\n\r\n{{").into_bytes()
}

/// The same request with a body in chunks, of which the first one comes slowly.
fn in_chunks(request: Vec<u8>) -> Vec<u8> {
    let request = String::from_utf8(request).unwrap();
    request.replace("Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n400\r\n").into_bytes()
}

#[tokio::test]
async fn a_client_that_sends_one_byte_a_second_is_cut_off_in_head_and_body() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let before = system.bookings_ops.metrics().await;
    let head = one_byte_a_second(&system, b"GET /events".to_vec(), b'x');
    let headers = one_byte_a_second(&system, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_vec(), b'x');
    let booking = one_byte_a_second(&system, slow("POST", &bookings_of(&event)), b' ');
    let chunks = one_byte_a_second(&system, in_chunks(slow("POST", &bookings_of(&event))), b' ');
    // A body that nobody reads must not hold the connection either.
    let unread = one_byte_a_second(&system, slow("GET", &format!("/events/{event}")), b' ');
    let nowhere = one_byte_a_second(&system, slow("POST", "/nowhere"), b' ');
    let method = one_byte_a_second(&system, slow("PUT", &bookings_of(&event)), b' ');
    let cancelled = one_byte_a_second(&system, slow("DELETE", &format!("/bookings/{}", samples::NOBODY)), b' ');
    let unread_chunks = one_byte_a_second(&system, in_chunks(slow("GET", &format!("/events/{event}"))), b' ');
    let (head, headers, booking, chunks, unread, nowhere, method, cancelled, unread_chunks) =
        tokio::join!(head, headers, booking, chunks, unread, nowhere, method, cancelled, unread_chunks);
    for (took, answer) in [&head, &headers] {
        assert!((4..9).contains(&took.as_secs()), "a slow head: {took:?}");
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 408), "{answer:?}");
    }
    for (took, answer) in [&booking, &chunks] {
        assert!((9..14).contains(&took.as_secs()), "a slow body: {took:?} {answer:?}");
        answer.as_ref().unwrap().problem(408, "request-timeout");
    }
    for ((took, answer), status) in
        [(&unread, 200), (&unread_chunks, 200), (&nowhere, 404), (&method, 405), (&cancelled, 404)]
    {
        assert!(took.as_secs() < 14, "a slow body that nobody reads ({status}): {took:?} {answer:?}");
        assert_eq!(answer.as_ref().unwrap().status, status);
    }
    eventually(SOON, "the timeouts are counted", || async {
        let now = system.bookings_ops.metrics().await;
        (now.grew(&before, "myevents_http_rejected_total", &[("reason", "timeout")]) > 1.5).then_some(())
    })
    .await;
}

/// Asks once, reads the answer, and then sends the next head one byte a second, or one byte and nothing more.
async fn a_slow_second_head(api: &Api, then_silent: bool) -> Duration {
    let mut stream = TcpStream::connect(api.address()).await.unwrap();
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 4096];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    let began = Instant::now();
    let (mut reader, mut writer) = stream.into_split();
    let write = async {
        while writer.write_all(b"G").await.is_ok() && !then_silent {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut rest = Vec::new();
    let read = async {
        let _ = reader.read_to_end(&mut rest).await; // a reset is an end too
    };
    tokio::select! {
        () = write => {}
        () = read => {}
        () = tokio::time::sleep(Duration::from_secs(25)) => {}
    }
    began.elapsed()
}

#[tokio::test]
async fn a_slow_second_head_is_cut_off_like_a_first_one() {
    let system = System::start();
    let (rest, ops) = (&system.bookings, &system.bookings_ops);
    let (rest_silent, rest_slow, ops_silent, ops_slow) = tokio::join!(
        a_slow_second_head(rest, true),
        a_slow_second_head(rest, false),
        a_slow_second_head(ops, true),
        a_slow_second_head(ops, false),
    );
    for took in [rest_silent, rest_slow] {
        assert!((4..9).contains(&took.as_secs()), "{took:?}");
    }
    for took in [ops_silent, ops_slow] {
        assert!((1..6).contains(&took.as_secs()), "at the ops port: {took:?}");
    }
}

#[tokio::test]
async fn clients_with_endless_bodies_do_not_block_the_ops_port() {
    let system = System::start();
    let mut blockers = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(system.bookings_ops.address()).await.unwrap();
        blockers.push(tokio::spawn(async move {
            let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }));
    }
    let answer = tokio::time::timeout(Duration::from_secs(15), system.bookings_ops.get("/livez")).await;
    assert_eq!(answer.expect("the port is blocked").status, 200);
    blockers.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_request_behind_a_body_that_nobody_reads_is_answered() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let path = bookings_of(&event);
    let request = |method: &str, path: &str| {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
        format!("{head}Content-Length: 12\r\n\r\n{{\"seats\": 1}}")
    };
    let both = request("PUT", &format!("/events/{event}")) + &request("POST", &path);
    let mut stream = TcpStream::connect(system.bookings.address()).await.unwrap();
    stream.write_all(both.as_bytes()).await.unwrap();
    let mut answers = String::new();
    while answers.matches("HTTP/1.1").count() < 2 {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.unwrap();
        assert!(length > 0, "closed behind {answers}");
        answers.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    let (first, second) = answers.split_at(answers.rfind("HTTP/1.1").unwrap());
    assert!(first.starts_with("HTTP/1.1 405") && !first.contains("connection: close"), "{answers}");
    assert!(second.starts_with("HTTP/1.1 201"), "{answers}");
}

#[tokio::test]
async fn idle_connections_do_not_keep_a_new_client_out() {
    let folder = tempfile::tempdir().unwrap();
    let limited = ["sh", "-c", "ulimit -n 300 && exec \"$@\"", "sh"].map(str::to_owned).to_vec();
    let server = Server::start(folder.path(), &Plan { under: limited, ..Plan::default() }).expect("it starts");
    let mut idle = Vec::new();
    let waited = loop {
        let mut stream = TcpStream::connect(server.bookings().address()).await.unwrap();
        stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let began = Instant::now();
        let answered = tokio::time::timeout(Duration::from_secs(25), stream.read(&mut [0; 4096])).await;
        assert!(answered.expect("it is kept out").unwrap() > 0);
        if began.elapsed() > Duration::from_secs(1) {
            break began.elapsed(); // all places were taken
        }
        idle.push(stream);
        assert!(idle.len() < 200, "300 files have no place for so many connections");
    };
    assert!(waited < Duration::from_secs(15), "{waited:?}");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_keep_alive_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let env = vec![("KEEP_ALIVE_TIMEOUT", "6".to_owned())];
    let server = Server::start(folder.path(), &Plan { env, ..Plan::default() }).expect("it starts");
    for api in [server.events(), server.bookings()] {
        let mut stream = TcpStream::connect(api.address()).await.unwrap();
        stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let (began, mut answer) = (Instant::now(), Vec::new());
        let _ = stream.read_to_end(&mut answer).await; // a reset is an end too
        assert!(answer.starts_with(b"HTTP/1.1 404") && (6..11).contains(&began.elapsed().as_secs()), "{began:?}");
    }
}
