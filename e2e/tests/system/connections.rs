//! What becomes of a connection after an answer: it is kept, or the answer says that it is not.

use std::{net::SocketAddr, time::Duration};

use e2e::{System, samples};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::steps::seats;

/// What came back on one connection for requests that were sent one after the other: each answer's text, and whether the connection was
/// still open behind it.
async fn answers(system: &System, requests: &[String]) -> Vec<(String, bool)> {
    answers_of(system.bookings.address(), requests).await
}

async fn answers_of(server: SocketAddr, requests: &[String]) -> Vec<(String, bool)> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let mut all = Vec::new();
    for request in requests {
        for piece in request.split('|') {
            stream.write_all(piece.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(if request.contains('|') { 50 } else { 0 })).await;
        }
        let (mut text, mut is_open) = (String::new(), true);
        let mut piece = [0; 4096];
        // An answer is in one packet here; what comes within this time is the end of the connection.
        let mut wait = Duration::from_secs(10);
        while let Ok(read) = timeout(wait, stream.read(&mut piece)).await {
            match read {
                Ok(length) if length > 0 => text.push_str(std::str::from_utf8(&piece[..length]).unwrap()),
                Ok(_) | Err(_) => {
                    is_open = false;
                    break;
                }
            }
            // Where a body was not read to its end, the connection is closed after a second.
            wait = Duration::from_millis(if text.contains("connection: close") { 3000 } else { 300 });
        }
        all.push((text, is_open));
        if !is_open {
            break;
        }
    }
    all
}

