//! The bus over AMQP, for services that run apart: RabbitMQ 3.10 and later, by lapin.
//!
//! | file | idea |
//! |---|---|
//! | [`broker`] | where it is and how to log in, read from the options |
//! | [`line`] | one connection, never mended; [`tls`] encrypts it, [`reactor`] is its way to the socket |
//! | [`session`] | connect, declare, read; on any error build all of it again; [`shared`] is what others see of it |
//! | [`topology`] | exchange, queues, bindings: wire format |
//! | [`fresh`] | what precedes a queue that is new |
//! | [`wire`] | a message as properties, headers and body: wire format |
//! | [`publish`] | confirms, 64 on their way at once |
//! | [`consume`] | batches, acknowledged when their work is durable |
//! | [`dead`] | list and redrive of the dead letters |
//! | [`lost`], [`metrics`] | why there is no connection, and what is counted |
//!
//! There is one connection a service, with a channel for each purpose, since lapin starts a thread for each connection. The
//! price: while the broker takes no messages (memory or disk alarm), acknowledgements wait, too.

mod broker;
mod consume;
mod dead;
mod fresh;
mod line;
mod lost;
mod metrics;
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

use dead::AmqpDeadLetters;
use line::Line;
use publish::Publisher;
use shared::Shared;

pub use broker::Broker;

/// The exchange all messages are published to.
pub const EXCHANGE: &str = "events";

/// A batch that is tried again for so long goes to the end of its queue; the broker's own patience is half an hour.
const HOLD: Duration = Duration::from_secs(10 * 60);

/// At a stop, for the batch that is being handled. What is not done by then is delivered again.
const FINISH: Duration = Duration::from_secs(3);

/// What a test sets otherwise than a service does.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// The exchange; a test that shares a broker with others takes its own.
    pub exchange: String,
    /// How long a batch may be tried again before it goes to the end of its queue.
    pub hold: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { exchange: EXCHANGE.into(), hold: HOLD }
    }
}

/// A bus over AMQP. It connects in the background for as long as it lives, and drops its connection with itself.
pub struct AmqpBus {
    shared: Arc<Shared>,
    dead: Arc<AmqpDeadLetters>,
    publisher: Mutex<Option<(Arc<Line>, Publisher)>>,
    session: Mutex<Option<JoinHandle<()>>>,
    /// Ends the session when the bus is dropped without a word.
    abort: tokio::task::AbortHandle,
}

impl AmqpBus {
    /// Begins to connect, and does not wait for it. `name` is what the broker shows for the connection. Needs a running
    /// tokio runtime, and adds no thread to it but lapin's one.
    pub fn start(broker: Broker, name: &'static str, tuning: Tuning) -> Self {
        let shared = Arc::new(Shared::new(broker, name, tuning.exchange, tuning.hold));
        let session = tokio::spawn(session::run(shared.clone()));
        let dead = Arc::new(AmqpDeadLetters { shared: shared.clone(), turn: Mutex::new(()) });
        let abort = session.abort_handle();
        Self { shared, dead, publisher: Mutex::new(None), session: Mutex::new(Some(session)), abort }
    }
}

#[async_trait]
impl Bus for AmqpBus {
    async fn publish(&self, batch: &[Entry]) -> Vec<Published> {
        let all = |error: PublishError| vec![Err(error); batch.len()];
        let Some(line) = self.shared.line_soon().await else {
            return all(PublishError::Failed("there is no connection to the broker".into()));
        };
        let mut slot = self.publisher.lock().await;
        if slot.as_ref().is_none_or(|(of, publisher)| !Arc::ptr_eq(of, &line) || publisher.is_spent()) {
            if line.is_blocked() {
                return all(PublishError::Failed("the broker takes no messages: it has a memory or disk alarm".into()));
            }
            match Publisher::open(&line, self.shared.metrics.unconfirmed.clone()).await {
                Ok(publisher) => *slot = Some((line.clone(), publisher)),
                Err(lost) => return all(PublishError::Failed(lost.text)),
            }
        }
        let (_, publisher) = slot.as_ref().expect("it was filled above");
        let fates = publisher.batch(&line, &self.shared.exchange, batch).await;
        if fates.iter().any(Result::is_err) {
            self.shared.look.notify_one(); // the exchange may be gone
        }
        fates
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

    fn register(&self, registry: &prometheus::Registry) -> prometheus::Result<()> {
        self.shared.metrics.register(registry)
    }

    async fn close(&self) {
        self.shared.stop.cancel();
        if let Some(session) = self.session.lock().await.take()
            && timeout(FINISH, session).await.is_err()
        {
            tracing::warn!("messages were still being handled; the broker delivers them again");
            self.abort.abort();
            // The broker delivers them when the connection ends, and that ends with the last who has it.
            self.publisher.lock().await.take();
            self.shared.down();
        }
    }
}

impl Drop for AmqpBus {
    fn drop(&mut self) {
        self.abort.abort();
        self.shared.line.send_replace(None);
    }
}
