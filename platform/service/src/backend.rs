//! The store of a service behind traits, so that the rest of the service is the same for SQLite and MongoDB. The store's resources
//! are closed with the service.

use std::sync::Arc;

use messaging::{DeadLetters, outbox::Outbox};
use process::{background::Background, health::Probe};
use sqlite::Database;

/// The store of a service. `S` is the service's own `dyn Store`.
pub struct Backend<S: ?Sized> {
    /// The service's own operations.
    pub store: Arc<S>,
    /// The messages that wait to be published.
    pub outbox: Arc<dyn Outbox>,
    /// The dead letters, if the bus does not keep them itself.
    pub dead: Arc<dyn DeadLetters>,
    /// Whether the store can be used; for `/readyz`.
    pub probe: Probe,
    /// What must be closed with the service.
    pub resources: Resources,
}

/// What a store needs while it runs.
#[derive(Default)]
pub struct Resources {
    /// The database file, if the store is one.
    pub file: Option<Arc<Database>>,
    /// The store's own tasks.
    pub background: Background,
}
