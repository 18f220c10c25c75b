//! Nobody reads what it writes: lines of the log may be lost, and are counted; requests are answered, and it stops.

use std::{
    io::{PipeReader, PipeWriter, Read, pipe},
    process::Stdio,
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    helpers::{DEADLINE, MyEvents, client, create_event_at, eventually, get, new_folder},
    stop::SOON,
};

/// Enough to fill the pipe and what waits beside it, since a line names the path of its request.
const REQUESTS: usize = 300;

/// Each request is answered.
async fn ask(run: &MyEvents) {
    let client = client();
    for n in 0..REQUESTS {
        let url = format!("{}/stalled-{n}-{}", run.events(), "x".repeat(4000));
        assert_eq!(client.get(url).send().await.expect("an answer").status(), 404);
    }
}

/// How many lines of the log the process has dropped.
async fn dropped(run: &MyEvents) -> usize {
    let url = format!("http://{}/metrics", run.ports()[2]);
    let metrics = client().get(url).send().await.unwrap().text().await.unwrap();
    let number = metrics.lines().find_map(|line| line.strip_prefix("myevents_log_lines_dropped_total "));
    number.expect("it is there from the start").parse().unwrap()
}

async fn start(writer: PipeWriter) -> (tempfile::TempDir, MyEvents) {
    let (place, folder) = new_folder();
    let run = MyEvents::start_with_stderr(writer.into(), &folder, &["--empty", "--rust-log", "debug"]).await;
    (place, run)
}

/// Reads to the end, and shows what was read so far.
fn read(mut pipe: PipeReader) -> (Arc<Mutex<Vec<u8>>>, thread::JoinHandle<()>) {
    let text: Arc<Mutex<Vec<u8>>> = Arc::default();
    let read = text.clone();
    let reader = thread::spawn(move || {
        let mut some = [0; 4096];
        while let Ok(bytes @ 1..) = pipe.read(&mut some) {
            read.lock().unwrap().extend_from_slice(&some[..bytes]);
        }
    });
    (text, reader)
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_no_request_and_goes_on_in_whole_lines() {
    let (reader, writer) = pipe().unwrap();
    let (_place, mut run) = start(writer).await;
    assert_eq!(dropped(&run).await, 0);
    ask(&run).await;
    let lost = dropped(&run).await;
    assert!(lost > 0, "else this test shows nothing");

    let (text, reader) = read(reader);
    let lines = || String::from_utf8_lossy(&text.lock().unwrap()).into_owned();
    eventually(DEADLINE, "a line after the reader woke up", async || {
        client().get(format!("{}/awake", run.events())).send().await.unwrap();
        lines().contains("/awake").then_some(())
    })
    .await;
    run.signal(Signal::TERM);
    assert!(run.end().await.success());
    reader.join().unwrap();

    let lines: Vec<Value> = lines().lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let number = |line: &Value| line["path"].as_str()?.strip_prefix("/stalled-")?.split('-').next()?.parse().ok();
    let seen: Vec<usize> = lines.iter().filter_map(number).collect();
    assert!(seen.is_sorted() && !seen.is_empty() && seen.len() + lost >= REQUESTS, "{lost} lost, seen {seen:?}");
    assert_eq!(lines.last().unwrap()["message"], "stopped", "the last line");
}

#[tokio::test]
async fn it_stops_although_nobody_reads_its_log() {
    let (_reader, writer) = pipe().unwrap();
    let (_place, mut run) = start(writer).await;
    ask(&run).await;

    let began = Instant::now();
    run.signal(Signal::TERM);
    assert!(run.end().await.success());
    assert!(began.elapsed() < SOON, "took {:?}", began.elapsed());
}

#[tokio::test]
async fn it_serves_and_stops_although_nobody_reads_the_start_page() {
    let (_place, folder) = new_folder();
    let (_reader, writer) = pipe().unwrap();
    fill(&writer);
    let mut run = MyEvents::with_stdout(Stdio::from(writer), &folder, &[]);
    let rest = eventually(DEADLINE, "both services, and the samples, which come before the page", async || {
        let lines: Vec<Value> = run.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let rest = |name: &str| {
            let line = lines.iter().find(|line| line["message"] == "ready" && line["service"] == name)?;
            Some(format!("http://{}", line["rest"].as_str()?))
        };
        let rest = (rest("eventservice")?, rest("bookingservice")?);
        (!folder.join("samples-due").exists()).then_some(rest)
    })
    .await;
    // What carries an event from one service to the other is the thread that writes the page.
    for n in 0..20 {
        let event = create_event_at(&rest.0, &format!("event {n}"), (24, 48), 5).await;
        eventually(SOON, "the event", async || get(&format!("{}/events/{event}", rest.1)).await).await;
    }

    let began = Instant::now();
    run.signal(Signal::TERM);
    assert!(run.end().await.success(), "{}", run.log());
    assert!(began.elapsed() < SOON, "took {:?}", began.elapsed());
}

/// Leaves no room in the pipe.
fn fill(pipe: &PipeWriter) {
    rustix::io::ioctl_fionbio(pipe, true).unwrap();
    while rustix::io::write(pipe, &[b'.'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(pipe, false).unwrap();
}
