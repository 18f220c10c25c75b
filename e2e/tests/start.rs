//! What is said at start where the machine gives less than usual: few open files, or files that cannot be written.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use e2e::{
    not_run,
    server::{Plan, Server},
};
use serde_json::Value;

#[test]
fn fewer_connections_than_usual_are_said_at_start_with_the_limit_that_causes_it() {
    let folder = tempfile::tempdir().unwrap();
    let limited = ["sh", "-c", "ulimit -n 400 && exec \"$@\"", "sh"].map(str::to_owned).to_vec();
    let server = Server::start(folder.path(), &Plan { under: limited, ..Plan::default() }).expect("it starts");

    let log = server.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let limits: Vec<_> = lines.filter(|line| line["connections"].is_u64()).collect();
    assert!(!limits.is_empty(), "{log}");
    for line in &limits {
        let connections = line["connections"].as_u64().unwrap();
        assert!((1..=200).contains(&connections), "two services share 400 files: {line}");
        assert!(line["message"].as_str().unwrap().contains("400 open files"), "{line}");
    }
}

/// A file that the program cannot write. Dropping it gives the file back.
struct Unwritable {
    file: PathBuf,
    is_mounted: bool,
}

impl Unwritable {
    /// Takes the right to write, which is no obstacle for root: there the file is mounted over itself, to be read only.
    fn make(file: &Path) -> Option<Self> {
        fs::set_permissions(file, Permissions::from_mode(0o400)).unwrap();
        let mut made = Self { file: file.to_owned(), is_mounted: false };
        if made.can_be_written() {
            let mount = |arguments: &[&str]| {
                let mount = Command::new("mount").args(arguments).arg(file).output();
                mount.is_ok_and(|output| output.status.success())
            };
            made.is_mounted = mount(&["--bind", file.to_str()?]);
            if !made.is_mounted || !mount(&["-o", "remount,bind,ro"]) || made.can_be_written() {
                not_run("files that cannot be written: as root, the right to mount (run the tests as another user)");
                return None;
            }
        }
        Some(made)
    }

    fn can_be_written(&self) -> bool {
        OpenOptions::new().append(true).open(&self.file).is_ok()
    }
}

impl Drop for Unwritable {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.file).status();
        }
        let _ = fs::set_permissions(&self.file, Permissions::from_mode(0o600));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_refused_at_start_by_name() {
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path(), &Plan::default()).expect("it starts").kill();
    for name in ["eventservice.db", "bookingservice.db", "eventservice.db.lock", "bookingservice.db.lock"] {
        let file = folder.path().join("data").join(name);
        let Some(unwritable) = Unwritable::make(&file) else { return };

        let end = Server::start(folder.path(), &Plan::default()).err().expect("it must not start");

        let said = fs::read_to_string(folder.path().join("log")).unwrap();
        let said = said.lines().find(|line| line.starts_with("myevents: ")).unwrap_or_default();
        assert_eq!(end.code(), Some(1), "{said}");
        assert!(said.contains(file.to_str().unwrap()), "{name} is not named: {said}");
        assert!(said.contains("cannot be written") || said.contains("cannot be used"), "{said}");
        assert!(said.contains("--data-dir"), "{said}");
        drop(unwritable);
    }
    Server::start(folder.path(), &Plan::default()).expect("it starts when all can be written");
}
