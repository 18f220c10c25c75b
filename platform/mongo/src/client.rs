//! The client of one database: how it connects, the one function through which every call goes, and what is known of the database
//! ([`State`]): nothing is called before it is known to be the service's own, and of its version. Read next: `prepare.rs`, which
//! finds that out.

use std::{sync::Arc, time::Duration};

use mongodb::{
    Client,
    bson::doc,
    options::{Acknowledgment, ClientOptions, ReadConcern, SelectionCriteria, WriteConcern},
};
use process::health::Probe;
use tokio::sync::watch;

use crate::{
    address::MongoUrl,
    error::{ClientError, Deadline, MongoError},
    failures::Failures,
    faults::Faults,
    metrics::ClientMetrics,
    monitor::Monitor,
};

/// How long the driver looks for a server. It is shorter than a [`Deadline`], so that a request whose first write may have
/// happened still finds out that the server is away.
const SELECTION_TIMEOUT: Duration = Duration::from_millis(1500);

/// For a new connection: TLS and login included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The most connections. Writes of one hot document wait for each other in the server, so more connections would only wait there.
const POOL_MAX: u32 = 64;

/// How often the driver checks the server, and an idle client pings it.
pub(super) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// For a ping. It is shorter than the 2 s that `/readyz` waits, so that its answer says why the server is away.
const PING_TIMEOUT: Duration = Duration::from_millis(1750);

/// One database of a standalone server, a replica set or a sharded cluster.
#[derive(Clone)]
pub struct Mongo {
    client: Client,
    pub(crate) database: mongodb::Database,
    pub(crate) failures: Arc<Failures>,
    /// The service whose database it must be.
    pub(crate) service: Arc<str>,
    /// Whether it may be used, and whether it is ready.
    pub(crate) state: watch::Sender<State>,
    metrics: ClientMetrics,
    faults: Faults,
}

impl Mongo {
    /// Makes a client. It connects by itself, now or when the server comes. `service` names the database where the URL
    /// names none.
    pub async fn open(url: &MongoUrl, service: &str, metrics: ClientMetrics) -> Result<Self, ClientError> {
        let mut options = ClientOptions::parse(url.connection_string()?).await?;
        options.app_name = Some(service.to_owned());
        options.server_selection_timeout = Some(SELECTION_TIMEOUT);
        options.connect_timeout = Some(CONNECT_TIMEOUT);
        options.max_pool_size = Some(options.max_pool_size.unwrap_or(POOL_MAX));
        options.heartbeat_freq = Some(options.heartbeat_freq.unwrap_or(HEARTBEAT_INTERVAL));
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
        let (database, failures) = (client.database(&name), Arc::new(Failures::new(url.masked(), monitor)));
        let (service, state) = (service.into(), watch::Sender::new(State::default()));
        Ok(Self { client, database, failures, service, state, metrics, faults: Faults::none() })
    }

    /// The same database, with faults; for tests.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Asks whether the server answers. It reads and writes nothing, so it need not be known yet whose database it is.
    pub(crate) async fn ping(&self) -> Result<(), MongoError> {
        let refusal = self.state.borrow().refusal();
        if let Some(refusal) = refusal {
            return self.recorded(Err(refusal));
        }
        let database = self.database.clone();
        let ping = async move { database.run_command(doc! { "ping": 1 }).await.map(drop) };
        self.call_before_use(Deadline::after(PING_TIMEOUT), "ping", ping).await
    }

    /// A check for `/readyz`: whether the server answers, the database is the service's, and the indexes are there.
    pub fn probe(&self) -> Probe {
        let mongo = self.clone();
        Arc::new(move || {
            let mongo = mongo.clone();
            Box::pin(async move {
                mongo.ping().await.map_err(|cause| cause.to_string())?;
                mongo.state.borrow().readiness()
            })
        })
    }

    /// One call, as soon as the database is known to be the service's own.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        deadline: Deadline,
        step: &'static str,
        call: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
    ) -> Result<T, MongoError> {
        match State::wait(&self.state, deadline).await {
            Ok(()) => self.call_before_use(deadline, step, call).await,
            Err(cause) => self.recorded(Err(cause)),
        }
    }

    /// One call: with a deadline, with its failure logged, and with the faults of a test. For [`Self::call`], and for what finds out
    /// whose database it is.
    pub(crate) async fn call_before_use<T: Send + 'static>(
        &self,
        deadline: Deadline,
        step: &'static str,
        call: impl Future<Output = mongodb::error::Result<T>> + Send + 'static,
    ) -> Result<T, MongoError> {
        self.recorded(self.faults.inject(step, deadline.bound(call)).await)
    }

    fn recorded<T>(&self, result: Result<T, MongoError>) -> Result<T, MongoError> {
        if matches!(result, Err(MongoError::Away(_))) {
            self.metrics.found_no_server();
        }
        let result = result.map_err(|failure| self.failures.explain(failure));
        self.failures.record(result.as_ref().err());
        result
    }

    /// Closes the connections. Must be called before the runtime ends: the driver starts tasks when a client is dropped, which
    /// panics without a runtime (<https://github.com/mongodb/mongo-rust-driver/issues/1287>). This can go when the driver starts none.
    pub async fn close(self) {
        // Open cursors are not waited for: the process ends, and the server drops them.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.client.shutdown().immediate(true)).await;
    }
}

/// What is known of the database.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Not yet whether it may be used: calls wait for that. They fail if the last look has failed.
    Unknown(Option<MongoError>),
    /// It may be used, and if this is a reason, the service is not ready yet.
    Usable(Option<String>),
    /// It must not be used.
    Refused(String),
}

/// That of a client that nobody prepares, as tests have it.
impl Default for State {
    fn default() -> Self {
        Self::Usable(Some("the indexes are being made".to_owned()))
    }
}

impl State {
    /// Waits until it is known that the database may be used.
    pub(super) async fn wait(state: &watch::Sender<Self>, deadline: Deadline) -> Result<(), MongoError> {
        if matches!(*state.borrow(), Self::Usable(_)) {
            return Ok(());
        }
        let mut state = state.subscribe();
        let known = state.wait_for(|state| !matches!(state, Self::Unknown(None)));
        let Ok(state) = deadline.wait_for(known).await? else { return Err(MongoError::Late) };
        match &*state {
            Self::Usable(_) => Ok(()),
            Self::Unknown(Some(cause)) => Err(cause.clone().of_what_was_not_sent()),
            Self::Unknown(None) => Err(MongoError::Late),
            Self::Refused(cause) => Err(MongoError::Refused(cause.clone())),
        }
    }

    pub(super) fn refusal(&self) -> Option<MongoError> {
        if let Self::Refused(cause) = self { Some(MongoError::Refused(cause.clone())) } else { None }
    }

    pub(super) fn readiness(&self) -> Result<String, String> {
        match self {
            Self::Usable(None) => Ok("MongoDB answers".to_owned()),
            Self::Usable(Some(cause)) | Self::Refused(cause) => Err(cause.clone()),
            Self::Unknown(None) => Err("it is not known yet which service and version wrote the database".to_owned()),
            Self::Unknown(Some(cause)) => {
                Err(format!("it is not known yet which service and version wrote the database: {cause}"))
            }
        }
    }
}
