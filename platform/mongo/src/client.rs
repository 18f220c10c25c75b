//! The client of one database: how it connects, and the one way by which every call goes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mongodb::{
    Client,
    bson::{self, doc},
    options::{Acknowledgment, ClientOptions, ReadConcern, SelectionCriteria, WriteConcern},
};
use process::{background::Background, health::Probe};

use crate::{
    address::MongoUrl,
    error::{ClientError, Deadline, MongoError},
    faults::Faults,
    index::Index,
    metrics::ClientMetrics,
    monitor::Monitor,
    old_field::OldField,
    state::State,
};

/// How long a server is looked for. Shorter than a [`Deadline`], so that a request whose first write may have happened
/// still finds out that the server is gone.
const SELECTION: Duration = Duration::from_millis(1500);

/// For a new connection, TLS and authentication included.
const CONNECT: Duration = Duration::from_secs(2);

/// Connections at most. A hot document is changed one by one anyway, so more of them would only wait there.
const POOL: u32 = 64;

/// How often the server is asked whether it is there, by somebody who has nothing else to ask.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Whoever asks how the server is (`/readyz` waits for 2 s) shall hear why it is not there, and not that it takes long.
const PING: Duration = Duration::from_millis(1750);

/// Indexes are made, and made again if that failed, in this pace. Building one on much data takes as long as it takes.
const PREPARE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(600));

/// One database of a server, or of several that are one to their clients.
#[derive(Clone)]
pub struct Mongo {
    client: Client,
    pub(crate) database: mongodb::Database,
    pub(crate) state: Arc<State>,
    /// Whether the indexes are there, or why not.
    prepared: Arc<Mutex<Result<(), String>>>,
    metrics: ClientMetrics,
    faults: Faults,
}

impl Mongo {
    /// Makes a client. It connects by itself, now or when the server comes. `service` names the database where the URL
    /// names none.
    pub async fn open(url: &MongoUrl, service: &str, metrics: ClientMetrics) -> Result<Self, ClientError> {
        let mut options = ClientOptions::parse(url.connection_string()?).await?;
        options.app_name = Some(service.to_owned());
        options.server_selection_timeout = Some(SELECTION);
        options.connect_timeout = Some(CONNECT);
        options.max_pool_size = Some(options.max_pool_size.unwrap_or(POOL));
        options.heartbeat_freq = Some(options.heartbeat_freq.unwrap_or(HEARTBEAT));
        options.retry_writes = Some(options.retry_writes.unwrap_or(true));
        // What was answered survives the loss of a server, and what was read cannot be taken back.
        let durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
        options.write_concern = Some(durable);
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(mongodb::options::ReadPreference::Primary));
        options.command_event_handler = Some(metrics.commands());
        options.cmap_event_handler = Some(metrics.pool());
        let monitor = Monitor::new(&options);
        options.sdam_event_handler = Some(monitor.events());
        let name = options.default_database.clone().unwrap_or_else(|| service.to_owned());
        let client = Client::with_options(options)?;
        let (database, state) = (client.database(&name), Arc::new(State::new(url.masked(), monitor)));
        let prepared = Arc::new(Mutex::new(Err("the indexes are being made".to_owned())));
        Ok(Self { client, database, state, prepared, metrics, faults: Faults::none() })
    }

    /// The same database, with faults; for tests.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Makes the indexes as soon as the server is there, and watches whether it answers. Until the indexes are there the
    /// service is not ready; it works without them, slowly. A database with one of the `old` fields is refused: the service is never
    /// ready, and no call is made any more.
    pub fn prepare(&self, indexes: Vec<Index>, old: &'static [OldField], background: &Background) {
        let mongo = self.clone();
        background.spawn(async move {
            for field in old {
                while let Err(cause) = mongo.refuse_if_there(*field).await {
                    mongo.set_prepared(Err(format!("it is not known yet which version wrote the database: {cause}")));
                    tokio::time::sleep(PREPARE.0).await;
                }
            }
            for index in indexes {
                while let Err(cause) = mongo.make(&index).await {
                    mongo.set_prepared(Err(format!("the indexes are not made yet: {cause}")));
                    tokio::time::sleep(PREPARE.0).await;
                }
            }
            mongo.set_prepared(Ok(()));
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let _ = mongo.ping().await; // the state logs it
            }
        });
    }

    fn set_prepared(&self, prepared: Result<(), String>) {
        *self.prepared.lock().expect("nothing panics while it holds this") = prepared;
    }

    async fn refuse_if_there(&self, old: OldField) -> Result<(), MongoError> {
        if self.state.refused().is_some() {
            return Ok(());
        }
        self.ping().await?;
        let collection = self.database.collection::<bson::Document>(old.table);
        let find = async move { collection.find_one(doc! { old.field: { "$exists": true } }).await };
        if self.call(Deadline::after(PREPARE.1), "version", find).await?.is_some() {
            self.state.refuse(old.refusal());
        }
        Ok(())
    }

    async fn make(&self, index: &Index) -> Result<(), MongoError> {
        // Two calls: a server that is away must be seen at once, while an index may take its time.
        self.ping().await?;
        let (database, index) = (self.database.clone(), index.clone());
        let make = async move {
            let (table, model) = index.model();
            database.collection::<bson::Document>(table).create_index(model).await.map(drop)
        };
        self.call(Deadline::after(PREPARE.1), "index", make).await
    }

    pub(crate) async fn ping(&self) -> Result<(), MongoError> {
        let database = self.database.clone();
        let ping = async move { database.run_command(doc! { "ping": 1 }).await.map(drop) };
        self.call(Deadline::after(PING), "ping", ping).await
    }

    /// A check for `/readyz`: whether the server answers, and the indexes are there.
    pub fn probe(&self) -> Probe {
        let mongo = self.clone();
        Arc::new(move || {
            let mongo = mongo.clone();
            Box::pin(async move {
                mongo.ping().await.map_err(|cause| cause.to_string())?;
                let prepared = mongo.prepared.lock().expect("nothing panics while it holds this").clone();
                prepared.map(|()| "MongoDB answers".to_owned())
            })
        })
    }

    /// One call: under a deadline, told to the state, and with the faults of a test.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        deadline: Deadline,
        step: &'static str,
        call: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
    ) -> Result<T, MongoError> {
        let (state, metrics) = (self.state.clone(), self.metrics.clone());
        let call = async move {
            deadline.bound(call).await.map_err(|failure| {
                if matches!(failure, MongoError::Away(_)) {
                    metrics.found_no_server();
                }
                state.explain(failure)
            })
        };
        let result = match self.state.refused() {
            Some(cause) => Err(MongoError::Refused(cause)),
            None => self.faults.inject(step, call).await,
        };
        self.state.tell(result.as_ref().err());
        result
    }

    /// Ends the connections. Must be called before the runtime ends: dropping a client later can panic.
    pub async fn close(self) {
        // Whoever still holds a cursor is not waited for: the process ends, and the server drops it.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.client.shutdown().immediate(true)).await;
    }
}
