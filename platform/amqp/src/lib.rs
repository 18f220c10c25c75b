//! The bus over AMQP, for services that run apart: RabbitMQ 3.10 and later, by lapin.
//!
//! | file | idea |
//! |---|---|
//! | [`broker`] | where it is and how to log in, read from the options |
//! | [`connection`] | one connection, used until its first error; [`reactor`] reads and writes its socket, [`incoming`] cuts what lapin could not read |
//! | [`session`] | connect, declare (before a new queue: request a resync), read; after any error build all of it again |
//! | [`shared`] | what others see of the session |
//! | [`topology`] | exchange, queues, bindings: wire format |
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
mod incoming;
mod metrics;
mod properties;
mod publish;
mod reactor;
mod session;
mod shared;
mod topology;
mod wire;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use messaging::{Bus, DeadLetters, Entry, PublishError, Published, Subscription};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use dead_letters::AmqpDeadLetters;
use publish::Publisher;
use shared::Shared;

pub use broker::Broker;
pub use shared::{EXCHANGE, Tuning};

/// Graceful shutdown waits so long for the batch that is being handled. The broker delivers it again if it is not done by then.
const FINISH_TIMEOUT: Duration = Duration::from_secs(3);

/// A bus over AMQP. It connects in the background, and reconnects, until it is dropped.
pub struct AmqpBus {
    shared: Arc<Shared>,
    dead: Arc<AmqpDeadLetters>,
    publisher: Mutex<Option<Publisher>>,
    /// It ends when it is dropped, also without [`Bus::close`].
    session: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl AmqpBus {
    /// Begins to connect, and does not wait for it. `name` is what the broker shows for the connection. Needs a running
    /// tokio runtime, and adds no thread to it but lapin's one.
    pub fn start(broker: Broker, name: &'static str, tuning: Tuning) -> Self {
        let shared = Arc::new(Shared::new(broker, name, tuning));
        let session = AbortOnDropHandle::new(tokio::spawn(session::run(shared.clone())));
        let dead = Arc::new(AmqpDeadLetters { shared: shared.clone(), one_at_a_time: Mutex::new(()) });
        Self { shared, dead, publisher: Mutex::default(), session: Mutex::new(Some(session)) }
    }
}

#[async_trait]
impl Bus for AmqpBus {
    async fn publish(&self, batch: &[Entry]) -> Vec<Published> {
        let failed = |cause: &str| vec![Err(PublishError::Failed(cause.to_owned())); batch.len()];
        let Some(connection) = self.shared.wait_for_connection().await else {
            return failed("there is no connection to the broker");
        };
        let mut slot = self.publisher.lock().await;
        if !slot.as_ref().is_some_and(|publisher| publisher.works_on(&connection)) {
            if connection.is_blocked() {
                return failed("the broker takes no messages: it has a memory or disk alarm");
            }
            match Publisher::open(&connection, &self.shared.metrics.unconfirmed).await {
                Ok(publisher) => *slot = Some(publisher),
                Err(disconnect) => return failed(&disconnect.text),
            }
        }
        let publisher = slot.as_ref().expect("it was filled above");
        let results = publisher.batch(&self.shared.tuning.exchange, batch).await;
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

    fn register(&self, registry: &::metrics::Registry) -> ::metrics::Result<()> {
        registry.register(Arc::new(self.shared.metrics.registry.clone()))
    }

    async fn close(&self) {
        self.shared.stop.cancel();
        let mut slot = self.session.lock().await;
        let Some(session) = &mut *slot else { return };
        let finished = timeout(FINISH_TIMEOUT, session).await.is_ok();
        *slot = None;
        if !finished {
            tracing::warn!("messages were still being handled; the broker delivers them again");
            // It delivers them when the connection ends, which is when its last owner drops it.
            self.publisher.lock().await.take();
            self.shared.down();
        }
    }
}

impl Drop for AmqpBus {
    fn drop(&mut self) {
        self.session.get_mut().take(); // first: it must not connect again
        self.shared.connection.send_replace(None);
    }
}
