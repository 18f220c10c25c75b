//! What the program does not start with, what it says then, and that it leaves everything as it was.

use std::{ffi::OsStr, fs, net::TcpListener, os::unix::ffi::OsStrExt, path::Path, process::Command};

use crate::helpers::{MyEvents, new_folder};

const DATABASES: [&str; 2] = ["eventservice.db", "bookingservice.db"];

/// Where SQLite keeps these numbers in a file's head, as four bytes each, the highest first.
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

#[tokio::test]
async fn a_second_process_on_the_same_folder_names_the_first() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &["--empty"]).await;
    let address = first.ports().remove(0);

    // On the same port as well, as whoever types the same command twice has it: the folder is what matters.
    for arguments in [&[][..], &["--events-addr", &address]] {
        let said = MyEvents::refused(&folder, arguments, &[]).await;
        assert!(said.contains("in use by another process"), "{said}");
        assert!(said.contains(folder.to_str().unwrap()), "{said}");
        assert!(said.contains(&format!("process {}", first.pid())), "{said}");
        assert!(said.contains("--data-dir"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    first.stop().await;
}

#[tokio::test]
async fn a_port_in_use_names_the_option_that_changes_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--events-addr", "--bookings-addr", "--events-ops-addr", "--bookings-ops-addr"] {
        let (_place, folder) = new_folder();
        let said = MyEvents::refused(&folder, &[option, &address], &[]).await;
        assert!(said.contains(&address) && said.contains(option), "{said}");
        assert!(said.contains(&option[2..].to_uppercase().replace('-', "_")), "{said}");
    }
}

#[tokio::test]
async fn all_wrong_values_are_reported_at_once_and_no_secret() {
    let (_place, folder) = new_folder();
    let variables = [
        ("EVENTS_ADDR", "http://me:hunter2@localhost"),
        ("BOOKINGS_ADDR", "8282"),
        ("EVENTS_OPS_ADDR", "127.0.0.1:9999"),
        ("BOOKINGS_OPS_ADDR", "127.0.0.1:9999"),
        ("REST_WORKERS", "many"),
        ("SHUTDOWN_DELAY", "301"),
        ("KEEP_ALIVE_TIMEOUT", "4.9"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "warning"),
    ];
    let said = MyEvents::refused(&folder, &[], &variables).await;
    for (name, value) in variables {
        assert!(said.contains(name), "{name} is missing: {said}");
        assert!(said.contains(value) || value.contains("hunter2"), "{value} is missing: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
    assert!(said.contains("me:***@localhost"), "{said}");
    assert!(said.contains("each needs an address of its own"), "{said}");
    assert!(!folder.exists(), "nothing was begun");
}

#[test]
fn what_is_no_text_is_reported_by_name() {
    let (_place, folder) = new_folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_myevents"));
    let no_text = OsStr::from_bytes(b"127.0.0.1:80\xff");
    command.env("EVENTS_ADDR", no_text).arg("--data-dir").arg(&folder).arg(OsStr::from_bytes(b"--rust-log=\xff"));
    let run = command.output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("EVENTS_ADDR is not UTF-8") && said.contains("\"--rust-log=\\xFF\" is not UTF-8"), "{said}");
    assert!(!folder.exists(), "nothing was begun");
}

#[tokio::test]
async fn a_file_where_the_data_folder_should_be_is_left_alone() {
    let (place, _) = new_folder();
    let file = place.path().join("data");
    fs::write(&file, "my diary").unwrap();

    for arguments in [&[][..], &["--empty"]] {
        let said = MyEvents::refused(&file, arguments, &[]).await;
        assert!(said.contains(file.to_str().unwrap()) && said.contains("--data-dir"), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "my diary");
    }
}

/// Starts on a folder in which this file holds these bytes: it must be refused by name and stay as it is.
async fn refuses(folder: &Path, file: &str, bytes: &[u8], hoped: &str) {
    let path = folder.join(file);
    fs::write(&path, bytes).unwrap();

    let said = MyEvents::refused(folder, &[], &[]).await;

    assert!(said.contains(path.to_str().unwrap()) && said.contains(hoped), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("myevents: ")).count(), 1, "{said}");
    assert!(fs::read(&path).unwrap() == bytes, "{file} was changed");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    for file in DATABASES {
        let (_place, folder) = new_folder();
        fs::create_dir(&folder).unwrap();
        refuses(&folder, file, b"my diary, longer than the head of a database file", "is not a database").await;
        refuses(&folder, file, b"short", "is not a database").await;
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_at_start_is_reported_once_with_its_file() {
    for (file, table) in [("eventservice.db", "events"), ("bookingservice.db", "events")] {
        let (_place, folder) = new_folder();
        MyEvents::start(&folder, &[]).await.stop().await;
        let path = folder.join(file);
        let connection = rusqlite::Connection::open(&path).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
        let root: usize = connection.query_row(root, [table], |row| row.get(0)).unwrap();
        let size: usize = connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        drop(connection);
        let mut bytes = fs::read(&path).unwrap();
        bytes[(root - 1) * size..][..size].fill(0x5a);
        fs::write(&path, bytes).unwrap();

        let said = MyEvents::refused(&folder, &[], &[]).await;

        let said = said.lines().find(|line| line.starts_with("myevents: ")).unwrap();
        assert!(said.contains(path.to_str().unwrap()), "{said}");
        assert_eq!(said.matches("malformed").count(), 1, "{said}");
    }
}

#[tokio::test]
async fn a_database_of_another_application_or_a_newer_version_is_left_alone() {
    for file in DATABASES {
        let (_place, folder) = new_folder();
        MyEvents::start(&folder, &["--empty"]).await.stop().await;
        let ours = fs::read(folder.join(file)).unwrap();
        let with = |place: usize, number: u32| {
            let mut bytes = ours.clone();
            bytes[place..place + 4].copy_from_slice(&number.to_be_bytes());
            bytes
        };

        refuses(&folder, file, &with(APPLICATION_ID, 0), "belongs to another application").await;
        refuses(&folder, file, &with(APPLICATION_ID, 0x0f05_5112), "belongs to another application").await;
        refuses(&folder, file, &with(USER_VERSION, 4711), "schema version 4711").await;

        fs::write(folder.join(file), ours).unwrap();
        MyEvents::start(&folder, &[]).await.stop().await;
    }
}
