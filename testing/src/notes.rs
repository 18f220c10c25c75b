//! A database file as a service would have one, with a table of notes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
};

use metrics::Registry;
use sqlite::{
    Database, StoreError,
    open::{Migration, OpenError, Spec},
    outbox,
    writer::StoreMetrics,
};
use tempfile::TempDir;

pub const FILE: &str = "notes.db";

const MIGRATIONS: [Migration; 2] = [
    |file| file.execute_batch(outbox::SCHEMA),
    |file| file.execute_batch("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"),
];

/// How this file is known. A test changes one of the fields to be a stranger.
pub fn spec(folder: &Path) -> Spec {
    Spec { folder: folder.to_owned(), file: FILE, application_id: 0x7465_7374, migrations: &MIGRATIONS }
}

/// Opens the file in the folder, or makes it.
pub fn open(folder: &Path) -> Result<Database, OpenError> {
    Database::open(&spec(folder), StoreMetrics::new(&Registry::new()).unwrap())
}

/// A new folder with an open file in it.
pub fn new_database() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path()).unwrap();
    (folder, database)
}

/// Stores a note.
pub async fn store(database: &Database, text: impl Into<String>) -> Result<(), StoreError> {
    let text = text.into();
    database.write(move |c| c.execute("INSERT INTO notes (text) VALUES (?)", [text]).map(drop), |()| {}).await
}

/// Every note, oldest first.
pub async fn notes(database: &Database) -> Vec<String> {
    let all =
        database.read(|c| c.prepare("SELECT text FROM notes ORDER BY id")?.query_map([], |row| row.get(0))?.collect());
    all.await.unwrap()
}

/// Keeps the writer busy until the answer is dropped: what is asked for meanwhile goes into one commit.
pub async fn hold_the_writer(database: &Arc<Database>) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let database = database.clone();
    tokio::spawn(async move {
        let wait = move |_: &_| {
            let _ = begun.send(());
            let _ = released.recv(); // ends when the other side is dropped
            Ok(())
        };
        database.write(wait, |()| {}).await.unwrap();
    });
    has_begun.await.unwrap();
    release
}

/// The files as a kill at this moment would leave them, in a folder of their own.
pub fn as_after_a_kill(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for (name, bytes) in contents(folder) {
        std::fs::write(copy.path().join(name), bytes).unwrap();
    }
    copy
}

/// What is stored in the folder: the database and its write-ahead log. The lock and the log's index hold no data.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let files = files.filter(|name| !name.ends_with(".lock") && !name.ends_with("-shm"));
    files.map(|name| (name.clone(), std::fs::read(folder.join(&name)).unwrap())).collect()
}

/// The database file's path.
pub fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
