//! A stopped process's file can be looked at, and stays as it is: also what a kill has left in the write-ahead log.

use std::{fs, path::Path};

use sqlite::{
    StoppedFile,
    open::{Migration, OpenError, Spec},
};
use testing::notes::{FILE, as_after_a_kill, contents, file, new_database, open, spec, store};

fn notes_in(folder: &Path) -> Vec<String> {
    let file = StoppedFile::open(&spec(folder)).unwrap();
    assert_eq!(file.problems().unwrap(), Vec::<String>::new());
    let all = |c: &rusqlite::Connection| {
        c.prepare("SELECT text FROM notes ORDER BY id")?.query_map([], |row| row.get(0))?.collect()
    };
    file.read(all).unwrap()
}

#[tokio::test]
async fn what_is_stored_is_read_and_no_file_is_changed_or_left_behind() {
    let (folder, database) = new_database();
    store(&database, "seen").await.unwrap();
    let killed = as_after_a_kill(folder.path());
    drop(database);
    for folder in [folder.path(), killed.path()] {
        let before = contents(folder);
        assert_eq!(notes_in(folder), ["seen"]);
        assert!(contents(folder) == before, "looking has changed the files");
    }
}

#[tokio::test]
async fn a_file_in_use_is_refused_and_cannot_be_opened_while_it_is_looked_at() {
    let (folder, database) = new_database();
    let refused = StoppedFile::open(&spec(folder.path())).err().unwrap();
    assert!(matches!(refused, OpenError::InUse(..)), "{refused}");
    drop(database);

    let looking = StoppedFile::open(&spec(folder.path())).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::InUse(..))));
    drop(looking);
    assert!(open(folder.path()).is_ok());
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    let place = tempfile::tempdir().unwrap();
    for folder in [place.path().to_owned(), place.path().join("no/such/folder")] {
        let refused = StoppedFile::open(&spec(&folder)).err().unwrap();
        assert!(matches!(refused, OpenError::Missing(_)), "{refused}");
        assert!(refused.to_string().contains(FILE), "{refused}");
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_file_of_an_older_schema_or_another_application_is_refused() {
    let (folder, database) = new_database();
    drop(database);
    let nothing: Migration = |_| Ok(());
    let newer: &'static [Migration] = [spec(folder.path()).migrations, &[nothing]].concat().leak();
    let older = StoppedFile::open(&Spec { migrations: newer, ..spec(folder.path()) }).err().unwrap();
    assert!(matches!(older, OpenError::Older(_, 2, 3)), "{older}");
    let stranger = StoppedFile::open(&Spec { application_id: 1, ..spec(folder.path()) }).err().unwrap();
    assert!(matches!(stranger, OpenError::OtherApplication(_)), "{stranger}");
}

#[tokio::test]
async fn a_damaged_page_is_found() {
    let (folder, database) = new_database();
    for number in 0..500 {
        store(&database, format!("note {number}, long enough to fill some pages")).await.unwrap();
    }
    drop(database);
    let path = file(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..last + 2000].fill(0xff);
    fs::write(&path, bytes).unwrap();

    let problems = StoppedFile::open(&spec(folder.path())).unwrap().problems();
    assert!(problems.is_err() || !problems.unwrap().is_empty());
}

#[test]
fn an_empty_file_is_damaged_and_not_missing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(file(folder.path()), "").unwrap();
    let refused = StoppedFile::open(&spec(folder.path())).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged(..)), "{refused}");
}