/// A booking of one seat, by a client that offers something else than HTTP/1.1. `|` is where a packet ends.
fn offering(event: &str, headers: &str) -> String {
    let head = format!("POST /events/{event}/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    format!("{head}Content-Length: 12\r\n{headers}\r\n{{\"seats\": 1}}")
}

#[tokio::test]
async fn an_offer_to_change_the_protocol_is_ignored_and_the_connection_is_kept() {
    let system = System::start();
    let event = seats(&system, 100).await;
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n";
    for headers in [
        h2c,
        "connection: keep-alive, uPGRADE\r\nupgrade: H2C\r\n",
        "Connection: HTTP2-Settings , upgrade ,TE\r\nTE: trailers\r\nUpgrade: h2c\r\n",
        "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: h2c\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Upgrade: websocket\r\n",
        "Upgrade: TLS/1.0, IRC/6.9\r\nConnection:\tUpgrade\r\n",
        "Upgrade-Insecure-Requests: 1\r\nConnection: keep-alive\r\n",
        "Expect: 100-continue\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
        // The head may come in several packets.
        "Connection: Upg|rade, HTTP2-Settings\r\nUp|grade: h2|c\r\n",
        "Connection: Upgrade|, HTTP2-Settings\r\nUpgrade|: h2c\r|\n",
        "Conn|ection: Upgrade\r\n|Upgrade:| webs|ocket\r\n",
    ] {
        let twice = [offering(&event, headers), offering(&event, headers)];
        let got = answers(&system, &twice).await;
        for (answer, is_open) in &got {
            assert!(answer.contains("HTTP/1.1 201") && *is_open, "{headers:?}: {got:?}");
            assert!(!answer.to_lowercase().contains("\r\nconnection:"), "{headers:?}: {got:?}");
        }
        assert_eq!(got.len(), 2, "{headers:?}: {got:?}");
    }
}

#[tokio::test]
async fn what_looks_like_an_offer_elsewhere_is_left_alone() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let (user, key) = ("Connection: Upgrade", samples::unique("upgrade").replace(' ', "-"));
    let body = format!("{{\"seats\": 1,\r\n \"user_id\":\r\n\"{user}\"}}");
    for packet in ["", "|"] {
        let head = format!("POST /events/{event}/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
        let key = format!("Idempotency-Key: {key}\r\nX-Request-Id: connection:upgrade\r\nUpgrade: h2c\r\n");
        let length = format!("Content-Length: {}\r\nConnection: Upgrade\r\n\r\n", body.len());
        let got = answers(&system, &[format!("{head}{key}{length}{packet}{body}")]).await;
        assert!(got[0].0.contains(user) && got[0].0.contains("x-request-id: connection:upgrade"), "{got:?}");
    }
}

#[tokio::test]
async fn an_answer_after_which_the_connection_ends_says_so() {
    let system = System::start();
    let event = seats(&system, 100).await;
    let get = |version: &str, headers: &str| format!("GET /events/{event} HTTP/{version}\r\nHost: x\r\n{headers}\r\n");
    let offer = "Connection: Upgrade\r\nUpgrade: h2c\r\n";
    for (request, is_kept) in [
        (get("1.1", ""), true),
        (get("1.1", "Connection: TE\r\n"), true),
        (get("1.1", "Content-Length: 0\r\n"), true),
        (get("1.1", "Content-Length: 3\r\n") + "abc", true),
        (get("1.1", "Content-Length: 3\r\n"), false),
        (get("1.1", "Transfer-Encoding: chunked\r\n"), false),
        (get("1.1", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", true),
        (get("1.1", "Connection: close\r\n"), false),
        (get("1.1", "Connection: Close, Upgrade\r\n"), false),
        (get("1.1", "Connection: Upgrade, CLOSE\r\nUpgrade: h2c\r\n"), false),
        (get("1.1", offer) + &get("1.1", offer), true),
        (get("1.0", "Connection: Keep-Alive\r\n"), true),
        (get("1.0", "Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n"), true),
        (get("1.0", "Connection: Upgrade\r\nUpgrade: h2c\r\n"), false),
        (get("1.0", ""), false),
        (offering(&event, "Connection: close\r\n"), false),
        (get("1.1", "").replace("GET", "CONNECT"), false),
    ] {
        let got = answers(&system, std::slice::from_ref(&request)).await;
        let (answer, is_open) = &got[0];
        let answer = answer.to_lowercase();
        assert_eq!(*is_open, is_kept, "{request:?}: {answer}");
        // HTTP/1.0 is the other way round (RFC 9112, 9.3): there it says when the connection is kept.
        let says_close = answer.contains("connection: close");
        let says_keep = answer.contains("connection: keep-alive");
        match answer.starts_with("http/1.0") {
            true => assert_eq!(says_keep, is_kept, "{request:?}: {answer}"),
            false => assert_eq!(says_close, !is_kept, "{request:?}: {answer}"),
        }
        assert!(!answer.contains("connection: upgrade"), "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn of_requests_in_one_packet_each_is_handled_until_an_answer_says_that_the_connection_ends() {
    let system = System::start();
    let event = seats(&system, 100).await;
    let plain = offering(&event, "");
    let h2c = offering(&event, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n");
    let websocket = offering(&event, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    let close = offering(&event, "Connection: close\r\n");
    let too_large = plain.replace("Length: 12", "Length: 12000000");
    for (requests, handled, is_kept) in [
        (vec![&plain, &h2c], 2, true),
        (vec![&plain, &h2c, &plain], 3, true),
        (vec![&h2c, &websocket, &h2c], 3, true),
        (vec![&plain, &websocket], 2, true),
        (vec![&plain, &websocket, &plain], 3, true),
        (vec![&close, &plain, &plain], 1, false),
        (vec![&close, &h2c], 1, false),
        (vec![&too_large, &plain], 0, false),
    ] {
        let packet: String = requests.into_iter().map(String::as_str).collect();
        let got = answers(&system, &[packet]).await;
        let (answer, is_open) = &got[0];
        assert_eq!((answer.matches("HTTP/1.1 201").count(), *is_open), (handled, is_kept), "{answer}");
        // The first answer that says that it ends is the last that a client reads.
        let closing = answer.split("HTTP/1.1 ").skip(1).position(|one| one.contains("connection: close"));
        assert_eq!(closing, (!is_kept).then_some(0), "{answer}");
        assert!(!answer.contains("connection: upgrade"), "{answer}");
    }
}

/// actix uses the heads of answers again, and what an older client left in one must not end the connection of the next.
#[tokio::test]
async fn a_connection_is_kept_also_where_clients_of_http_1_0_were_answered_before() {
    let system = System::start();
    let ops = system.bookings_ops.address();
    let get = |version: &str| format!("GET /livez HTTP/{version}\r\nHost: x\r\n\r\n");
    for _ in 0..3 {
        let old = answers_of(ops, &[get("1.0")]).await;
        assert!(old[0].0.starts_with("HTTP/1.0 200") && !old[0].1, "{old:?}");
        let kept = answers_of(ops, &[get("1.1"), get("1.1"), get("1.1")]).await;
        assert!(
            kept.len() == 3 && kept.iter().all(|(text, is_open)| text.starts_with("HTTP/1.1 200") && *is_open),
            "{kept:?}"
        );
    }
}
