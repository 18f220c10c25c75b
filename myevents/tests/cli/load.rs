//! `myevents load` against a real system: what it does, what it tells, and that it outlives the system.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use load::{record::Line, report::Report};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::helpers::{DEADLINE, Job, MyEvents, eventually, get, new_folder};

/// A load of this system. A few small events, so that the bounds are met soon.
fn load(run: &MyEvents, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command.args(["--events", "3", "--capacity", "60"]);
    command.env("EVENTS_URL", run.events()).env("BOOKINGS_URL", run.bookings());
    command
}

fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myevents"));
    command.env_clear().arg("load").args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end, beside the tasks of the test.
async fn output(mut command: Command) -> Output {
    let mut child = command.spawn().unwrap();
    eventually(DEADLINE, "the end of the load", async || child.try_wait().unwrap()).await;
    child.wait_with_output().unwrap()
}

async fn report(command: Command) -> Report {
    let output = output(command).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn lines(record: &Path) -> Vec<Line> {
    fs::read_to_string(record).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of a load, as the booking service has them.
async fn on_sale(run: &MyEvents, report: &Report) -> Vec<Value> {
    let mut events = Vec::new();
    for event in &report.events {
        events.push(get(&format!("{}/events/{}", run.bookings(), event.id)).await.unwrap());
    }
    events
}

#[tokio::test]
async fn a_closed_loop_books_as_its_shares_say_and_reports_what_is_so() {
    let (place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let record = place.path().join("record");
    let record_text = record.to_str().unwrap();

    let report =
        report(load(&run, &["--duration", "2", "--connections", "8", "--json", "--record", record_text])).await;

    assert_eq!((report.r#loop.as_str(), report.connections, report.events.len()), ("closed", 8, 3));
    assert_eq!((report.unanswered, report.unexpected.count), (0, 0), "{:?}", report.unexpected.first);
    let share = |kinds: &[&str]| {
        let of: u64 = kinds.iter().map(|kind| report.kind(kind).unwrap().requests).sum();
        of as f64 / report.requests as f64 * 100.0
    };
    let reads = share(&["read event", "list events", "read seats", "read booking", "list bookings"]);
    for (what, percent, hoped) in [
        ("reads", reads, 60.0),
        ("bookings and cancellations", share(&["book", "cancel"]), 30.0),
        ("repeats", share(&["repeat"]), 5.0),
        ("bad requests", share(&["bad request"]), 5.0),
    ] {
        let chance = 4.0 * (hoped * (100.0 - hoped) / report.requests as f64).sqrt(); // a busy machine sends few
        assert!((percent - hoped).abs() < hoped / 3.0 + chance, "{what}: {percent} % of {}", report.requests);
    }
    let book = report.kind("book").unwrap();
    assert_eq!(book.statuses.keys().collect::<Vec<_>>(), [&201]);
    assert!(book.p50_ms > 0.0 && book.p50_ms <= book.p90_ms && book.p99_9_ms <= book.max_ms);

    // What it says is sold is what is sold, and what it wrote down adds up to it.
    let mut booked = 0;
    for (event, said) in on_sale(&run, &report).await.iter().zip(&report.events) {
        assert_eq!(event["booked_seats"], said.sold, "{event}");
        booked += said.sold;
    }
    let mut recorded = 0;
    for line in lines(&record) {
        if let Line::Booked { status: 201, asked, .. } = &line {
            recorded += asked.seats;
        }
        if let Line::Cancelled { seats, .. } = line {
            recorded -= seats;
        }
    }
    assert_eq!(recorded, booked);
    assert!(matches!(lines(&record).last(), Some(Line::Ended { .. })), "it says that it is whole");
}

#[tokio::test]
async fn events_stay_between_20_and_90_percent_sold_whichever_way_the_shares_pull() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    for shares in [["--bookings", "100", "--cancels", "0"], ["--bookings", "0", "--cancels", "100"]] {
        let mut command = load(&run, &["--duration", "1", "--json", "--reads", "5"]);
        let report = report({
            command.args(shares);
            command
        })
        .await;
        assert_eq!(report.statuses.get(&409), None, "nothing is ever sold out");
        for event in on_sale(&run, &report).await {
            assert!((12..=54).contains(&event["booked_seats"].as_u64().unwrap()), "{shares:?}: {event}");
        }
    }
}

#[tokio::test]
async fn a_later_load_takes_the_events_of_an_earlier_one_and_cancels_its_bookings() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let first = report(load(&run, &["--duration", "1", "--json", "--cancels", "0"])).await;

    let second = report(load(&run, &["--duration", "2", "--json", "--bookings", "0", "--cancels", "30"])).await;

    let ids = |report: &Report| report.events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(second.unexpected.count, 0, "{:?}", second.unexpected.first);
    let all = get(&format!("{}/events", run.events())).await.unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    let sold = |report: &Report| report.events.iter().map(|event| event.sold).sum::<u64>();
    assert!(sold(&second) < sold(&first), "{} of {} are left", sold(&second), sold(&first));
}

#[tokio::test]
async fn an_open_loop_keeps_its_rate() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let report = report(load(&run, &["--duration", "2", "--rate", "100", "--json"])).await;
    assert_eq!((report.r#loop.as_str(), report.rate), ("open", Some(100.0)));
    // Of as long as it really took: a busy machine ends it late. Those in flight at the end are cut off.
    let (due, all) = (100.0 * report.seconds, (report.requests + report.not_sent) as f64);
    assert!((due - 20.0..=due + 3.0).contains(&all), "{all} requests in {} s", report.seconds);
}

#[tokio::test]
async fn ctrl_c_ends_it_with_the_table_of_what_was_done() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let child = load(&run, &["--duration", "0"]).spawn().unwrap();
    let pid = Pid::from_child(&child);
    eventually(DEADLINE, "the first cancellation", async || {
        let metrics = client_text(&run.ports()[3]).await?;
        metrics.lines().find(|line| line.starts_with("myevents_bookings_cancelled_total ") && !line.ends_with(" 0"))?;
        Some(())
    })
    .await;

    kill_process(pid, Signal::INT).unwrap();

    let output = child.wait_with_output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{table}");
    for part in ["p99.9", "book ", "cancel ", "read event ", "closed loop of 16 connections", "given back"] {
        assert!(table.contains(part), "{part} is missing in {table}");
    }
    assert!(output.stderr.is_empty(), "no bar where there is no terminal");
}

async fn client_text(ops: &str) -> Option<String> {
    let response = crate::helpers::client().get(format!("http://{ops}/metrics")).send().await.ok()?;
    response.text().await.ok()
}

#[tokio::test]
async fn it_outlives_a_kill_of_the_system_and_finds_out_what_became_of_its_bookings() {
    let (place, folder) = new_folder();
    let first = MyEvents::start(&folder, &["--empty"]).await;
    let (ports, record) = (first.ports(), place.path().join("record"));
    let mut command = load(&first, &["--duration", "0", "--connections", "24", "--reads", "0", "--json"]);
    let child = command.arg("--record").arg(&record).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let wrote = async |lines: usize| {
        eventually(DEADLINE, "lines of the record", async || {
            (fs::read_to_string(&record).ok()?.lines().count() > lines).then_some(())
        })
        .await;
    };

    wrote(500).await;
    first.kill();
    tokio::time::sleep(Duration::from_millis(200)).await; // it is away for a while
    let [events, bookings] = ["--events-addr", "--bookings-addr"];
    let again = MyEvents::start(&folder, &["--empty", events, &ports[0], bookings, &ports[1]]).await;
    wrote(fs::read_to_string(&record).unwrap().lines().count() + 500).await;
    kill_process(pid, Signal::INT).unwrap();

    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report.most_unanswered_at_a_loss >= 16, "{} unanswered", report.most_unanswered_at_a_loss);
    assert!(report.losses >= 1 && report.connection_errors > 0, "{report:?}");
    assert_eq!(report.unexpected.count, 0, "{:?}", report.unexpected.first);

    // Every booking without an answer was asked for again, and its fate is written down.
    let lines = lines(&record);
    for line in &lines {
        let Line::UnansweredBooking(lost) = line else { continue };
        let same = |asked: &load::record::Asked| load::record::Asked { at: lost.at.clone(), ..asked.clone() } == *lost;
        let found = |line: &Line| matches!(line, Line::Booked { asked, .. } if same(asked));
        assert!(lines.iter().any(found), "{lost:?}");
    }
    for (event, said) in on_sale(&again, &report).await.iter().zip(&report.events) {
        assert_eq!(event["booked_seats"], said.sold, "{event}");
    }
}

#[tokio::test]
async fn a_system_that_is_away_is_reported_with_the_option_that_says_where_it_is() {
    let output = output(bare(&["--events-url", "http://127.0.0.1:1"])).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in ["event service", "http://127.0.0.1:1", "cannot be reached", "--events-url"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
}

#[tokio::test]
async fn all_wrong_options_are_reported_at_once() {
    let wrong = [
        ("--events-url", "ftp://here"),
        ("--connections", "0"),
        ("--rate", "fast"),
        ("--duration", "-1"),
        ("--events", "1001"),
        ("--capacity", "7"),
        ("--names", "<b>"),
        ("--keyed", "101"),
        ("--bad", "x"),
    ];
    let options: Vec<_> = wrong.iter().map(|(option, value)| format!("{option}={value}")).collect();
    let output = output(bare(&options.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for (option, _) in wrong {
        assert!(said.contains(option), "{option} is missing in {said}");
    }
    for part in ["\"fast\"", "a whole number from 1 to 1000"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_written_fails_the_load_and_its_report_says_so() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let output = output(load(&run, &["--duration", "1", "--json", "--record", "/dev/full"])).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the record is incomplete"), "{said}");
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report.record_trouble.as_deref().is_some_and(|cause| cause.contains("space")), "{report:?}");
}

#[tokio::test]
async fn a_record_outlives_a_kill_of_the_load_and_a_later_load_that_cancels_its_bookings() {
    let (place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let record = place.path().join("record");
    let books = || fs::read_to_string(&record).is_ok_and(|text| text.matches("\"booked\"").count() > 300);
    let mut command = load(&run, &["--duration", "0", "--connections", "64", "--reads", "0"]);
    let mut child = command.arg("--record").arg(&record).spawn().unwrap();
    eventually(DEADLINE, "a record", async || books().then_some(())).await;
    child.kill().unwrap();
    child.wait().unwrap();

    let verify = || {
        let against = ["verify".to_owned(), "--against".into(), record.to_str().unwrap().into()];
        Job::run(against.into_iter().chain(run.url_options()))
    };
    let said = verify().well();
    assert!(
        said.contains("a run has no end in it") && said.contains("; 0 bookings of its users are in no line"),
        "{said}"
    );

    let later = load(&run, &["--duration", "2", "--json", "--bookings", "0", "--cancels", "100", "--reads", "10"]);
    report(later).await;
    let said = verify().well();
    assert!(said.contains("were cancelled by somebody else"), "{said}");
}
