//! What an older version has stored: names that can be written in two forms were searched for in the form they had.

use std::{sync::Arc, time::Duration};

use eventservice::store::{Filter, sqlite::open};
use metrics::Registry;
use mongo::{error::Deadline, key, table::Table};
use mongodb::bson::{Document, doc};
use rusqlite::Connection;
use sqlite::writer::StoreMetrics;
use testing::{eventually_mut as eventually, mongo_server};
use uuid::Uuid;

use crate::{
    mongo::{database, on},
    sqlite::within,
    suite::Fixture,
};

const NAME: &str = "Cafe\u{301}";
const OLD_FORM: &str = "cafe\u{301}";

async fn is_found(fixture: &Fixture) -> bool {
    let filter = Filter { name: Some("caf\u{e9}".to_owned()), ..Filter::default() };
    fixture.found(filter).await == [NAME]
}

#[tokio::test]
async fn a_file_of_an_older_version_is_searched_in_the_form_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eventservice.db");
    let new = Arc::new(open(folder.path().into(), StoreMetrics::new(&Registry::new()).unwrap()).unwrap());
    let closed = new.closed();
    drop(new);
    closed.cancelled().await;
    let older = Connection::open(path).unwrap();
    let insert = "INSERT INTO events (id, name, name_lower, start_date, end_date) VALUES (?, ?, ?, 0, 1)";
    for (name, form) in [(NAME, OLD_FORM), ("Tango", "tango")] {
        older.execute(insert, (Uuid::now_v7(), name, form)).unwrap();
    }
    older.pragma_update(None, "user_version", 2).unwrap();
    drop(older);
    assert!(is_found(&within(folder).await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_an_older_version_is_searched_in_the_form_of_today() {
    let Some(server) = mongo_server::shared() else { return };
    let url = server.url(&format!("myevents-test-{}", Uuid::new_v4().simple()));
    let older = on(&url).await;
    let events = Table::<Document>::of(&database(&url, &Registry::new()).await, "events");
    for number in 0..501 {
        older.add(&format!("Tango {number}"), "2027-01-01T00:00:00Z", None).await; // more than are compared at a time
    }
    let cafe = older.add(NAME, "2027-01-01T00:00:00Z", None).await.id();
    let old = doc! { "$set": { "name_lower": OLD_FORM } };
    assert!(events.change(Deadline::new(), "test", doc! { "_id": key(cafe) }, old).await.unwrap());
    assert!(!is_found(&older).await);

    let newer = on(&url).await;
    eventually(Duration::from_secs(10), "it is found", async || is_found(&newer).await).await;
}
