//! The HTTP server of every program of ours: how a request is read, answered, counted and limited.
//!
//! | file | idea |
//! |---|---|
//! | [`server`], [`small`] | listening and limits, with workers or on a single thread; `serve` and `alone` build them |
//! | [`observe`] | the one middleware: request id, metrics, log, panics |
//! | [`routes`] | a URL with its methods; all others are a 405 with `Allow` |
//! | [`input`], [`object`] | body, query and path, each with errors that name the field |
//! | [`problem`] | the one form of errors |
//! | [`page`] | lists in pieces |
//! | [`docs`] | OpenAPI and its page |
//! | [`turn`], `unread` | a client that is slow to begin or to end a request; connections at a stop; bodies that nobody reads |
//! | [`descriptors`] | how many connections fit into the process's open files |
//! | [`metrics`] | what is counted |
//!
//! Read next: the crate `service`, which runs such a server beside an ops port.

mod alone;
pub mod descriptors;
pub mod docs;
pub mod input;
pub mod metrics;
pub mod object;
pub mod observe;
pub mod page;
pub mod problem;
pub mod routes;
pub mod serve;
pub mod server;
pub mod small;
pub mod turn;
mod unread;
