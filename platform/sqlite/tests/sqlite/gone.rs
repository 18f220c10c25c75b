//! A file that is deleted or moved under the process: from then on nothing is promised, and one line says why.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use process::metrics::Metrics;
use sqlite::{Database, show_free_space};
use tempfile::TempDir;
use testing::{
    eventually, logs,
    notes::{FILE, file, open, store},
};

/// An open database with a note in it, in a folder that can be moved away.
async fn stored() -> (TempDir, PathBuf, Arc<Database>) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let database = Arc::new(open(&folder).unwrap());
    store(&database, "kept").await.unwrap();
    (place, folder, database)
}

fn beside(folder: &Path, ending: &str) -> PathBuf {
    folder.join(format!("{FILE}{ending}"))
}

#[tokio::test]
async fn whatever_is_taken_away_ends_the_promises_with_one_log_line() {
    logs::capture();
    type Harm = fn(&Path) -> io::Result<()>;
    let harms: [(&str, Harm); 6] = [
        ("the folder was deleted", |folder| fs::remove_dir_all(folder)),
        ("the folder was moved", |folder| fs::rename(folder, folder.with_file_name("away"))),
        ("the file was deleted", |folder| fs::remove_file(file(folder))),
        ("the file was replaced by its copy", |folder| {
            fs::copy(file(folder), beside(folder, ".copy"))?;
            fs::rename(beside(folder, ".copy"), file(folder))
        }),
        ("the log of writes was deleted", |folder| fs::remove_file(beside(folder, "-wal"))),
        ("the lock was deleted", |folder| fs::remove_file(beside(folder, ".lock"))),
    ];
    for (what, harm) in harms {
        let (_place, folder, database) = stored().await;
        assert!(database.probe()().await.is_ok(), "it was well before {what}");

        harm(&folder).unwrap();

        for _ in 0..5 {
            let refused = store(&database, "lost").await.expect_err(what).to_string();
            assert!(refused.contains(&*folder.to_string_lossy()) && refused.contains("deleted"), "{what}: {refused}");
        }
        let unready = database.probe()().await.expect_err(what);
        assert!(unready.contains(FILE), "{what}: {unready}");
        let lines = logs::lines_with(&folder.display().to_string());
        assert!(lines.len() == 1 && lines[0].contains("ERROR"), "{what}: {lines:#?}");
    }
}

#[tokio::test]
async fn what_is_brought_back_is_used_again() {
    let (_place, folder, database) = stored().await;
    let away = folder.with_file_name("away");
    fs::rename(&folder, &away).unwrap();
    store(&database, "lost").await.unwrap_err();
    assert!(database.probe()().await.is_err());

    fs::rename(&away, &folder).unwrap();

    eventually(Duration::from_secs(5), "it stores again", async || store(&database, "kept").await.is_ok()).await;
    database.probe()().await.unwrap();
}

#[tokio::test]
async fn the_free_space_is_left_out_where_it_cannot_be_known() {
    let (_place, folder, database) = stored().await;
    let metrics = Metrics::default();
    show_free_space(&metrics.registry, database).unwrap();
    let shown = async || metrics.text().await.contains("myevents_data_free_bytes");
    assert!(shown().await);

    fs::remove_dir_all(&folder).unwrap();

    assert!(!shown().await, "a 0 would look like a full disk");
}
