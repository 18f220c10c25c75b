//! What the session, the publishers and the dead letters share: the current connection, and its condition.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use messaging::Subscription;
use process::log_on_change::LogOnChange;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    broker::Broker,
    connection::Connection,
    disconnect::{Disconnect, Reason},
    metrics::AmqpMetrics,
};

/// How long a call waits for a connection: at a start, or between two connections.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// The exchange all messages are published to.
pub const EXCHANGE: &str = "events";

/// Settings that tests change.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// The exchange; a test that shares a broker with others takes its own.
    pub exchange: String,
    /// How long a batch is retried in place before it goes to the end of its queue. The broker's own limit
    /// (`consumer_timeout`) is half an hour.
    pub retry_max: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { exchange: EXCHANGE.into(), retry_max: Duration::from_secs(10 * 60) }
    }
}

pub(super) struct Shared {
    pub(super) broker: Broker,
    pub(super) name: &'static str,
    pub(super) tuning: Tuning,
    pub(super) metrics: AmqpMetrics,
    /// The current connection, if there is one.
    pub(super) connection: watch::Sender<Option<Arc<Connection>>>,
    /// Cancelled when nothing more shall be read.
    pub(super) stop: CancellationToken,
    /// Notified when a subscription was added that the session does not have yet.
    pub(super) changed: Notify,
    /// Notified when an error shows that the topology may be damaged.
    pub(super) check_topology: Notify,
    subscriptions: Mutex<Vec<Subscription>>,
    dead: Mutex<HashMap<&'static str, u64>>,
    /// The queues that cannot be declared, read or checked, and why.
    refused: Mutex<HashMap<&'static str, Disconnect>>,
    condition: watch::Sender<Condition>,
    log: Mutex<LogOnChange<Logged>>,
}

/// The condition of the connection, for `/readyz`.
#[derive(Clone, Debug)]
enum Condition {
    Starting,
    Connected,
    Blocked(String),
    Away(Disconnect),
}

/// What the log says of it. The reason is there only if a person must do something: all others are one state.
#[derive(PartialEq)]
enum Logged {
    Starting,
    Connected,
    Away(Option<Reason>),
}

impl Shared {
    pub(super) fn new(broker: Broker, name: &'static str, tuning: Tuning) -> Self {
        Self {
            broker,
            name,
            tuning,
            metrics: AmqpMetrics::new(),
            connection: watch::Sender::new(None),
            stop: CancellationToken::new(),
            changed: Notify::new(),
            check_topology: Notify::new(),
            subscriptions: Mutex::default(),
            dead: Mutex::default(),
            refused: Mutex::default(),
            condition: watch::Sender::new(Condition::Starting),
            log: Mutex::new(LogOnChange::new(Logged::Starting)),
        }
    }

    pub(super) fn subscribe(&self, subscription: Subscription) {
        lock(&self.subscriptions).push(subscription);
        self.changed.notify_one();
    }

    /// The current connection, or the one that is made within a second.
    pub(super) async fn wait_for_connection(&self) -> Option<Arc<Connection>> {
        let mut connections = self.connection.subscribe();
        let connection =
            tokio::time::timeout(CONNECTION_TIMEOUT, connections.wait_for(Option::is_some)).await.ok()?.ok()?;
        connection.clone()
    }

    pub(super) fn subscriptions(&self) -> Vec<Subscription> {
        lock(&self.subscriptions).clone()
    }

    pub(super) fn queues(&self) -> Vec<&'static str> {
        lock(&self.subscriptions).iter().map(|subscription| subscription.queue).collect()
    }

    /// The numbers of dead letters, as last counted.
    pub(super) fn dead_counts(&self) -> Vec<(String, u64)> {
        lock(&self.dead).iter().map(|(queue, count)| ((*queue).to_owned(), *count)).collect()
    }

    pub(super) fn set_dead_count(&self, queue: &'static str, count: u64) {
        lock(&self.dead).insert(queue, count);
    }

    /// Waits until the broker blocks publishers, and answers why. The broker answers no call then, perhaps for hours.
    pub(super) async fn alarm(&self) -> String {
        let mut conditions = self.condition.subscribe();
        let alarm = conditions.wait_for(|condition| matches!(condition, Condition::Blocked(_))).await;
        self.describe(&alarm.expect("its sender is here")).unwrap_or_else(|text| text)
    }

    /// A few words for `/readyz`.
    pub(super) fn state(&self) -> Result<String, String> {
        self.describe(&self.condition.borrow())
    }

    fn describe(&self, condition: &Condition) -> Result<String, String> {
        let address = self.broker.address();
        match condition {
            Condition::Starting => Err(format!("connecting to {address}")),
            Condition::Connected => match lock(&self.refused).values().next() {
                None => Ok(format!("connected to {address}")),
                Some(why) => Err(format!("connected to {address}, and publishing, but not reading all: {why}")),
            },
            Condition::Blocked(why) => Err(format!("{address} has an alarm and takes no messages: {why}")),
            Condition::Away(disconnect) => {
                Err(format!("{} {address}, tried again all the time: {disconnect}", disconnect.reason.effect()))
            }
        }
    }

    /// The queue exists with other arguments, or a right on it is missing. A person must do something.
    pub(super) fn refused(&self, queue: &'static str, why: Disconnect) {
        let broker = self.broker.address();
        if lock(&self.refused).insert(queue, why.clone()).is_none() {
            tracing::error!(broker, queue, "not all is read, and somebody must do something: {why}");
        }
    }

    /// The queue is read.
    pub(super) fn accepted(&self, queue: &'static str) {
        if lock(&self.refused).remove(queue).is_some() {
            tracing::info!(queue, "the queue can be read now");
        }
    }

    pub(super) fn is_refused(&self, queue: &str) -> bool {
        lock(&self.refused).contains_key(queue)
    }

    /// There is a connection.
    pub(super) fn up(&self, connection: &Arc<Connection>) {
        self.connection.send_replace(Some(connection.clone()));
        self.metrics.connected.set(1.0);
        self.condition.send_replace(Condition::Connected);
        if lock(&self.log).changes_to(Logged::Connected) {
            tracing::info!(broker = self.broker.address(), "connected to the broker");
        }
    }

    /// There is no connection any more.
    pub(super) fn down(&self) {
        self.connection.send_replace(None);
        self.metrics.connected.set(0.0);
        self.metrics.blocked.set(0.0);
    }

    /// There is no connection, and why. One log line for each change.
    pub(super) fn disconnected(&self, disconnect: Disconnect) {
        self.metrics.reconnects.with_label_values(&[&disconnect.reason.to_string()]).inc();
        let (broker, needs_a_person) = (self.broker.address(), disconnect.reason.needs_a_person());
        if lock(&self.log).changes_to(Logged::Away(needs_a_person.then_some(disconnect.reason))) {
            if needs_a_person {
                let effect = disconnect.reason.effect();
                tracing::error!(broker, "{effect} the broker, and somebody must do something: {disconnect}");
            } else {
                tracing::warn!(broker, "no connection to the broker, it is tried again all the time: {disconnect}");
            }
        }
        self.condition.send_replace(Condition::Away(disconnect));
    }

    /// The broker blocks publishers, and why; or it does not any more.
    pub(super) fn blocked(&self, why: Option<String>) {
        self.metrics.blocked.set(f64::from(why.is_some()));
        match &why {
            Some(why) => tracing::warn!("the broker takes no messages, they wait in the outbox: {why}"),
            None => tracing::info!("the broker takes messages again"),
        }
        self.condition.send_replace(why.map_or(Condition::Connected, Condition::Blocked));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
