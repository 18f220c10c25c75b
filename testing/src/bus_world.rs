//! A publisher with its outbox and relay, a bus, and handlers that answer as a test says. Used by `bus_suite.rs`.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use messaging::{
    Bus, DeadLetters, Effect, Entry, Handler, Message, Outcome, Subscription,
    metrics::{ConsumeMetrics, RelayMetrics, show_backlog},
    outbox::{Outbox, relay::Relay},
};
use process::metrics::Metrics;
use sqlite::{
    Database,
    outbox::{SqliteOutbox, insert},
};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    eventually,
    notes::{as_after_a_kill, open},
};

/// The longest time that a test waits for something.
pub const SOON: Duration = Duration::from_secs(20);

/// A bus and its dead letters, made for one publisher.
pub type BusAndDeadLetters = (Arc<dyn Bus>, Arc<dyn DeadLetters>);
pub type NewBus = fn(Arc<SqliteOutbox>) -> BoxFuture<'static, BusAndDeadLetters>;

pub struct World {
    folder: TempDir,
    new_bus: NewBus,
    database: Arc<Database>,
    pub outbox: Arc<SqliteOutbox>,
    pub bus: Arc<dyn Bus>,
    pub dead: Arc<dyn DeadLetters>,
    /// The queue of the reader. Its name is used by no other test.
    pub queue: &'static str,
    pub metrics: Metrics,
    relay: (Arc<Notify>, RelayMetrics),
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl World {
    pub async fn new(new_bus: NewBus) -> Self {
        let queue = format!("notes-{}", uuid::Uuid::new_v4()).leak();
        Self::in_folder(tempfile::tempdir().unwrap(), queue, new_bus).await
    }

    async fn in_folder(folder: TempDir, queue: &'static str, new_bus: NewBus) -> Self {
        let wake = Arc::new(Notify::new());
        let database = Arc::new(open(folder.path()).unwrap());
        let outbox = Arc::new(SqliteOutbox::open(database.clone(), wake.clone()).await.unwrap());
        let (bus, dead) = new_bus(outbox.clone()).await;
        let mut metrics = Metrics::default();
        show_backlog(&mut metrics, outbox.clone(), dead.clone(), move || vec![queue]).unwrap();
        let relay = (wake, RelayMetrics::new(&metrics.registry, &["noteWritten"]).unwrap());
        Self { folder, new_bus, database, outbox, bus, dead, queue, metrics, relay, running: None }
    }

    /// Subscribes `reader` to the messages of these names.
    pub async fn subscribe(&self, names: &'static [&'static str], reader: &Arc<Reader>) {
        let metrics = ConsumeMetrics::new(&self.metrics.registry, self.queue, names).unwrap();
        let handler = reader.clone();
        self.bus
            .subscribe(Subscription {
                queue: self.queue,
                names,
                handler,
                metrics,
                stories: Default::default(),
                resync_request: None,
            })
            .await;
    }

    /// Commits a message for each body, all in one transaction.
    pub async fn commit<'b>(&self, name: &str, mandatory: bool, bodies: impl IntoIterator<Item = &'b str>) {
        let entries = bodies.into_iter().map(|body| Entry::new(name, mandatory, body.into(), None));
        self.commit_entries(entries.collect()).await;
    }

    pub async fn commit_entries(&self, entries: Vec<Entry>) {
        let (added, count) = (self.outbox.added(), entries.len() as u64);
        let write = move |c: &_| entries.iter().try_for_each(|entry| insert(c, entry));
        self.database.write(write, move |()| added(count)).await.unwrap();
    }

    /// A relay that a test drives step by step.
    pub fn relay(&self) -> Relay {
        let (wake, metrics) = self.relay.clone();
        Relay::new(self.outbox.clone(), self.bus.clone(), wake, metrics, Default::default())
    }

    /// Runs the relay in the background, as a service does.
    pub fn start(&mut self) {
        let stop = CancellationToken::new();
        let relay = tokio::spawn(self.relay().run(stop.clone(), Duration::from_millis(100)));
        self.running = Some((stop, relay));
    }

    /// Stops the relay and waits for its end.
    pub async fn stop(&mut self) {
        let (stop, relay) = self.running.take().unwrap();
        stop.cancel();
        relay.await.unwrap();
    }

    pub async fn pending(&self) -> u64 {
        self.outbox.backlog().await.unwrap().pending
    }

    /// Waits until every message was published.
    pub async fn all_is_sent(&self) {
        eventually(SOON, "the outbox is empty", async || self.pending().await == 0).await;
    }

    /// The value of a metric, by its name and labels as they are written.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.metrics.text().await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
    }

    /// A world as after a kill at this moment: a copy of the files, opened again. This world goes on, on its own files.
    pub async fn killed_and_started_again(&self) -> Self {
        Self::in_folder(as_after_a_kill(self.folder.path()), self.queue, self.new_bus).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((_, relay)) = &self.running {
            relay.abort();
        }
    }
}

type Answer = Arc<dyn Fn(&Message) -> Outcome + Send + Sync>;

/// A handler that answers each message as the test says, and remembers all calls.
pub struct Reader {
    answer: Mutex<Answer>,
    calls: Mutex<Vec<Vec<Message>>>,
    done: Mutex<Vec<Message>>,
}

impl Reader {
    pub fn new(answer: impl Fn(&Message) -> Outcome + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Mutex::new(Arc::new(answer)), calls: Mutex::default(), done: Mutex::default() })
    }

    /// One that accepts every message.
    pub fn accepting() -> Arc<Self> {
        Self::new(|_| Outcome::Done(Effect::Applied))
    }

    /// Accepts every message from now on.
    pub fn accept_all(&self) {
        *self.answer.lock().unwrap() = Arc::new(|_| Outcome::Done(Effect::Applied));
    }

    /// What it was called with, call by call.
    pub fn calls(&self) -> Vec<Vec<Message>> {
        self.calls.lock().unwrap().clone()
    }

    /// How often it was called with this body.
    pub fn tries(&self, body: &str) -> usize {
        self.calls().iter().flatten().filter(|message| message.body == body.as_bytes()).count()
    }

    /// What it has done, oldest first.
    pub fn done(&self) -> Vec<Message> {
        self.done.lock().unwrap().clone()
    }

    /// The bodies of what it has done, oldest first.
    pub fn bodies(&self) -> Vec<String> {
        self.done().iter().map(|message| String::from_utf8(message.body.clone()).unwrap()).collect()
    }
}

#[async_trait]
impl Handler for Reader {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        self.calls.lock().unwrap().push(batch.to_vec());
        let answer = self.answer.lock().unwrap().clone(); // an answer that panics must not poison the lock
        let outcomes: Vec<Outcome> = batch.iter().map(|message| answer(message)).collect();
        let done = batch.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, Outcome::Done(_)));
        self.done.lock().unwrap().extend(done.map(|(message, _)| message.clone()));
        outcomes
    }
}
