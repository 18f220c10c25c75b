//! The bus over AMQP, for services that run apart: RabbitMQ 3.10 and later, by lapin.
//!
//! | file | idea |
//! |---|---|
//! | [`broker`] | where it is and how to log in, read from the options |
//! | [`connection`] | one connection, used until its first error; [`tls`] encrypts it, [`reactor`] reads and writes its socket |
//! | [`session`] | connect, declare, read; after any error build all of it again; [`shared`] is what others see of it |
//! | [`topology`] | exchange, queues, bindings: wire format |
//! | [`new_queue`] | the resync that is requested before a new queue is declared |
//! | [`wire`] | a message as properties, headers and body: wire format |
//! | [`publish`] | publisher confirms, up to 64 messages in flight |
//! | [`consume`] | batches, acknowledged when their work is durable |
//! | [`dead_letters`] | list and redrive of the dead letters |
//! | [`disconnect`], [`metrics`] | why there is no connection, and what is counted |
//!
//! A service has one connection, with a channel for each purpose, because lapin starts a thread for each connection. The
//! price: while the broker blocks publishers (memory or disk alarm), acknowledgements wait, too.
//!
//! Read next: `session.rs`.

mod broker;
mod connection;
mod consume;
mod dead_letters;
mod disconnect;
mod metrics;
mod new_queue;
mod publish;
mod reactor;
mod session;
mod shared;
mod tls;
mod topology;
mod wire;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use messaging::{Bus, DeadLetters, Entry, PublishError, Published, Subscription};
use tokio::{sync::Mutex, task::JoinHandle, time::timeout};

use connection::Connection;
use dead_letters::AmqpDeadLetters;
use publish::Publisher;
use shared::Shared;

pub use broker::Broker;

/// The exchange all messages are published to.
pub const EXCHANGE: &str = "events";

/// A batch that was retried in place for so long goes to the end of its queue. The broker's own limit (`consumer_timeout`) is
/// half an hour.
const RETRY_MAX: Duration = Duration::from_secs(10 * 60);

/// Graceful shutdown waits so long for the batch that is being handled. The broker delivers it again if it is not done by then.
const FINISH_TIMEOUT: Duration = Duration::from_secs(3);

/// Settings that tests change.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// The exchange; a test that shares a broker with others takes its own.
    pub exchange: String,
    /// How long a batch is retried in place before it goes to the end of its queue.
    pub retry_max: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { exchange: EXCHANGE.into(), retry_max: RETRY_MAX }
    }
}

/// A bus over AMQP. It connects in the background, and reconnects, until it is dropped.
pub struct AmqpBus {
    shared: Arc<Shared>,
    dead: Arc<AmqpDeadLetters>,
    publisher: Mutex<Option<(Arc<Connection>, Publisher)>>,
    session: Mutex<Option<JoinHandle<()>>>,
    /// Ends the session when the bus is dropped without [`Bus::close`].
    abort: tokio::task::AbortHandle,
}

impl AmqpBus {
    /// Begins to connect, and does not wait for it. `name` is what the broker shows for the connection. Needs a running
    /// tokio runtime, and adds no thread to it but lapin's one.
    pub fn start(broker: Broker, name: &'static str, tuning: Tuning) -> Self {
        let shared = Arc::new(Shared::new(broker, name, tuning.exchange, tuning.retry_max));
        let session = tokio::spawn(session::run(shared.clone()));
        let dead = Arc::new(AmqpDeadLetters { shared: shared.clone(), one_at_a_time: Mutex::new(()) });
        let abort = session.abort_handle();
        Self { shared, dead, publisher: Mutex::new(None), session: Mutex::new(Some(session)), abort }
    }
}

#[async_trait]
impl Bus for AmqpBus {
    async fn publish(&self, batch: &[Entry]) -> Vec<Published> {
        let all = |error: PublishError| vec![Err(error); batch.len()];
        let Some(connection) = self.shared.wait_for_connection().await else {
            return all(PublishError::Failed("there is no connection to the broker".into()));
        };
        let mut slot = self.publisher.lock().await;
        if slot.as_ref().is_none_or(|(of, publisher)| !Arc::ptr_eq(of, &connection) || publisher.is_broken()) {
            if connection.is_blocked() {
                return all(PublishError::Failed("the broker takes no messages: it has a memory or disk alarm".into()));
            }
            match Publisher::open(&connection, self.shared.metrics.unconfirmed.clone()).await {
                Ok(publisher) => *slot = Some((connection.clone(), publisher)),
                Err(disconnect) => return all(PublishError::Failed(disconnect.text)),
            }
        }
        let (_, publisher) = slot.as_ref().expect("it was filled above");
        let results = publisher.batch(&connection, &self.shared.exchange, batch).await;
        if results.iter().any(Result::is_err) {
            self.shared.check_topology.notify_one(); // the exchange may be gone
        }
        results
    }

    async fn subscribe(&self, subscription: Subscription) {
        self.shared.subscribe(subscription);
    }

    fn state(&self) -> Result<String, String> {
        self.shared.state()
    }

    fn dead_letters(&self) -> Option<Arc<dyn DeadLetters>> {
        Some(self.dead.clone())
    }

    fn dead_letter_queues(&self, _: &[&str]) -> Vec<&'static str> {
        self.shared.queues()
    }

    fn register(&self, registry: &prometheus::Registry) -> prometheus::Result<()> {
        self.shared.metrics.register(registry)
    }

    async fn close(&self) {
        self.shared.stop.cancel();
        if let Some(session) = self.session.lock().await.take()
            && timeout(FINISH_TIMEOUT, session).await.is_err()
        {
            tracing::warn!("messages were still being handled; the broker delivers them again");
            self.abort.abort();
            // The broker delivers them again when the connection ends, which is when its last owner drops it.
            self.publisher.lock().await.take();
            self.shared.down();
        }
    }
}

impl Drop for AmqpBus {
    fn drop(&mut self) {
        self.abort.abort();
        self.shared.connection.send_replace(None);
    }
}
