//! How long a connection is kept in each of its phases, with the clock of tokio stopped.

use std::future::{pending, ready};

use actix_web::{HttpResponse, body::BodyStream, test::TestRequest};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(5), Duration::from_secs(30));

/// Reads until the connection ends by an error, and says how long that was.
async fn read_until_error(server: &mut TimedStream<DuplexStream>) -> (Duration, io::ErrorKind) {
    let began = Instant::now();
    loop {
        if let Err(cause) = server.read_u8().await {
            return (began.elapsed(), cause.kind());
        }
    }
}

fn about(took: Duration, seconds: u64) -> bool {
    (seconds * 1000..seconds * 1000 + 50).contains(&u64::try_from(took.as_millis()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn every_head_of_a_connection_has_the_same_time() {
    let (mut client, server) = duplex(64);
    let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, pending());
    for _ in 0..3 {
        client.write_u8(b'G').await.unwrap();
        server.read_u8().await.unwrap();
        drop(server.state().handle(false));
    }
    let trickle = async {
        sleep(Duration::from_secs(7)).await; // silent at first
        loop {
            client.write_u8(b'G').await.unwrap();
            sleep(Duration::from_secs(1)).await;
        }
    };
    let (took, cause) = tokio::select! { end = read_until_error(&mut server) => end, () = trickle => unreachable!() };
    assert!(about(took, 12) && cause == io::ErrorKind::TimedOut, "{took:?} {cause}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_its_time() {
    let (_client, server) = duplex(64);
    let open = Rc::new(2);
    let _of_the_factory = open.clone(); // is no connection
    let mut server = TimedStream::new(server, Rc::downgrade(&open), TIMEOUTS, pending());
    drop(server.state().handle(false));
    let (took, cause) = read_until_error(&mut server).await;
    assert!(about(took, 30) && cause == io::ErrorKind::TimedOut, "{took:?} {cause}");
}

/// The connections of a flood must not keep a new client out for as long as an idle connection is kept otherwise.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_less_where_others_need_its_place() {
    let open = Rc::new(4);
    let (_client, server) = duplex(64);
    let mut server = TimedStream::new(server, Rc::downgrade(&open), TIMEOUTS, pending());
    drop(server.state().handle(false));
    let others = async {
        sleep(Duration::from_secs(12)).await;
        let _others = [Rc::downgrade(&open), Rc::downgrade(&open), Rc::downgrade(&open)];
        pending::<()>().await;
    };
    let (took, cause) = tokio::select! { end = read_until_error(&mut server) => end, () = others => unreachable!() };
    assert!(about(took, 15) && cause == io::ErrorKind::TimedOut, "{took:?} {cause}");
}

#[tokio::test(start_paused = true)]
async fn a_running_handler_is_not_timed_and_a_shutdown_does_not_end_it() {
    let (mut client, server) = duplex(64);
    let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, sleep(Duration::from_secs(2)));
    let _handling = server.state().handle(false);
    let body = async {
        sleep(Duration::from_secs(60)).await;
        client.write_u8(b'x').await.unwrap();
    };
    let (read, ()) = tokio::join!(server.read_u8(), body);
    assert_eq!(read.unwrap(), b'x');
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_takes_ends_the_connection() {
    let (_client, server) = duplex(64);
    let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, pending());
    drop(server.state().handle(false));
    let began = Instant::now();
    let cause = server.write_all(&[0; 1000]).await.unwrap_err();
    assert!(about(began.elapsed(), 30) && cause.kind() == io::ErrorKind::TimedOut, "{cause}");
}

/// An answer with a body of no length, as the middleware gives it on.
fn lasting(server: &TimedStream<DuplexStream>) -> ServiceResponse {
    let body = BodyStream::new(stream::pending::<Result<Bytes, io::Error>>());
    let answer = HttpResponse::Ok().body(BoxBody::new(body));
    let request = TestRequest::default().to_srv_request();
    server.state().handle(false).keep(request.into_response(answer))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_lasts_keeps_its_connection_until_it_ends() {
    let (_client, server) = duplex(64);
    let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, pending());
    let answer = lasting(&server);
    let ends = async {
        sleep(Duration::from_secs(600)).await;
        drop(answer);
        pending::<()>().await;
    };
    let (took, cause) = tokio::select! { end = read_until_error(&mut server) => end, () = ends => unreachable!() };
    assert!(about(took, 630) && cause == io::ErrorKind::TimedOut, "{took:?} {cause}");
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_a_body_that_lasts_is_cut_and_who_takes_it_slowly_is_not() {
    let (mut client, server) = duplex(64);
    let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, pending());
    let _answer = lasting(&server);
    let slowly = async {
        for _ in 0..10 {
            sleep(Duration::from_secs(20)).await;
            client.read_exact(&mut [0; 64]).await.unwrap();
        }
        pending::<()>().await;
    };
    let began = Instant::now();
    let cause =
        tokio::select! { end = server.write_all(&[0; 1000]) => end.unwrap_err(), () = slowly => unreachable!() };
    assert!(about(began.elapsed(), 230) && cause.kind() == io::ErrorKind::TimedOut, "{:?} {cause}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn at_a_shutdown_who_takes_nothing_of_a_body_that_lasts_is_cut_at_once() {
    let (_client, server) = duplex(64);
    let server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, sleep(Duration::from_secs(2)));
    let (_answer, began) = (lasting(&server), Instant::now());
    let (mut reading, mut writing) = tokio::io::split(server);
    let (read, written) = tokio::join!(reading.read_u8(), writing.write_all(&[0; 1000]));
    assert!(read.is_err() && written.is_err());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// Reads until the end of the stream, as the server does at a shutdown; returns what it read and how long that took.
async fn read_until_end(server: &mut TimedStream<DuplexStream>) -> (Vec<u8>, Duration) {
    let (began, mut read) = (Instant::now(), Vec::new());
    server.read_to_end(&mut read).await.unwrap();
    (read, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn at_a_shutdown_a_quiet_connection_ends_at_once() {
    for answered in [true, false] {
        let (_client, server) = duplex(64);
        let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, sleep(Duration::from_secs(2)));
        if answered {
            drop(server.state().handle(false));
        }
        let (read, took) = read_until_end(&mut server).await;
        assert!(read.is_empty() && about(took, 2), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_a_shutdown_a_connection_in_use_is_read_for_half_a_second_more() {
    let (mut client, server) = duplex(64);
    let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, ready(()));
    drop(server.state().handle(false));
    let request = async {
        sleep(Duration::from_millis(400)).await;
        client.write_all(b"GET").await.unwrap();
        sleep(Duration::from_millis(400)).await;
        client.write_all(b" /").await.unwrap();
        client
    };
    let ((read, took), _client) = tokio::join!(read_until_end(&mut server), request);
    assert!(read == b"GET /" && (890..950).contains(&took.as_millis()), "{took:?}");
}

/// What actix reads of what a client sends in these pieces.
async fn read_as(pieces: &[&str]) -> String {
    let (mut client, server) = duplex(4096);
    let mut server = TimedStream::new(server, Rc::downgrade(&Rc::new(2)), TIMEOUTS, pending());
    let mut all = String::new();
    for piece in pieces {
        client.write_all(piece.as_bytes()).await.unwrap();
        let mut read = vec![0; piece.len()];
        server.read_exact(&mut read).await.unwrap();
        all.push_str(std::str::from_utf8(&read).unwrap());
    }
    all
}

#[tokio::test]
async fn an_offer_is_hidden_wherever_its_head_is_cut_and_nothing_else_is_changed() {
    let head =
        "GET /?q=Upgrade:x HTTP/1.1\r\nHost: x\r\nX-Connection: Upgrade\r\nCookie: upgrade\r\nConnection: keep-alive, ";
    let (begin, end) =
        (head.to_owned() + "uPgrade,HTTP2-Settings\r\nUPGRADE: h2c\r\n", "Upgrade-Insecure-Requests: 1\r\n\r\n");
    let request = begin + end + "Connection: Upgrade\r\nUpgrade: h2c\r\n";
    let whole = read_as(&[&request]).await;
    assert_eq!(whole, request.replace(" uPgrade", "        ").replacen("UPGRADE: h2c", "UPGRADE:    ", 1));
    for cut in 1..request.len() {
        let (one, other) = request.split_at(cut);
        let read = read_as(&[one, other]).await;
        // What had arrived of a word before it could be known stays.
        let (named, offered) = (read.split("e, ").nth(1).unwrap(), read.split("UPGRADE:").nth(1).unwrap());
        assert!(!named.starts_with("uPgrade,") && !offered.trim_start().starts_with("h2c"), "{cut}: {read}");
        let changed = request.bytes().zip(read.bytes()).filter(|(was, is)| was != is);
        assert!(changed.clone().count() <= 10 && changed.clone().all(|(_, is)| is == b' '), "{cut}: {read}");
        assert!(read.ends_with(&request[request.len() - 60..]) && read.starts_with(head), "{cut}: {read}");
    }
    let body = "{\"a\":\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n";
    assert_eq!(read_as(&[body]).await, body);
    // A second request in the same packet.
    let (long, next) = ("1".repeat(100), "POST / HTTP/1.0\r\nUpgrade: ");
    for pipelined in [vec![&*whole, &long, next, "h2c\r\n\r\n"], vec![&(whole.clone() + &long + next + "h2c\r\n\r\n")]]
    {
        let read = read_as(&pipelined).await;
        assert_eq!(read, format!("{whole}{long}{next}   \r\n\r\n"));
    }
}
