//! HTTP plumbing: how a request is read, answered, counted and limited, the same in every service.
//!
//! - [`input`]: body, query and path, each with errors that name the field
//! - [`object`]: structs are read from JSON objects, and from nothing else
//! - [`page`]: lists in pieces
//! - [`routes`]: a URL with its methods; all others are a 405 with `Allow`
//! - [`observe`]: the one middleware: request id, metrics, log, panics
//! - `turn`: cuts off a client that is slow to begin or to end a request, and ends connections at a stop
//! - `unread`: what becomes of a body that nobody reads to its end
//! - [`metrics`]: what is counted
//! - [`docs`]: OpenAPI and its page
//! - [`server`]: listening, limits, workers; `serve` builds it
//! - [`small`]: a server of a single thread; `alone` runs it

pub(crate) mod alone;
pub mod docs;
pub mod input;
pub mod metrics;
pub mod object;
pub mod observe;
pub mod page;
pub mod routes;
pub(crate) mod serve;
pub mod server;
pub mod small;
pub(crate) mod turn;
pub(crate) mod unread;
