//! The start page, its command, and the samples.

use std::{ffi::OsStr, fs, net::TcpListener, process::Command};

use rustix::process::Signal;
use serde_json::Value;

use crate::helpers::{
    DEADLINE, Job, MyEvents, book, client, create_event, eventually, get, new_folder, not_run, view_shows,
};

async fn names(run: &MyEvents) -> Vec<String> {
    let page = get(&format!("{}/events?limit=100", run.events())).await.unwrap();
    page["items"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap().to_owned()).collect()
}

/// Runs the command as a person would; where there is no curl, does what it says.
async fn paste(command: &str) -> Value {
    match Command::new("curl").arg("--version").output() {
        Ok(_) => {
            let output = Command::new("sh").args(["-c", command]).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            serde_json::from_slice(&output.stdout).unwrap()
        }
        Err(_) => {
            let url = command.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
            let body = command.split('\'').find(|part| part.starts_with('{')).unwrap().to_owned();
            let request = client().post(url).header("content-type", "application/json").body(body);
            request.send().await.unwrap().json().await.unwrap()
        }
    }
}

#[tokio::test]
async fn the_booking_command_of_the_start_page_books() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &[]).await;

    let booking = paste(&run.booking_command().unwrap()).await;

    assert_eq!(booking["status"], "confirmed", "{booking}");
    assert_eq!(booking["seats"], 2);
    view_shows(&run, booking["event_id"].as_str().unwrap(), 2).await;
}

#[tokio::test]
async fn the_start_page_says_where_everything_is_and_how_to_stop() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;

    let page = run.page();
    assert!(page.contains(folder.canonicalize().unwrap().to_str().unwrap()), "{page}");
    assert!(page.contains("Ctrl-C"), "{page}");
    assert!(!page.contains("127.0.0.1:0"), "port 0 is resolved: {page}");
    let urls: Vec<_> =
        page.split_whitespace().filter(|word| word.ends_with("/docs") || word.ends_with("/metrics")).collect();
    assert_eq!(urls.len(), 4, "{page}");
    for url in urls {
        assert_eq!(client().get(url).send().await.unwrap().status(), 200, "{url}");
    }
}

#[tokio::test]
async fn the_samples_come_with_the_first_start_only() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &[]).await;
    assert_eq!(names(&first).await.len(), 3);
    first.stop().await;

    let second = MyEvents::start(&folder, &[]).await;
    assert_eq!(names(&second).await.len(), 3);
    assert!(second.booking_command().is_some(), "an old folder has a command as well");
}

#[tokio::test]
async fn the_samples_can_be_left_out_for_good() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &["--empty"]).await;
    assert_eq!(names(&first).await.len(), 0);
    assert!(first.page().contains("Create one"), "{}", first.page());
    first.stop().await;

    let second = MyEvents::start(&folder, &[]).await;
    assert_eq!(names(&second).await.len(), 0, "the folder was not new any more");
}

#[tokio::test]
async fn the_command_to_create_an_event_works_too() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;

    let page = run.page();
    let event = paste(page.lines().map(str::trim).find(|line| line.starts_with("curl")).unwrap()).await;

    assert_eq!(event["name"], "My first event", "{event}");
}

#[tokio::test]
async fn a_first_start_that_failed_at_a_port_does_not_cost_the_samples() {
    let (_place, folder) = new_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    MyEvents::refused(&folder, &["--bookings-addr", &address], &[]).await;
    assert!(folder.join("eventservice.db").exists(), "else this test shows nothing");

    let run = MyEvents::start(&folder, &[]).await;
    assert_eq!(names(&run).await.len(), 3);
}

#[tokio::test]
async fn samples_that_were_cut_short_are_completed_and_none_comes_twice() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &["--empty"]).await;
    create_event(&first, "Open Air Cinema", (24, 25), 5).await;
    first.kill();
    fs::write(folder.join("samples-due"), "").unwrap(); // as a kill in between leaves it

    let second = MyEvents::start(&folder, &[]).await;
    let mut names = names(&second).await;
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(names.iter().filter(|name| *name == "Open Air Cinema").count(), 1);
}

#[tokio::test]
async fn the_command_takes_an_event_that_can_still_be_booked() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &["--empty"]).await;
    create_event(&first, "over", (-48, -24), 5).await;
    let sold_out = create_event(&first, "sold out", (24, 48), 3).await;
    book(&first, &sold_out, 3).await;
    view_shows(&first, &sold_out, 3).await;
    let running = create_event(&first, "running", (-24, 24), 5).await;
    book(&first, &running, 4).await;
    first.stop().await;

    let second = MyEvents::start(&folder, &[]).await;
    let booking = paste(&second.booking_command().unwrap()).await;

    assert_eq!(booking["event_name"], "running", "{booking}");
    assert_eq!(booking["seats"], 1, "only one was left");
}

#[tokio::test]
async fn the_start_page_and_the_help_show_the_true_number_of_threads() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &[]).await;
    let Ok(status) = fs::read_to_string(format!("/proc/{}/status", run.pid())) else {
        not_run("the number of threads (run the tests on Linux, with /proc)");
        return;
    };
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap().trim();

    assert!(run.page().contains(&format!("{threads} threads")), "{threads}, but {}", run.page());
    let help = Command::new(env!("CARGO_BIN_EXE_myevents")).arg("--help").output().unwrap();
    assert!(String::from_utf8(help.stdout).unwrap().contains(&format!("{threads} threads")), "{threads}");
}

#[tokio::test]
async fn nobody_has_to_read_the_start_page() {
    let (_place, folder) = new_folder();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut run = MyEvents::with_stdout(writer.into(), &folder, &["--empty"]);

    eventually(DEADLINE, "a word about it", async || run.log().contains("nobody reads").then_some(())).await;

    run.signal(Signal::TERM);
    assert!(run.end().await.success(), "{}", run.log());
}

#[tokio::test]
async fn any_name_of_the_data_folder_is_only_a_name() {
    let place = tempfile::tempdir().unwrap();
    for name in ["file:data", ":memory:", "-x", " a%41?mode=ro#b"] {
        let folder = place.path().join(name);
        let run = MyEvents::start_beside(&folder).await;
        let event = create_event(&run, name, (24, 48), 5).await;
        book(&run, &event, 2).await;
        view_shows(&run, &event, 2).await;
        let said = MyEvents::refused(&folder, &[], &[]).await;
        assert!(said.contains("in use by another process"), "{said}");
        run.stop().await;

        let verified = Job::run([OsStr::new("verify"), OsStr::new("--data-dir"), folder.as_os_str()]).well();
        assert!(verified.contains("All is well"), "{verified}");
        MyEvents::start_beside(&folder).await.stop().await;
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 4, "nothing lies elsewhere");
}
