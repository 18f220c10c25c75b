//! What the session, the publishers and the dead letters have in common: the connection of the moment, and how it is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use messaging::Subscription;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{broker::Broker, line::Line, lost::Lost, metrics::AmqpMetrics};

/// Before something fails because there is no connection: at a start, or between two connections.
const WAIT: Duration = Duration::from_secs(1);

/// What the session, the publishers and the dead letters have in common.
pub(super) struct Shared {
    pub(super) broker: Broker,
    pub(super) name: &'static str,
    pub(super) exchange: String,
    pub(super) hold: Duration,
    pub(super) metrics: AmqpMetrics,
    /// The connection, while there is one.
    pub(super) line: watch::Sender<Option<Arc<Line>>>,
    /// Cancelled when nothing more shall be read.
    pub(super) stop: CancellationToken,
    /// A subscription came, and the session does not know it yet.
    pub(super) changed: Notify,
    /// Somebody has reason to think that the topology is damaged.
    pub(super) look: Notify,
    subscriptions: Mutex<Vec<Subscription>>,
    dead: Mutex<HashMap<&'static str, u64>>,
    /// Queues that cannot be declared, and why: they are not read.
    refused: Mutex<HashMap<&'static str, Lost>>,
    condition: watch::Sender<Condition>,
}

/// How it is, for `/readyz` and for the log, which has a line for each change and none for each try.
#[derive(Clone, Debug)]
enum Condition {
    Starting,
    Connected,
    Blocked(String),
    Away(Lost),
}

impl Shared {
    pub(super) fn new(broker: Broker, name: &'static str, exchange: String, hold: Duration) -> Self {
        Self {
            broker,
            name,
            exchange,
            hold,
            metrics: AmqpMetrics::new(),
            line: watch::Sender::new(None),
            stop: CancellationToken::new(),
            changed: Notify::new(),
            look: Notify::new(),
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
    pub(super) async fn line_soon(&self) -> Option<Arc<Line>> {
        let mut lines = self.line.subscribe();
        let line = tokio::time::timeout(WAIT, lines.wait_for(Option::is_some)).await.ok()?.ok()?;
        line.clone()
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
        let place = self.broker.place();
        match condition {
            Condition::Starting => Err(format!("connecting to {place}")),
            Condition::Connected => match lock(&self.refused).values().next() {
                None => Ok(format!("connected to {place}")),
                Some(why) => Err(format!("connected to {place}, and publishing, but not reading: {why}")),
            },
            Condition::Blocked(why) => Err(format!("{place} has an alarm and takes no messages: {why}")),
            Condition::Away(lost) => Err(format!("no connection to {place}, tried again all the time: {lost}")),
        }
    }

    /// The queue has other arguments, and cannot be read until somebody has done something.
    pub(super) fn refused(&self, queue: &'static str, why: Lost) {
        let place = self.broker.place();
        if lock(&self.refused).insert(queue, why.clone()).is_none() {
            tracing::error!(broker = place, queue, "nothing is read, and somebody must do something: {why}");
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
    pub(super) fn up(&self, line: &Arc<Line>) {
        self.line.send_replace(Some(line.clone()));
        self.metrics.connected.set(1);
        let place = self.broker.place();
        let was = self.condition.send_replace(Condition::Connected);
        if !matches!(was, Condition::Connected | Condition::Blocked(_)) {
            tracing::info!(broker = place, "connected to the broker");
        }
    }

    /// There is none any more.
    pub(super) fn down(&self) {
        self.line.send_replace(None);
        self.metrics.connected.set(0);
        self.metrics.blocked.set(0);
    }

    /// Tells why there is none: with a line in the log where that is news.
    pub(super) fn lost(&self, lost: Lost) {
        self.metrics.lost(lost.reason);
        let place = self.broker.place();
        let news = match &*self.condition.borrow() {
            Condition::Away(before) => {
                before.reason != lost.reason && (before.reason.needs_a_person() || lost.reason.needs_a_person())
            }
            Condition::Starting | Condition::Connected | Condition::Blocked(_) => true,
        };
        if news && lost.reason.needs_a_person() {
            tracing::error!(broker = place, "no connection to the broker, and somebody must do something: {lost}");
        } else if news {
            tracing::warn!(broker = place, "no connection to the broker, it is tried again all the time: {lost}");
        }
        self.condition.send_replace(Condition::Away(lost));
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
