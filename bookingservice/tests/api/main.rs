//! The service over HTTP, where a test needs its hands inside: a full disk, a database that
//! goes away, and the limits in the OpenAPI document. All
//! that can be seen from outside alone is tested in `e2e`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod full_disk;
mod helpers;
mod mongo;
mod schema;
