//! What the session, the publishers and the dead letters have in common: the connection of the moment, and how it is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use messaging::Subscription;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{broker::Broker, connection::Connection, disconnect::Disconnect, metrics::AmqpMetrics};

/// Before something fails because there is no connection: at a start, or between two connections.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// What the session, the publishers and the dead letters have in common.
pub(super) struct Shared {
    pub(super) broker: Broker,
    pub(super) name: &'static str,
    pub(super) exchange: String,
    pub(super) retry_max: Duration,
    pub(super) metrics: AmqpMetrics,
    /// The connection, while there is one.
    pub(super) connection: watch::Sender<Option<Arc<Connection>>>,
    /// Cancelled when nothing more shall be read.
    pub(super) stop: CancellationToken,
    /// A subscription came, and the session does not know it yet.
    pub(super) changed: Notify,
    /// Somebody has reason to think that the topology is damaged.
    pub(super) check_topology: Notify,
    subscriptions: Mutex<Vec<Subscription>>,
    dead: Mutex<HashMap<&'static str, u64>>,
    /// Queues that cannot be declared, and why: they are not read.
    refused: Mutex<HashMap<&'static str, Disconnect>>,
    condition: watch::Sender<Condition>,
}

/// How it is, for `/readyz` and for the log, which has a line for each change and none for each try.
#[derive(Clone, Debug)]
enum Condition {
    Starting,
    Connected,
    Blocked(String),
    Away(Disconnect),
}

impl Shared {
    pub(super) fn new(broker: Broker, name: &'static str, exchange: String, retry_max: Duration) -> Self {
        Self {
            broker,
            name,
            exchange,
            retry_max,
            metrics: AmqpMetrics::new(),
            connection: watch::Sender::new(None),
            stop: CancellationToken::new(),
            changed: Notify::new(),
            check_topology: Notify::new(),
            subscriptions: Mutex::default(),
            dead: Mutex::default(),
            refused: Mutex::default(),
            condition: watch::Sender::new(Condition::Starting),
        }
    }

    pub(super) fn subscribe(&self, subscription: Subscription) {
        lock(&self.subscriptions).push(subscription);
        self.changed.notify_one();
    }

    /// The connection of the moment, or the one that comes within a second.
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

    /// The number of dead letters when they were last counted.
    pub(super) fn dead_counts(&self) -> Vec<(String, u64)> {
        lock(&self.dead).iter().map(|(queue, count)| ((*queue).to_owned(), *count)).collect()
    }

    pub(super) fn set_dead_count(&self, queue: &'static str, count: u64) {
        lock(&self.dead).insert(queue, count);
    }

    /// Waits until the broker takes no messages, and tells why. It answers nothing then, for hours perhaps.
    pub(super) async fn alarm(&self) -> String {
        let mut conditions = self.condition.subscribe();
        let alarm = conditions.wait_for(|condition| matches!(condition, Condition::Blocked(_))).await;
        let alarm = alarm.expect("its sender is here").clone();
        self.told(&alarm).unwrap_or_else(|text| text)
    }

    /// A few words for `/readyz`.
    pub(super) fn state(&self) -> Result<String, String> {
        self.told(&self.condition.borrow())
    }

    fn told(&self, condition: &Condition) -> Result<String, String> {
        let address = self.broker.address();
        match condition {
            Condition::Starting => Err(format!("connecting to {address}")),
            Condition::Connected => match lock(&self.refused).values().next() {
                None => Ok(format!("connected to {address}")),
                Some(why) => Err(format!("connected to {address}, and publishing, but not reading: {why}")),
            },
            Condition::Blocked(why) => Err(format!("{address} has an alarm and takes no messages: {why}")),
            Condition::Away(disconnect) => {
                Err(format!("no connection to {address}, tried again all the time: {disconnect}"))
            }
        }
    }

    /// The queue has other arguments, and cannot be read until somebody has done something.
    pub(super) fn refused(&self, queue: &'static str, why: Disconnect) {
        let address = self.broker.address();
        if lock(&self.refused).insert(queue, why.clone()).is_none() {
            tracing::error!(broker = address, queue, "nothing is read, and somebody must do something: {why}");
        }
    }

    /// The queue is as it must be.
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
        self.metrics.connected.set(1);
        let address = self.broker.address();
        let was = self.condition.send_replace(Condition::Connected);
        if !matches!(was, Condition::Connected | Condition::Blocked(_)) {
            tracing::info!(broker = address, "connected to the broker");
        }
    }

    /// There is none any more.
    pub(super) fn down(&self) {
        self.connection.send_replace(None);
        self.metrics.connected.set(0);
        self.metrics.blocked.set(0);
    }

    /// Tells why there is none: with a line in the log where that is news.
    pub(super) fn disconnected(&self, disconnect: Disconnect) {
        self.metrics.disconnected(disconnect.reason);
        let address = self.broker.address();
        let news = match &*self.condition.borrow() {
            Condition::Away(before) => {
                before.reason != disconnect.reason
                    && (before.reason.needs_a_person() || disconnect.reason.needs_a_person())
            }
            Condition::Starting | Condition::Connected | Condition::Blocked(_) => true,
        };
        if news && disconnect.reason.needs_a_person() {
            tracing::error!(
                broker = address,
                "no connection to the broker, and somebody must do something: {disconnect}"
            );
        } else if news {
            tracing::warn!(
                broker = address,
                "no connection to the broker, it is tried again all the time: {disconnect}"
            );
        }
        self.condition.send_replace(Condition::Away(disconnect));
    }

    /// The broker takes no messages, and why; or takes them again.
    pub(super) fn blocked(&self, why: Option<String>) {
        self.metrics.blocked.set(why.is_some().into());
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
