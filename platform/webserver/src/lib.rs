//! The HTTP server of every program here: how requests are read, answered, counted and limited.
//!
//! | file | idea |
//! |---|---|
//! | [`server`], [`small`] | a server with workers; one on a single thread |
//! | [`origin`] | what web pages of others must not press |
//! | [`listen`] | binding an address |
//! | [`connection_limits`] | how many connections fit into the process's open files, and how long each waits for its client |
//! | `timed_stream` | header read timeout and keep-alive timeout against slow clients; connections at a shutdown |
//! | [`observe`] | the middleware: request id, log, panics |
//! | [`http_metrics`], `micro` | what is counted about requests; the same under go-micro's names |
//! | [`routes`] | a URL with its methods; any other method is a 405 with `Allow` |
//! | [`input`] | body, query, path and headers, each with errors that name the field; bodies that no handler reads |
//! | [`problem`] | the form of every error answer |
//! | [`scrape`] | the answer to a scrape of `/metrics` |
//! | [`page`] | a list in pages |
//!
//! Read next: the crate `service`, which runs such a server beside an ops port.

pub mod connection_limits;
pub mod http_metrics;
pub mod input;
pub mod listen;
mod micro;
pub mod observe;
pub mod origin;
pub mod page;
pub mod problem;
pub mod routes;
pub mod scrape;
pub mod server;
pub mod small;
mod timed_stream;
