//! `myevents trace`: one request's story, asked of a running system or read from its logs.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::helpers::{DEADLINE, Job, MyEvents, book, client, create_event, eventually, new_folder, view_shows};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const STEPS: [&str; 7] = ["received", "reserved", "stored", "answered", "published", "applied", "confirmed"];

fn trace(arguments: impl IntoIterator<Item = String>) -> Job {
    Job::run(["trace".to_owned()].into_iter().chain(arguments))
}

/// The steps in the order in which they are drawn, each with what stands behind it.
fn steps(picture: &str) -> Vec<(&str, &str)> {
    picture
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(' '))
        .filter(|(step, _)| STEPS.contains(step))
        .collect()
}

/// Asks until nothing is unknown any more.
async fn complete(what: &[String]) -> String {
    eventually(DEADLINE, "the whole story", async || {
        let job = trace(what.iter().cloned());
        (job.code == Some(0) && !job.out.contains("unknown")).then_some(job.out)
    })
    .await
}

#[tokio::test]
async fn a_booking_is_drawn_step_by_step_by_asking_and_from_the_log_alike() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty", "--rust-log", "debug"]).await;
    let event = create_event(&run, "Traced", (24, 48), 10).await;
    let booking = book(&run, &event, 2).await;
    view_shows(&run, &event, 2).await;

    let asked = complete(&[vec![booking.clone()], run.ops_options()].concat()).await;

    assert!(asked.contains("POST /events/{id}/bookings, answered with 201"), "{asked}");
    assert!(asked.contains(&format!("about {booking}")), "{asked}");
    let drawn = steps(&asked);
    let mut names: Vec<_> = drawn.iter().map(|(step, _)| *step).collect();
    assert_eq!((names[0], names.last()), ("received", Some(&"confirmed")), "{asked}");
    names.sort_unstable();
    assert_eq!(names, ["answered", "applied", "confirmed", "published", "received", "reserved", "stored"]);
    assert!(drawn.iter().all(|(_, rest)| rest.contains("ms") && rest.contains('#') && rest.contains("service http")));
    assert!(asked.is_ascii(), "no terminal: {asked}");

    // The log is written by a thread of its own; a terminal's bars are not in a pipe.
    let log = folder.parent().unwrap().join("log");
    let read = eventually(DEADLINE, "the log has it", async || {
        std::fs::write(&log, run.log()).unwrap();
        let job = trace(["--logs".into(), log.to_str().unwrap().into(), booking.clone()]);
        (job.code == Some(0) && !job.out.contains("unknown")).then_some(job.out)
    })
    .await;
    let plain = |text: &str| -> Vec<String> {
        let offset = |(step, rest): &(&str, &str)| format!("{step} {}", rest.trim().split_once(" ms").unwrap().0);
        steps(text).iter().map(offset).collect()
    };
    assert_eq!(plain(&read), plain(&asked), "the same times");
    run.stop().await;
}

#[tokio::test]
async fn a_request_that_reads_is_found_by_its_trace_and_by_its_request_id() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let request = client().get(format!("{}/events", run.events()));
    request.header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01")).send().await.unwrap();
    let answer = client().get(format!("{}/nowhere", run.bookings())).send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();

    let read = complete(&[vec![TRACE.into()], run.ops_options()].concat()).await;
    assert!(read.contains(&format!("trace {TRACE}: GET /events, answered with 200")), "{read}");
    assert_eq!(steps(&read).len(), 2, "received and answered, once: {read}");
    let lost = complete(&[vec![id], run.ops_options()].concat()).await;
    assert!(lost.contains("GET of no known URL, answered with 404"), "{lost}");
    run.stop().await;
}

#[tokio::test]
async fn an_id_that_nobody_knows_is_said_to_be_unknown() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let ask = |id: &str| trace([vec![id.to_owned()], run.ops_options()].concat());
    for id in [TRACE, "0199c0de-0000-7000-8000-000000000007"] {
        let nobody = ask(id);
        assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""));
        assert!(nobody.err.contains(&format!("nobody knows {id}: a process keeps the last 10,000")), "{}", nobody.err);
    }
    let wrong = ask("seven");
    assert!(wrong.code == Some(1) && wrong.err.contains("32 hexadecimal digits of a trace"), "{}", wrong.err);
    run.stop().await;
    let gone = trace([TRACE.into(), "--events-ops-url".into(), "http://127.0.0.1:1".into()]);
    assert_eq!((gone.code, gone.err.contains("127.0.0.1:1")), (Some(1), true), "{}", gone.err);
}

#[test]
fn logs_are_read_from_standard_input_as_docker_compose_writes_them() {
    let line = |who: &str, story: u32, step: &str, ms: u32, more: &str| {
        let at = format!("2026-11-21T08:00:00.{ms:03}000Z");
        format!(
            r#"{who}  | {{"level":"DEBUG","message":"a step","trace_id":"{TRACE}","story":{story},"step":"{step}","at":"{at}"{more}}}"#
        )
    };
    let (resource, message) = ("0199c0de-0000-7000-8000-000000000007", "0199c0de-0000-7000-8000-000000000008");
    let message = format!(r#","message_id":"{message}""#);
    let log = [
        line("bookings-1", 7, "received", 0, ""),
        line("bookings-1", 7, "stored", 10, &format!(r#","resource_id":"{resource}""#)),
        "events-1  | something else".to_owned(),
        line("bookings-1", 7, "published", 20, &message),
        line("events-1", 7, "applied", 40, &message),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_myevents"));
    command.env_clear().args(["trace", resource, "--logs", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut job = command.spawn().unwrap();
    job.stdin.take().unwrap().write_all(log.join("\n").as_bytes()).unwrap();
    let output = job.wait_with_output().unwrap();

    let picture = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{picture}");
    let drawn: Vec<_> = picture.lines().map(str::trim_end).collect();
    assert!(
        drawn.iter().any(|line| line.starts_with("  applied         40.000 ms") && line.ends_with("events-1")),
        "{picture}"
    );
    assert!(drawn.contains(&format!("about {resource}").as_str()), "{picture}");
}
