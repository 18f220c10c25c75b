//! The bus of `myevents`, held to what every bus must do.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use messaging::in_process::InProcessBus;
use sqlite::outbox::SqliteOutbox;
use testing::{bus_suite, bus_world::BusAndDeadLetters};

/// It keeps nothing: its dead letters lie in the publisher's outbox.
fn in_process(outbox: Arc<SqliteOutbox>) -> BoxFuture<'static, BusAndDeadLetters> {
    Box::pin(async move { (Arc::new(InProcessBus::new()) as _, outbox as _) })
}

/// It needs nothing.
async fn at_once() -> Option<()> {
    Some(())
}

bus_suite!(in_process, at_once);
