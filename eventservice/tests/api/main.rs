//! What can only be seen from inside, or with a database of its own; all else is tested over HTTP in `e2e`.
//!
//! - [`schema`]: the OpenAPI document states the limits that the code holds
//! - [`mongo`]: a MongoDB server that goes away and comes back

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod helpers;
mod mongo;
#[expect(dead_code, reason = "only a server of its own is used here")]
#[path = "../../../platform/tests/servers/mongo.rs"]
mod mongo_server;
#[path = "../../../platform/tests/servers/proxy.rs"]
mod proxy;
mod schema;
