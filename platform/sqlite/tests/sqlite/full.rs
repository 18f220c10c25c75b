//! A full disk: `max_page_count` makes SQLite answer exactly as it does when there is no space.

use std::{sync::Arc, time::Duration};

use sqlite::Database;
use testing::{
    eventually, logs,
    notes::{file, hold_the_writer, new_database, notes, open, store},
};

/// More than any test stores.
const NO_LIMIT: u32 = 1_000_000;

/// Stores notes of a kilobyte until the disk is full, and tries some more; gives those that were answered with success.
async fn fill(database: &Database) -> Vec<String> {
    let mut kept = Vec::new();
    let mut refused = 0;
    for number in 0.. {
        let note = format!("{number} {}", "x".repeat(1000));
        match store(database, note.clone()).await {
            Ok(()) => kept.push(note),
            Err(_) => refused += 1,
        }
        if refused == 20 {
            break;
        }
    }
    kept
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_it_works_again_when_there_is_space() {
    let (folder, database) = new_database();
    database.limit_pages(50).await.unwrap();
    let mut kept = fill(&database).await;
    assert!(kept.len() > 10, "only {} notes fitted", kept.len());
    assert_eq!(notes(&database).await, kept);

    database.limit_pages(NO_LIMIT).await.unwrap();
    store(&database, "there is space again").await.unwrap();
    kept.push("there is space again".into());
    assert_eq!(notes(&database).await, kept);
    drop(database);
    assert_eq!(notes(&open(folder.path()).unwrap()).await, kept);
}

#[tokio::test]
async fn a_full_disk_is_one_log_line_that_says_so_and_its_end_is_another() {
    logs::capture();
    let (folder, database) = new_database();
    let path = file(folder.path()).display().to_string();
    let lines = |level: &str| logs::lines_with(&path).into_iter().filter(|l| l.contains(level)).collect::<Vec<_>>();

    database.limit_pages(10).await.unwrap();
    fill(&database).await;
    // Some requests still fit; they must not make it look as if all were well.
    for _ in 0..10 {
        database.write(|c| c.execute("UPDATE notes SET text = 'y'", []).map(drop), |()| {}).await.unwrap();
        store(&database, "z".repeat(100_000)).await.unwrap_err();
    }
    assert_eq!(lines("ERROR").len(), 1, "{:#?}", lines(""));
    assert!(lines("ERROR")[0].contains("full"), "{}", lines("ERROR")[0]);
    assert!(lines("INFO").is_empty(), "{:#?}", lines("INFO"));

    database.limit_pages(NO_LIMIT).await.unwrap();
    eventually(Duration::from_secs(10), "a line that it works again", async || {
        store(&database, "there is space again").await.unwrap();
        !lines("INFO").is_empty()
    })
    .await;
    store(&database, "and still").await.unwrap();
    assert_eq!((lines("ERROR").len(), lines("INFO").len()), (1, 1), "{:#?}", lines(""));
}

#[tokio::test]
async fn a_request_that_shares_a_commit_with_one_that_does_not_fit_gets_its_own_answer() {
    let (_folder, database) = new_database();
    let database = Arc::new(database);
    store(&database, "first").await.unwrap();
    database.limit_pages(1).await.unwrap(); // SQLite takes it as: not one page more
    for _ in 0..10 {
        let before = notes(&database).await;
        let held = hold_the_writer(&database).await;
        let release = async { drop(held) };
        let big = store(&database, "x".repeat(100_000));
        let (small, big, late, ()) = tokio::join!(store(&database, "small"), big, store(&database, "late"), release);
        assert!(big.unwrap_err().to_string().contains("full"));
        let answered_ok = [(&small, "small"), (&late, "late")].into_iter().filter(|(result, _)| result.is_ok());
        let expected: Vec<String> = before.into_iter().chain(answered_ok.map(|(_, text)| text.to_owned())).collect();
        assert_eq!(notes(&database).await, expected);
    }
    database.limit_pages(NO_LIMIT).await.unwrap();
    store(&database, "x".repeat(100_000)).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_stored_is_logged_also_where_others_in_the_commit_succeed() {
    logs::capture();
    let (folder, database) = new_database();
    let path = file(folder.path()).display().to_string();
    database.write(|c| c.execute("INSERT INTO nowhere VALUES (1)", []), |_| {}).await.unwrap_err();
    let lines = logs::lines_with(&path);
    assert!(lines.len() == 1 && lines[0].contains("nowhere"), "{lines:#?}");
}
