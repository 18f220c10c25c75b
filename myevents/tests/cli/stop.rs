//! Signals: what is in flight is finished, then the program ends, soon and with exit code 0.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::helpers::{DEADLINE, MyEvents, create_event, eventually, get, new_folder};

/// Of a stop without requests in flight. It takes some milliseconds; the machine may be busy.
pub(crate) const SOON: Duration = Duration::from_secs(4);

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Sends the head and a part of the body of a booking, and waits until the server says that it reads.
fn begin_booking(run: &MyEvents, event: &str) -> TcpStream {
    let mut stream = connect(&run.ports()[1]);
    let head = format!(
        "POST /events/{event}/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: 11\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(br#"{"seats"#).unwrap();
    stream
}

#[tokio::test]
async fn both_signals_end_it_soon_although_connections_are_open() {
    for signal in [Signal::TERM, Signal::INT] {
        let (_place, folder) = new_folder();
        let mut run = MyEvents::start(&folder, &[]).await;
        let mut idle = Vec::new();
        for address in run.ports() {
            idle.push(connect(&address)); // has not said anything
            let mut used = connect(&address);
            used.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            assert!(used.read(&mut [0; 1024]).unwrap() > 0);
            idle.push(used);
        }

        let began = Instant::now();
        run.signal(signal);
        let status = run.end().await;

        assert_eq!(status.code(), Some(0), "{signal:?}: {}", run.log());
        assert!(began.elapsed() < SOON, "{signal:?} took {:?}", began.elapsed());
        let left = |file: &str| folder.join(file).exists();
        assert!(!left("eventservice.db-wal") && !left("bookingservice.db-wal"), "all is in the files themselves");
    }
}

#[tokio::test]
async fn a_booking_in_flight_is_finished_and_kept_and_no_new_connection_is_taken() {
    let (_place, folder) = new_folder();
    let mut run = MyEvents::start(&folder, &["--empty"]).await;
    let event = create_event(&run, "Last call", (24, 48), 10).await;
    eventually(DEADLINE, "the event", async || get(&format!("{}/events/{event}", run.bookings())).await).await;
    let mut stream = begin_booking(&run, &event);

    run.signal(Signal::TERM);
    let ports = run.ports();
    eventually(DEADLINE, "no more connections", async || TcpStream::connect(&ports[1]).err()).await;
    stream.write_all(br#"":2}"#).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(run.end().await.code(), Some(0), "{}", run.log());

    let again = MyEvents::start(&folder, &[]).await;
    let seen = get(&format!("{}/events/{event}", again.events())).await.unwrap();
    assert_eq!(seen["booked_seats"], 2, "the outbox was flushed, too");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (_place, folder) = new_folder();
    let mut run = MyEvents::start(&folder, &["--empty"]).await;
    let event = create_event(&run, "Never mind", (24, 48), 10).await;
    let _in_flight = begin_booking(&run, &event);

    run.signal(Signal::INT);
    eventually(DEADLINE, "the first signal", async || run.log().contains("second signal").then_some(())).await;
    let began = Instant::now();
    run.signal(Signal::INT);

    assert_eq!(run.end().await.code(), Some(130), "{}", run.log());
    assert!(began.elapsed() < SOON, "took {:?}", began.elapsed());
}
