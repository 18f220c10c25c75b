//! A database file is opened with care: what is not ours, or not whole, is refused by name and left as it is.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, Permissions},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
};

use metrics::Registry;
use sqlite::{
    Database, StoppedFile,
    open::{OpenError, Spec},
    writer::StoreMetrics,
};
use testing::notes::{FILE, as_after_a_kill, contents, file, new_database, notes, open, spec, store};

/// Opens a file that must be refused; gives what was said about it. Nothing in the folder may change.
fn refused(spec: &Spec) -> OpenError {
    let before = contents(&spec.folder);
    let refused = Database::open(spec, StoreMetrics::new(&Registry::new()).unwrap());
    let error = refused.err().expect("the file must be refused");
    assert!(contents(&spec.folder) == before, "{error}, and yet the file was changed");
    let text = error.to_string();
    assert!(text.contains(&*file(&spec.folder).to_string_lossy()), "the file is not named in: {text}");
    error
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["dear diary", "S", "SQLite format 2\0 and more than sixteen bytes"] {
        fs::write(file(folder.path()), text).unwrap();
        assert!(matches!(refused(&spec(folder.path())), OpenError::NotADatabase(_)), "{text}");
    }
}

#[test]
fn a_file_that_only_begins_like_a_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for rest in [&b""[..], &[0xff; 9000]] {
        fs::write(file(folder.path()), [&b"SQLite format 3\0"[..], rest].concat()).unwrap();
        refused(&spec(folder.path()));
    }
}

#[tokio::test]
async fn a_file_of_another_application_is_refused_and_left_as_it_is() {
    let (folder, database) = new_database();
    store(&database, "theirs").await.unwrap();
    // After a kill, part of what they stored lies in the write-ahead log; that must not be touched either.
    let killed = as_after_a_kill(folder.path());
    let stranger = Spec { application_id: 1, ..spec(killed.path()) };
    assert!(matches!(refused(&stranger), OpenError::OtherApplication(_)));

    drop(database);
    let stranger = Spec { application_id: 1, ..spec(folder.path()) };
    assert!(matches!(refused(&stranger), OpenError::OtherApplication(_)));
    assert_eq!(notes(&open(folder.path()).unwrap()).await, ["theirs"]);
}

#[tokio::test]
async fn a_file_of_a_newer_schema_is_refused_and_left_as_it_is() {
    let (folder, database) = new_database();
    store(&database, "from the future").await.unwrap();
    let killed = as_after_a_kill(folder.path());
    drop(database);
    for folder in [&killed, &folder] {
        let known = spec(folder.path()).migrations;
        let older = Spec { migrations: &known[..1], ..spec(folder.path()) };
        let error = refused(&older);
        assert!(matches!(error, OpenError::Newer(_, 2, 1)), "{error}");
        assert_eq!(notes(&open(folder.path()).unwrap()).await, ["from the future"]);
    }
}

#[tokio::test]
async fn a_file_found_damaged_after_a_crash_is_refused_and_left_as_it_is() {
    let (folder, database) = new_database();
    for _ in 0..50 {
        store(&database, "x".repeat(1000)).await.unwrap();
    }
    drop(database); // all of it is in the database file now
    let database = open(folder.path()).unwrap();
    store(&database, "in the write-ahead log").await.unwrap();
    let killed = as_after_a_kill(folder.path());
    let mut bytes = fs::read(file(killed.path())).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    fs::write(file(killed.path()), bytes).unwrap();

    let error = refused(&spec(killed.path()));
    assert!(matches!(error, OpenError::Damaged(..)), "{error}");
}

#[test]
fn an_empty_file_is_taken_as_new() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(file(folder.path()), "").unwrap();
    open(folder.path()).unwrap();
    assert_ne!(fs::metadata(file(folder.path())).unwrap().len(), 0);
}

#[test]
fn a_file_where_the_folder_should_be_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    fs::write(&path, "not a folder").unwrap();
    let error = open(&path).err().unwrap().to_string();
    assert!(error.contains(&*path.to_string_lossy()) && error.contains("DATA_DIR"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "not a folder");
}

