//! What cannot be checked is neither good nor bad: exit code 2, and why.

use std::fs;

use super::made::{Made, verify};
use crate::helpers::{Job, MyEvents, new_folder};

fn unchecked(job: &Job, said: &[&str]) {
    assert_eq!(job.code, Some(2), "{}{}", job.out, job.err);
    assert!(job.err.starts_with("myevents: not checked: "), "{}", job.err);
    for part in said {
        assert!(job.err.contains(part), "no {part} in {}", job.err);
    }
}

#[tokio::test]
async fn the_folder_of_a_running_system_is_refused_and_it_says_how_to_check_it() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let job = verify(&folder, &[]);
    unchecked(&job, &["in use by another process", &format!("process {}", run.pid()), "leave out --data-dir"]);
    Job::run(["verify".to_owned()].into_iter().chain(run.url_options())).well();
    run.stop().await;
}

#[tokio::test]
async fn a_folder_without_databases_is_not_checked_and_nothing_is_made() {
    let (place, folder) = new_folder();
    unchecked(&verify(&folder, &[]), &["there is no database", "eventservice.db"]);
    assert!(!folder.exists());
    fs::create_dir(&folder).unwrap();
    unchecked(&verify(&folder, &[]), &["there is no database"]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    drop(place);
}

#[tokio::test]
async fn a_system_that_does_not_become_quiet_is_not_checked_and_it_says_what_is_going_on() {
    let made = Made::new().await;
    let stuck = made.copy("stuck");
    // Nobody reads it and somebody must: the relay keeps it and tries again for ever.
    let sql = "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES (randomblob(16), 'nobodyReads', 1, '{}', 0)";
    stuck.change("bookingservice", &sql.replace("'{}'", "x'7b7d'"));
    let run = MyEvents::start(&stuck.folder, &[]).await;
    let arguments = ["verify".to_owned(), "--patience".into(), "1".into()];
    let job = Job::run(arguments.into_iter().chain(run.url_options()));
    unchecked(&job, &["did not become quiet", "the booking service has 1 messages in the outbox", "--patience"]);
}

#[tokio::test]
async fn a_system_that_is_away_is_not_checked_and_the_address_is_named() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let options = run.url_options();
    // One port in the place of another, as one mistypes them.
    let swapped: Vec<_> =
        options.iter().map(|option| option.replace("--events-ops-url", "--bookings-ops-url")).collect();
    let swapped = swapped[..6]
        .iter()
        .chain(["--events-ops-url".to_owned(), options[7].clone()].iter())
        .cloned()
        .collect::<Vec<_>>();
    unchecked(&Job::run(["verify".to_owned()].into_iter().chain(swapped)), &["is not the one of"]);
    run.stop().await;
    unchecked(&Job::run(["verify".to_owned()].into_iter().chain(options.clone())), &["does not answer", &options[5]]);
}

#[test]
fn a_port_that_never_answers_is_waited_for_no_longer_than_the_patience_lasts() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let began = std::time::Instant::now();
    let job = Job::run(["verify", "--patience", "2", "--events-ops-url", &url, "--bookings-ops-url", &url]);
    unchecked(&job, &["does not answer", &url]);
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());

    let began = std::time::Instant::now();
    let list = Job::run(["dead", "list", "--events-ops-url", &url]);
    assert_eq!(list.code, Some(1), "{}{}", list.out, list.err);
    assert!(list.err.contains("does not answer"), "{}", list.err);
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named() {
    let (place, folder) = new_folder();
    MyEvents::start(&folder, &["--empty"]).await.stop().await;
    let record = place.path().join("record");
    let path = record.to_str().unwrap();
    unchecked(&verify(&folder, &["--against", path]), &["--against ", path, "cannot be read"]);
    unchecked(&verify(&folder, &["--against", ""]), &["--against is \"\": it must be the path of a file"]);
    fs::write(&record, "").unwrap();
    unchecked(&verify(&folder, &["--against", path]), &[path, "nothing to check"]);
    fs::write(&record, "{\"line\":\"sold\"}\n").unwrap();
    unchecked(&verify(&folder, &["--against", path, "--json"]), &["line 1 of"]);
}
