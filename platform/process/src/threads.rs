//! The thread budget: at most 8 threads for a service with any store, since an alert fires above that. These tables list every
//! thread; their number does not depend on the number of cores. A test compares the running threads with these tables.
//!
//! No code here uses `web::block` or `spawn_blocking`: every actix worker would open a pool of its own for them, and two
//! servers had 49 threads instead of 6 that way. Reads of a database file go to its one reader thread instead.

use std::{future::Future, io};

use tokio::runtime::{Builder, Runtime};

use crate::log_lines;

/// What threads are for, and how many there are of them.
pub type ThreadGroup = (&'static str, usize);

/// The threads of every service.
pub const SERVICE: [ThreadGroup; 4] = [
    ("main: a current-thread runtime with the relay, the listener and the janitors", 1),
    ("accept: hands connections to the workers of REST", 1),
    ("rest: the workers that answer REST, `REST_WORKERS`", REST_WORKERS),
    ("ops: accepts and answers /metrics and the probes", 1),
];

/// The additional threads of a service that stores in a database file.
pub const SQLITE: [ThreadGroup; 2] =
    [("writer: owns the database connection that writes", 1), ("reader: owns the database connection that reads", 1)];

/// The additional thread of a service that stores in MongoDB. The driver resolves a host's name for each new connection, and the
/// system's call for that blocks. So this thread starts with a new connection, and ends 10 s after the last one.
pub const MONGO: [ThreadGroup; 1] = [("lookup: of the MongoDB server's name", BLOCKING)];

/// The additional thread of a service that uses AMQP. lapin starts one for each connection, on any runtime, and a service has one
/// connection. The broker's name is resolved on it, too.
pub const AMQP: [ThreadGroup; 1] = [("amqp: the client's loop, which reads and writes the broker's socket", 1)];

/// The most threads of a service.
pub const THREADS_MAX: usize = 8;

/// The default of `REST_WORKERS`.
pub const REST_WORKERS: usize = 2;

/// The most threads in the blocking pool of each runtime. Nothing uses the pools of the actix workers, but actix demands one.
pub const BLOCKING: usize = 1;

/// The number of all threads in these tables.
pub fn count(tables: &[&[ThreadGroup]]) -> usize {
    tables.iter().copied().flatten().map(|(_, threads)| threads).sum()
}

/// Runs a program on a runtime of this thread. The blocking pool of `#[tokio::main]` can grow to 512 threads, and the MongoDB
/// driver resolves many names at once.
pub fn run<T>(program: impl Future<Output = T>) -> T {
    let runtime = runtime().expect("the process can have a runtime");
    let end = runtime.block_on(program);
    runtime.shutdown_background(); // a name lookup that hangs must not delay the end
    log_lines::flush();
    end
}

/// A runtime of one thread.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING).thread_name("lookup").build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_service_has_more_than_eight_threads() {
        for store in [&SQLITE[..], &MONGO] {
            assert!(count(&[&SERVICE, store, &AMQP]) <= THREADS_MAX);
        }
    }
}
