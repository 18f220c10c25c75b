//! What a service stores in, whatever it is made of, and what must be ended with it.

use std::sync::Arc;

use messaging::{DeadLetters, outbox::Outbox};
use process::{background::Background, health::Probe};
use sqlite::Database;

/// What a service stores in, whatever it is made of. `S` is the service's own `dyn Store`.
pub struct Backend<S: ?Sized> {
    /// What the service does with it.
    pub store: Arc<S>,
    /// Its messages that wait.
    pub outbox: Arc<dyn Outbox>,
    /// Its messages that nobody took, where the bus has no place for them.
    pub dead: Arc<dyn DeadLetters>,
    /// Whether it can be used.
    pub probe: Probe,
    /// What must be ended with the service.
    pub kept: Kept,
}

/// What keeps a store going.
#[derive(Default)]
pub struct Kept {
    /// The database file, where there is one.
    pub file: Option<Arc<Database>>,
    /// The store's own tasks.
    pub background: Background,
}
