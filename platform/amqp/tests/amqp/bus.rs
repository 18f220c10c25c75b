//! The bus over RabbitMQ, held to what every bus must do. Each test has an exchange of its own on a server they share.

use std::{
    cell::RefCell,
    sync::{Arc, OnceLock},
};

use amqp::{AmqpBus, Broker, Tuning};
use futures_util::future::BoxFuture;
use messaging::Bus;
use process::checks::{Checks, option};
use sqlite::outbox::SqliteOutbox;
use testing::{bus_suite, bus_world::BusAndDeadLetters, rabbitmq};

/// A broker by its URL, as a service reads it.
pub(crate) fn broker(url: &str) -> Broker {
    let mut checks = Checks::new();
    let url = Some(url.to_owned());
    let broker = Broker::read(&mut checks, option("URL", &url), option("URL_FILE", &None), option("CA_FILE", &None));
    checks.finish().unwrap();
    broker.unwrap()
}

/// As a service has it, but with the exchange of the test that asks. The same test gets the same one again.
pub(crate) fn tuning() -> Tuning {
    static RUN: OnceLock<String> = OnceLock::new(); // an earlier run on the same server left its own behind
    let run = RUN.get_or_init(|| uuid::Uuid::new_v4().to_string());
    let exchange = format!("{}-{run}", std::thread::current().name().unwrap());
    Tuning { exchange, ..Tuning::default() }
}

thread_local! {
    /// Another way to the server, for the test on this thread. Each test has a thread of its own.
    static DETOUR: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on, this test's buses take this URL.
pub(crate) fn detour(url: &str) {
    DETOUR.set(Some(url.to_owned()));
}

/// Whoever calls this has the server already, and holds it.
pub(crate) fn amqp(_: Arc<SqliteOutbox>) -> BoxFuture<'static, BusAndDeadLetters> {
    let url = DETOUR.with_borrow(|url| url.clone().unwrap_or_else(|| rabbitmq::url().to_owned()));
    let bus = AmqpBus::start(broker(&url), "a test", tuning());
    let dead = bus.dead_letters().unwrap();
    Box::pin(async { (Arc::new(bus) as _, dead) })
}

bus_suite!(amqp, rabbitmq::shared);
