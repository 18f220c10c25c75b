//! What the log says about the database: one line for each change, and true ones.

use std::{sync::Arc, time::Duration};

use messaging::outbox::Outbox;
use metrics::Registry;
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
use testing::logs;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 1024]).await;
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

/// A server that answers the driver's question what it is, and nothing else: no server for tests is a member of a replica set.
async fn server_that_says(hello: Document) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(answer(client, hello.clone()));
        }
    });
    address
}

/// Reads messages, and answers each with the same document: an OP_MSG (2013) with its one section of kind 0.
async fn answer(mut client: TcpStream, hello: Document) -> std::io::Result<()> {
    loop {
        let (length, request) = (client.read_i32_le().await?, client.read_i32_le().await?);
        client.read_exact(&mut vec![0; usize::try_from(length).unwrap() - 8]).await?;
        let body = mongodb::bson::serialize_to_vec(&hello).unwrap();
        for number in [21 + i32::try_from(body.len()).unwrap(), 0, request, 2013, 0] {
            client.write_i32_le(number).await?;
        }
        client.write_u8(0).await?;
        client.write_all(&body).await?;
    }
}

fn member(more: Document) -> Document {
    let mut hello = doc! { "ok": 1, "maxWireVersion": 13, "minWireVersion": 0, "maxBsonObjectSize": 16_777_216,
    "maxMessageSizeBytes": 48_000_000 };
    hello.extend(more);
    hello
}

#[tokio::test]
async fn a_member_whose_name_nobody_knows_is_reported_with_who_says_it_and_what_to_do() {
    let members = vec!["mongo-0.invalid:27017", "mongo-1.invalid:27017"];
    let primary = doc! { "setName": "rs0", "isWritablePrimary": true, "ismaster": true, "hosts": members };
    let address = server_that_says(member(primary)).await;
    for options in ["", "?replicaSet=rs0"] {
        let (mongo, name) = client(&address, options).await;
        let failure = read(&mongo, Duration::from_secs(3)).await;
        assert!(matches!(failure, MongoError::Away(_)), "{failure:?}");
        let text = failure.to_string();
        assert!(
            text.contains("mongo-0.invalid:27017: no such host name is known; mongo-1.invalid:27017: no"),
            "{text}"
        );
        let origin = format!("the server at {address} says that its replica set \"rs0\" has this member");
        assert_eq!(text.matches(&origin).count(), 1, "{text}");
        assert!(text.contains("add directConnection=true to MONGO_URL") && text.contains("rs.reconfig()"), "{text}");
        assert!(!text.contains("is it right in MONGO_URL"), "{text}");
        assert!(logs::lines_with(&name)[0].contains(&origin), "{:?}", logs::lines_with(&name));
    }
}

#[tokio::test]
async fn a_server_whose_replica_set_is_not_initiated_is_reported() {
    let address = server_that_says(member(doc! { "isreplicaset": true, "ismaster": false })).await;
    for options in ["", "?replicaSet=rs0"] {
        let failure = read(&client(&address, options).await.0, Duration::from_secs(3)).await;
        assert!(matches!(failure, MongoError::Away(_)), "{options}: {failure:?}");
        assert!(failure.to_string().contains("initiated, by rs.initiate()"), "{options}: {failure}");
    }
}

#[tokio::test]
async fn a_replica_set_without_a_primary_is_reported_as_that() {
    let address = server_that_says(member(doc! { "setName": "rs0", "secondary": true, "hosts": [] })).await;
    let failure = read(&client(&address, "?replicaSet=rs0").await.0, Duration::from_secs(3)).await;
    assert_eq!(failure, MongoError::Away("none of those that answer is the primary".into()));
}
