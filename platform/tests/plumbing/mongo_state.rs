//! What the log says about the database: one line for each change, and true ones.

use std::{sync::Arc, time::Duration};

use mongodb::bson::{Document, doc};
use platform::{
    config::{Checks, given},
    mongo::{
        Mongo,
        address::MongoUrl,
        error::{Deadline, MongoError},
        metrics::ClientMetrics,
        outbox::MongoOutbox,
    },
    outbox::Outbox,
};
use prometheus::Registry;
use uuid::Uuid;

use crate::logs;

/// A client of a database whose name no other test logs, and that name.
async fn client(address: &str, options: &str) -> (Mongo, String) {
    logs::capture();
    let name = format!("myevents-test-{}", Uuid::new_v4().simple());
    let url = Some(format!("mongodb://{address}/{name}{options}"));
    let url = MongoUrl::read(&mut Checks::new(), given("MONGO_URL", &url), given("", &None)).unwrap();
    (Mongo::open(&url, "notes", ClientMetrics::new(&Registry::new()).unwrap()).await.unwrap(), name)
}

async fn read(mongo: &Mongo, time: Duration) -> MongoError {
    mongo.table::<Document>("notes").get(Deadline::after(time), doc! {}, doc! {}).await.unwrap_err()
}

#[tokio::test]
async fn a_call_for_which_no_time_is_left_is_no_failure_of_the_database() {
    let (mongo, name) = client("127.0.0.1:1", "").await; // nobody is there, and nobody is asked
    for _ in 0..3 {
        assert_eq!(read(&mongo, Duration::ZERO).await, MongoError::Late);
    }
    let [line] = &logs::lines_with(&name)[..] else { panic!("{:?}", logs::lines_with(&name)) };
    assert!(line.contains("WARN") && line.contains("is slow"), "{line}");

    read(&mongo, Duration::from_secs(3)).await;
    read(&mongo, Duration::ZERO).await;
    let [_, line] = &logs::lines_with(&name)[..] else { panic!("{:?}", logs::lines_with(&name)) };
    assert!(line.contains("does not work"), "{line}");
}

#[tokio::test]
async fn an_outbox_that_cannot_be_seen_is_not_called_empty() {
    let (mongo, _) = client("127.0.0.1:1", "").await;
    // Without the lease it does not look for what others left, and so it does not see by itself that nobody is there.
    let outbox = MongoOutbox::new(&mongo, &["notes"], Arc::default());
    read(&mongo, Duration::from_secs(3)).await;
    for _ in 0..2 {
        let told = outbox.pending(10).await.unwrap_err().to_string();
        assert!(told.contains("no MongoDB server can be reached"), "{told}");
    }
}
