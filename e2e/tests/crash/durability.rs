//! `kill -9` cannot show durability: what a process wrote survives it in the kernel, fsync or not. So this test watches the
//! system calls: a 201 may leave its socket only after an fdatasync of the write-ahead log that follows its commit.
//!
//! Each booking has a user of its own, whose name is found again in the page that is written to the log and in the answer.
//! The test is tested: with `synchronous=OFF`, which only debug builds can be set to, it must find every answer too early.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    process::{Command, Stdio},
};

use e2e::{
    SOON, eventually, not_run, samples,
    server::{Plan, Server},
};
use serde_json::json;

/// Bookings, three at a time, so that some share a commit.
const BOOKINGS: usize = 30;

/// Answers with 201 in the trace, and those that left before their commit was on the disk.
struct Seen {
    answers: usize,
    too_early: usize,
}

#[tokio::test]
async fn no_201_leaves_before_its_commit_is_on_the_disk() {
    let Some(seen) = watch(Vec::new()).await else { return };
    assert_eq!((seen.answers, seen.too_early), (BOOKINGS, 0));
}

#[tokio::test]
async fn without_fsync_every_201_is_found_to_leave_too_early() {
    let Some(seen) = watch(vec![("TEST_SYNCHRONOUS", "OFF".to_owned())]).await else { return };
    assert_eq!((seen.answers, seen.too_early), (BOOKINGS, BOOKINGS));
}

async fn watch(env: Vec<(&'static str, String)>) -> Option<Seen> {
    let strace = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !strace.is_ok_and(|status| status.success()) {
        not_run("durability down to the fsync: strace (install the package strace, and be allowed to trace)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let calls = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg";
    // -D: the process we start is myevents itself, and strace goes when it is killed.
    let under = ["strace", "-D", "-f", "-y", "-s", "8192", "-e", calls, "-o", trace.to_str().unwrap()];
    let under = under.map(str::to_owned).into();
    let mut server = Server::start(folder.path(), &Plan { env, under, ..Plan::default() }).expect("it starts");
    let event = server.events().post("/events", &samples::event("durable", 1000)).await.expect(201).id();
    let bookings = server.bookings();
    let on_sale = format!("/events/{event}");
    eventually(SOON, "the booking service knows the event", async || {
        (bookings.get(&on_sale).await.status == 200).then_some(())
    })
    .await;
    let book = async |number: usize| {
        let body = json!({"seats": 1, "user_id": user(number)});
        bookings.post(&format!("{on_sale}/bookings"), &body).await.expect(201);
    };
    for number in (0..BOOKINGS).step_by(3) {
        tokio::join!(book(number), book(number + 1), book(number + 2));
    }
    assert_eq!(bookings.get(&on_sale).await.expect(200).json()["booked_seats"], BOOKINGS);
    server.kill();
    eventually(SOON, "strace has written all", async || {
        std::fs::read_to_string(&trace).unwrap().contains("+++ killed by SIGKILL +++").then_some(())
    })
    .await;
    Some(read(&trace))
}

/// None is a part of another.
fn user(number: usize) -> String {
    format!("user-{number:04}-of-the-log")
}

/// Reads the trace: what is written when an fdatasync begins is on the disk when it has returned.
fn read(trace: &Path) -> Seen {
    let trace = std::fs::read_to_string(trace).unwrap();
    let (mut written, mut durable) = (BTreeSet::new(), BTreeSet::new());
    let mut syncing: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    // Once in some hundred runs the trace had an answer twice. When it left first is what counts; a second booking would be seen
    // in the seats.
    let mut answered = BTreeSet::new();
    let mut seen = Seen { answers: 0, too_early: 0 };
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ').map(|(thread, call)| (thread, call.trim_start())) else {
            continue;
        };
        let named = || (0..BOOKINGS).filter(|number| call.contains(&user(*number)));
        let log = call.contains("bookingservice.db-wal");
        let sync = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        if log && call.starts_with("pwrite64(") {
            written.extend(named());
        } else if log && sync && call.ends_with("= 0") {
            durable.extend(&written);
        } else if log && sync {
            syncing.insert(thread, written.clone());
        } else if call.contains("sync resumed>") && call.ends_with("= 0") {
            durable.extend(syncing.remove(thread).unwrap_or_default());
        } else if call.contains("HTTP/1.1 201") {
            for number in named().filter(|number| answered.insert(*number)) {
                seen.answers += 1;
                seen.too_early += usize::from(!durable.contains(&number));
            }
        }
    }
    seen
}
