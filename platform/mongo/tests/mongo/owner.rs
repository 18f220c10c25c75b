//! A database has one owner: a service writes nothing before it knows that the database is its own, and another one is refused.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mongo::{
    Index, Mongo,
    error::{Deadline, MongoError},
    faults::{Fault, Faults},
    table::{Inserted, Table},
};
use mongodb::bson::{Document, doc};
use process::background::Background;
use testing::{eventually, logs};

use crate::outbox::{client_of, new_url};

const SOON: Duration = Duration::from_secs(10);

/// A service that has one collection.
struct Service {
    mongo: Mongo,
    /// The steps that it has taken.
    steps: Arc<Mutex<Vec<&'static str>>>,
    background: Background,
}

impl Service {
    /// Its steps fail as `fault` says.
    async fn new(url: &str, name: &str, fault: impl Fn(&'static str) -> Fault + Send + Sync + 'static) -> Self {
        let steps: Arc<Mutex<Vec<_>>> = Arc::default();
        let taken = steps.clone();
        let faults = Faults::new(move |step| {
            taken.lock().unwrap().push(step);
            fault(step)
        });
        Self { mongo: client_of(url, name).await.with_faults(faults), steps, background: Background::default() }
    }

    /// As it starts, with this collection.
    fn start(&self, table: &'static str) {
        self.mongo.prepare(vec![Index { table, keys: doc! { "at": 1 }, sparse: false }], &[], &self.background);
    }

    async fn started(url: &str, name: &str, table: &'static str) -> Self {
        let service = Self::new(url, name, |_| Fault::None).await;
        service.start(table);
        service
    }

    async fn write(&self, table: &str) -> Result<Inserted, MongoError> {
        Table::of(&self.mongo, table).insert(Deadline::new(), "note", doc! { "_id": self.name() }).await
    }

    async fn readiness(&self) -> Result<String, String> {
        self.mongo.probe()().await
    }

    async fn is_refused(&self, words: &[&str]) -> bool {
        self.readiness().await.is_err_and(|cause| words.iter().all(|word| cause.contains(word)))
    }

    fn name(&self) -> String {
        format!("{:p}", Arc::as_ptr(&self.steps))
    }

    fn steps(&self) -> Vec<&'static str> {
        self.steps.lock().unwrap().clone()
    }
}

/// All documents of a collection, as anybody reads them.
async fn documents(url: &str, table: &str) -> Vec<Document> {
    Table::<Document>::of(&client_of(url, "anybody").await, table).aggregate(Deadline::new(), vec![]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_another_service_owns_is_refused_by_name_and_nothing_is_written() {
    let Some((url, name)) = new_url() else { return };
    logs::capture();
    let letters = Service::started(&url, "letters", "letters").await;
    eventually(SOON, "the first is ready", async || letters.readiness().await.is_ok()).await;
    assert_eq!(documents(&url, "owner").await, [doc! { "_id": "owner", "service": "letters" }]);

    let notes = Service::started(&url, "notes", "notes").await;
    let failure = notes.write("notes").await.unwrap_err(); // before it is known, too
    let words = [&*format!("{name:?} belongs to the service \"letters\""), "this is the service \"notes\""];
    assert!(matches!(&failure, MongoError::Refused(text) if words.iter().all(|word| text.contains(word))), "{failure}");
    assert!(failure.to_string().contains("path of MONGO_URL, or none, which means \"notes\""), "{failure}");
    eventually(SOON, "it is never ready", async || notes.is_refused(&words).await).await;
    assert!(notes.steps().iter().all(|step| ["ping", "owner"].contains(step)), "{:?}", notes.steps());
    assert_eq!(documents(&url, "notes").await, []);
    let lines = logs::lines_with("this is the service \"notes\"");
    let lines: Vec<_> = lines.iter().filter(|line| line.contains(&name)).collect();
    assert!(lines.len() == 1 && lines[0].contains("ERROR"), "{lines:?}");

    // Another process of the owner is welcome.
    let again = Service::started(&url, "letters", "letters").await;
    eventually(SOON, "a second replica is ready", async || again.readiness().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_services_that_start_at_once_on_an_empty_database_one_becomes_the_owner() {
    for _ in 0..10 {
        let Some((url, _)) = new_url() else { return };
        let services =
            tokio::join!(async { Service::started(&url, "letters", "letters").await.write("letters").await }, async {
                Service::started(&url, "notes", "notes").await.write("notes").await
            },);
        let (written, owner) = match &services {
            (Ok(_), Err(MongoError::Refused(_))) => ("letters", "letters"),
            (Err(MongoError::Refused(_)), Ok(_)) => ("notes", "notes"),
            others => panic!("{others:?}"),
        };
        assert_eq!(documents(&url, "owner").await, [doc! { "_id": "owner", "service": owner }]);
        assert_eq!(documents(&url, "letters").await.len() + documents(&url, "notes").await.len(), 1);
        assert_eq!(documents(&url, written).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_an_owner_becomes_the_services_if_all_that_is_there_is_its_own() {
    let Some((url, name)) = new_url() else { return };
    let older = Service::new(&url, "notes", |_| Fault::None).await; // it knows no owner
    older.write("notes").await.unwrap();
    older.write("leases").await.unwrap();
    let notes = Service::started(&url, "notes", "notes").await;
    assert_eq!(notes.write("notes").await, Ok(Inserted::New));
    assert_eq!(documents(&url, "owner").await, [doc! { "_id": "owner", "service": "notes" }]);

    let Some((url, other)) = new_url() else { return };
    let stranger = Service::new(&url, "shop", |_| Fault::None).await;
    stranger.write("notes").await.unwrap();
    stranger.write("orders").await.unwrap();
    let notes = Service::started(&url, "notes", "notes").await;
    let words = [&*format!("{other:?} names no owner and has the collection \"orders\""), "db.owner.insertOne("];
    eventually(SOON, "it is refused", async || notes.is_refused(&words).await).await;
    assert_eq!(documents(&url, "owner").await, []);
    assert_ne!(name, other);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_it_is_known_whose_the_database_is_calls_fail_as_not_sent_and_soon() {
    let Some((url, _)) = new_url() else { return };
    let lost = Service::new(&url, "notes", |step| if step == "owner" { Fault::LostAnswer } else { Fault::None }).await;
    lost.start("notes");
    for _ in 0..3 {
        let began = Instant::now();
        let failure = lost.write("notes").await.unwrap_err();
        assert!(!failure.may_have_written(), "{failure:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    assert!(lost.is_refused(&["it is not known yet which service and version wrote the database"]).await);
    assert!(!lost.steps().contains(&"note") && !lost.steps().contains(&"index"), "{:?}", lost.steps());
}