#[tokio::test]
async fn a_second_opening_is_refused_and_names_the_process_that_has_the_file() {
    let (folder, database) = new_database();
    let error = open(folder.path()).err().unwrap();
    assert!(matches!(error, OpenError::InUse(..)), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    store(&database, "the first one goes on").await.unwrap();

    drop(database);
    assert_eq!(notes(&open(folder.path()).unwrap()).await, ["the first one goes on"]);
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill_and_after_a_clean_stop() {
    let (folder, database) = new_database();
    store(&database, "kept").await.unwrap();
    let killed = as_after_a_kill(folder.path());
    assert_eq!(notes(&open(killed.path()).unwrap()).await, ["kept"]);

    drop(database);
    assert_eq!(contents(folder.path()).len(), 1, "a clean stop leaves nothing but the database file");
    assert_eq!(notes(&open(folder.path()).unwrap()).await, ["kept"]);
}

#[test]
fn an_older_schema_is_brought_up_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let known = spec(folder.path()).migrations;
    let older = Spec { migrations: &known[..1], ..spec(folder.path()) };
    drop(Database::open(&older, StoreMetrics::new(&Registry::new()).unwrap()).unwrap());
    open(folder.path()).unwrap();
    let older = Spec { migrations: &known[..1], ..spec(folder.path()) };
    assert!(matches!(refused(&older), OpenError::Newer(_, 2, 1)));
}

#[test]
fn a_folder_is_made_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let deep: &Path = &folder.path().join("a/b");
    open(deep).unwrap();
    assert!(file(deep).is_file());
}

#[tokio::test]
async fn what_is_made_is_for_its_owner_alone_and_what_was_there_keeps_its_mode() {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let database = open(&folder).unwrap();
    store(&database, "private").await.unwrap();
    assert_eq!(mode(&folder), 0o700);
    let made: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(made.len(), 4, "the database, its log, the log's index and the lock: {made:?}");
    for path in &made {
        assert_eq!(mode(path), 0o600, "{path:?}");
    }
    drop(database);

    fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(file(&folder), Permissions::from_mode(0o640)).unwrap();
    open(&folder).unwrap();
    assert_eq!((mode(&folder), mode(&file(&folder))), (0o750, 0o640));
}

#[test]
fn what_stands_in_the_way_is_named_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join(format!("{FILE}.lock"));
    fs::create_dir(&lock).unwrap();
    let text = open(folder.path()).err().unwrap().to_string();
    assert!(text.starts_with(&format!("the lock {} cannot be used", lock.display())), "{text}");

    fs::remove_dir(&lock).unwrap();
    fs::create_dir(file(folder.path())).unwrap();
    let text = open(folder.path()).err().unwrap().to_string();
    assert!(text.starts_with(&format!("the database {} cannot be used", file(folder.path()).display())), "{text}");
}

#[tokio::test]
async fn any_name_of_a_folder_is_only_a_name() {
    let place = tempfile::tempdir().unwrap();
    let names: [&[u8]; 8] = [
        b"file:data",
        b":memory:",
        b"a?mode=ro&vfs=no#x",
        b"100%41",
        b"-x",
        b"two\nlines",
        "Ärger".as_bytes(),
        b"\xff\xfe",
    ];
    for name in names.map(OsStr::from_bytes) {
        // Two slashes at its beginning, too: a URI would have a host behind them.
        let mut twice = OsString::from("/");
        twice.push(place.path().join(name));
        for (seen, folder) in [place.path().join(name), twice.into()].iter().enumerate() {
            let database = open(folder).unwrap();
            assert_eq!(notes(&database).await.len(), seen, "{folder:?}");
            assert!(matches!(open(folder), Err(OpenError::InUse(..))), "{folder:?}: the lock guards this file");
            store(&database, "kept").await.unwrap();
            drop(database);
            let stopped = StoppedFile::open(&spec(folder)).unwrap();
            let count = stopped.read(|c| c.query_row("SELECT count(*) FROM notes", [], |row| row.get::<_, usize>(0)));
            assert_eq!(count.unwrap(), seen + 1, "{folder:?}");
            assert_eq!(contents(folder).len(), 1, "{folder:?}: the database and nothing else");
        }
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), names.len(), "nothing lies elsewhere");
}

#[test]
fn a_path_that_is_too_long_for_sqlite_is_refused_before_anything_is_made() {
    let place = tempfile::tempdir().unwrap();
    let name = |length: usize| {
        let folders = place.path().join("d".repeat(200)).join("d".repeat(200));
        let rest = length - folders.as_os_str().len() - FILE.len() - 2;
        folders.join("x".repeat(rest))
    };
    let text = open(&name(505)).err().unwrap().to_string();
    assert!(text.contains("504 bytes") && text.contains("DATA_DIR"), "{text}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    open(&name(504)).unwrap();
}
