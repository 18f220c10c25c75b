//! `--shutdown-delay`: between the signal and the end everybody is still answered, and sent elsewhere.
//!
//! The clients are those of a load balancer: they go on for a while after `/readyz` is a 503, and then send nothing more.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::json;

use crate::helpers::{DEADLINE, MyEvents, client, create_event, eventually, get, new_folder};

const DELAY: Duration = Duration::from_secs(3);

/// What a stop may take besides: requests and connections end, the files are closed. The machine may be busy.
const SOON: Duration = Duration::from_secs(4);

/// When load balancers have noticed. Well within the delay, as it has to be.
const NOTICED: Duration = Duration::from_secs(1);

/// An answer: when its request was sent, what it was, and whether it ended its connection.
struct Answer {
    sent: Instant,
    status: StatusCode,
    closes: bool,
}

/// Sends one request after the other until it is told to end: of each kind of answer one, to both services.
async fn ask(
    clients: impl Fn() -> reqwest::Client,
    rest: [String; 2],
    event: String,
    end: Arc<AtomicBool>,
) -> Vec<Answer> {
    let [events, bookings] = rest;
    let mut answers = Vec::new();
    while !end.load(Ordering::Relaxed) {
        let client = clients();
        let booking = client.post(format!("{bookings}/events/{event}/bookings"));
        for request in [
            client.get(format!("{events}/events/{event}")),
            booking.try_clone().unwrap().json(&json!({ "seats": 1 })),
            booking.json(&json!({ "seats": "many" })),
            client.get(format!("{events}/nowhere")),
            client.delete(format!("{bookings}/events/{event}")),
        ] {
            let sent = Instant::now();
            let response = request.send().await.unwrap_or_else(|cause| panic!("not answered: {cause:?}"));
            let closes = response.headers().get("connection").is_some_and(|value| value == "close");
            answers.push(Answer { sent, status: response.status(), closes });
            response.bytes().await.unwrap();
        }
    }
    answers
}

async fn readiness(ops: &str) -> (StatusCode, serde_json::Value) {
    let answer = client().get(format!("http://{ops}/readyz")).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// Waits for the 503 at all ops ports, and says when it was there.
async fn not_ready(run: &MyEvents) -> Instant {
    for ops in &run.ports()[2..] {
        eventually(DEADLINE, "a 503", async || {
            let (status, report) = readiness(ops).await;
            (status == 503 && report["stopping"] == true).then_some(())
        })
        .await;
    }
    Instant::now()
}

#[tokio::test]
async fn a_stop_with_a_delay_answers_everybody_and_sends_them_elsewhere() {
    let (_place, folder) = new_folder();
    let mut run = MyEvents::start(&folder, &["--empty", "--shutdown-delay", "3"]).await;
    let event = create_event(&run, "Moving house", (24, 48), 1_000_000).await;
    eventually(DEADLINE, "the event", async || get(&format!("{}/events/{event}", run.bookings())).await).await;
    let end = Arc::new(AtomicBool::new(false));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let rest = [run.events(), run.bookings()];
        let kept = client();
        clients.spawn(ask(move || kept.clone(), rest.clone(), event.clone(), end.clone()));
        clients.spawn(ask(client, rest, event.clone(), end.clone())); // a new connection each time
    }
    let mut idle = KeptAlive::new(&run.ports()[1]);
    assert!(!idle.ask().unwrap(), "before the signal connections are kept");
    tokio::time::sleep(Duration::from_millis(300)).await; // traffic before the signal

    let signal = Instant::now();
    run.signal(Signal::TERM);
    let noticed = not_ready(&run).await;
    assert!(signal.elapsed() < NOTICED, "inconclusive: /readyz was a 503 only after {:?}", signal.elapsed());
    tokio::time::sleep_until((signal + NOTICED).into()).await; // the test is about time
    assert!(idle.ask().unwrap(), "a connection that was idle is still served, and then closed");
    assert!(idle.ask().is_none());
    assert_eq!(readiness(&run.ports()[2]).await.0, 503);
    end.store(true, Ordering::Relaxed);
    let answers: Vec<Answer> = clients.join_all().await.into_iter().flatten().collect();
    assert!(signal.elapsed() < DELAY, "inconclusive: the clients ended after {:?}", signal.elapsed());

    let status = run.end().await;
    let took = signal.elapsed();
    assert_eq!(status.code(), Some(0), "{}", run.log());
    assert!((DELAY..DELAY + SOON).contains(&took), "{took:?}");
    let before = answers.iter().filter(|answer| answer.sent < signal).count();
    let after: Vec<&Answer> = answers.iter().filter(|answer| answer.sent > noticed).collect();
    assert!(before > 50 && after.len() > 50, "inconclusive: {before} and {} answers", after.len());
    for status in [200, 201, 400, 404, 405] {
        assert!(after.iter().any(|answer| answer.status == status), "no {status} in answers after the signal");
    }
    assert!(after.iter().all(|answer| answer.closes), "after the signal every answer closes its connection");
}

/// A connection that is kept for as long as the server keeps it.
struct KeptAlive(BufReader<TcpStream>);

impl KeptAlive {
    fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Asks for a page that is not there. Says whether the answer closes the connection; without an answer, nothing.
    fn ask(&mut self) -> Option<bool> {
        self.0.get_mut().write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
        let (mut closes, mut length) = (false, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            closes |= line == "connection: close\r\n";
            if let Some(text) = line.strip_prefix("content-length: ") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        self.0.read_exact(&mut vec![0; length]).ok()?;
        Some(closes)
    }
}

#[tokio::test]
async fn without_a_delay_no_connection_in_use_is_closed_under_a_request() {
    let (_place, folder) = new_folder();
    let mut run = MyEvents::start(&folder, &["--empty"]).await;
    let ports = run.ports();
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let mut connection = KeptAlive::new(&ports[number % 2]);
            std::thread::spawn(move || {
                let mut answers = 0_u64;
                loop {
                    answers += 1;
                    match connection.ask() {
                        Some(false) => {}
                        Some(true) => break (answers, true),
                        None => break (answers, false),
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await; // traffic before the signal

    let began = Instant::now();
    run.signal(Signal::TERM);

    assert_eq!(run.end().await.code(), Some(0), "{}", run.log());
    assert!(began.elapsed() < SOON, "took {:?}", began.elapsed());
    for client in clients {
        let (answers, told) = client.join().unwrap();
        assert!(told && answers > 10, "after {answers} answers, told to close: {told}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_during_the_delay() {
    let (_place, folder) = new_folder();
    let mut run = MyEvents::start(&folder, &["--empty", "--shutdown-delay", "300"]).await;
    run.signal(Signal::TERM);
    not_ready(&run).await;
    let began = Instant::now();
    run.signal(Signal::TERM);
    assert_eq!(run.end().await.code(), Some(130), "{}", run.log());
    assert!(began.elapsed() < SOON, "took {:?}", began.elapsed());
}
