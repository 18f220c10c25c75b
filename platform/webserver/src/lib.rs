//! The HTTP server of every program here: how requests are read, answered, counted and limited.
//!
//! | file | idea |
//! |---|---|
//! | [`server`], [`small`], `single_thread` | a server with workers; one on a single thread |
//! | [`connection`], [`listen`] | what is done with a connection; binding an address |
//! | [`observe`] | the middleware: request id, metrics, log, panics |
//! | [`routes`] | a URL with its methods; any other method is a 405 with `Allow` |
//! | [`input`], [`object`] | body, query and path, each with errors that name the field |
//! | [`problem`] | the form of every error answer |
//! | [`page`] | a list in pages |
//! | [`docs`] | the OpenAPI document and its page |
//! | [`responses`], [`limits`] | what handlers have in common in that document |
//! | [`connection_timeouts`], `timed_stream` | header read timeout and keep-alive timeout against slow clients; connections at a shutdown |
//! | `unread_body` | request bodies that no handler reads |
//! | [`descriptors`] | how many connections fit into the process's open files |
//! | [`metrics`] | the HTTP metrics |
//!
//! Read next: the crate `service`, which runs such a server beside an ops port.

pub mod connection;
pub mod connection_timeouts;
pub mod descriptors;
pub mod docs;
pub mod input;
pub mod limits;
pub mod listen;
pub mod metrics;
pub mod object;
pub mod observe;
pub mod page;
pub mod problem;
pub mod responses;
pub mod routes;
pub mod server;
mod single_thread;
pub mod small;
mod timed_stream;
mod unread_body;
