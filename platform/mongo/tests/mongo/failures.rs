//! What the log says about the database: one line for each change, and true ones.

use std::{sync::Arc, time::Duration};

use messaging::outbox::Outbox;
use mongo::{
    Mongo,
    address::MongoUrl,
    error::{Deadline, MongoError},
    metrics::ClientMetrics,
    outbox::MongoOutbox,
    table::Table,
};
use mongodb::bson::{Document, doc};
use process::checks::{Checks, option};
use prometheus::Registry;
use testing::logs;
use uuid::Uuid;

/// A client of a database whose name no other test logs, and that name.
async fn client(address: &str, options: &str) -> (Mongo, String) {
    logs::capture();
    let name = format!("myevents-test-{}", Uuid::new_v4().simple());
    let url = Some(format!("mongodb://{address}/{name}{options}"));
    let url = MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &url), option("", &None)).unwrap();
    (Mongo::open(&url, "notes", ClientMetrics::new(&Registry::new()).unwrap()).await.unwrap(), name)
}

async fn read(mongo: &Mongo, time: Duration) -> MongoError {
    Table::<Document>::of(mongo, "notes").get(Deadline::after(time), doc! {}, doc! {}).await.unwrap_err()
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
    let outbox = MongoOutbox::new(&mongo, &["notes"], Arc::default(), None);
    read(&mongo, Duration::from_secs(3)).await;
    for _ in 0..2 {
        let text = outbox.pending(10).await.unwrap_err().to_string();
        assert!(text.contains("no MongoDB server can be reached"), "{text}");
    }
}

/// Where the server for tests is.
fn address() -> Option<String> {
    let url = testing::mongo_server::shared()?.url("x");
    Some(
        url.rsplit_once('@').map_or(url.trim_start_matches("mongodb://"), |(_, hosts)| hosts).split_once('/')?.0.into(),
    )
}

/// What is said of a server that needs somebody: by several calls at once, by `/readyz`, and once in the log.
async fn refused(address: &str, options: &str) -> String {
    let (mongo, name) = client(address, options).await;
    let call = || read(&mongo, Duration::from_secs(3));
    for round in 0..2 {
        for failure in [tokio::join!(call(), call(), call(), call())].into_iter().flat_map(<[MongoError; 4]>::from) {
            assert!(matches!(failure, MongoError::Refused(_)), "round {round}: {failure:?}");
        }
    }
    let text = call().await.to_string();
    assert_eq!(mongo.probe()().await, Err(text.clone()));
    let [line] = &logs::lines_with(&name)[..] else { panic!("{:#?}", logs::lines_with(&name)) };
    assert!(line.contains("ERROR") && line.contains("somebody must do something") && line.contains(&text), "{line}");
    for dump in ["Kind:", "labels", "hunter2", "Some("] {
        assert!(!line.contains(dump), "{line}");
    }
    assert!(text.chars().count() < 400, "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_login_is_logged_once_with_what_to_do_and_without_the_password() {
    let Some(address) = address() else { return };
    let text = refused(&format!("nobody:hunter2@{address}"), "?directConnection=true").await;
    assert!(text.contains("refuses the login (SCRAM failure: Authentication failed.)"), "{text}");
    assert!(text.contains("correct user and password in MONGO_URL"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_where_it_is_demanded_is_reported() {
    // It hangs up, as mongod does; the stand-in does not even that.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = tokio::io::AsyncReadExt::read(&mut client, &mut [0; 1024]).await;
        }
    });
    let text = refused(&address, "?tls=true").await;
    assert!(text.contains("no encrypted connection can be made") && text.contains("tlsCAFile"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_belongs_to_another_replica_set_is_reported() {
    let Some(address) = address() else { return };
    for options in ["?replicaSet=not-this-one", "?replicaSet=not-this-one&directConnection=true"] {
        let text = refused(&address, options).await;
        assert!(text.contains("belongs to no replica set, and MONGO_URL says replicaSet=not-this-one"), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_host_is_reported_as_that_and_may_become_known() {
    let (mongo, name) = client("no-such-host.invalid:27017", "").await;
    let failure = read(&mongo, Duration::from_secs(3)).await;
    assert!(matches!(failure, MongoError::Away(_)), "{failure:?}");
    let text = "no MongoDB server can be reached: no-such-host.invalid:27017: no such host name is known";
    assert!(failure.to_string().starts_with(text), "{failure}");
    let [line] = &logs::lines_with(&name)[..] else { panic!("{:?}", logs::lines_with(&name)) };
    assert!(line.contains("WARN") && line.contains(text), "{line}");
}
