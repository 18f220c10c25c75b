//! What can only be seen from inside, or with a database of its own; all else is tested over HTTP in `e2e`.
//!
//! - [`schema`]: the OpenAPI document states the limits that the code holds
//! - [`mongo`]: a MongoDB server that goes away and comes back

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod helpers;
mod mongo;
mod schema;
