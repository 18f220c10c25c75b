//! The thread budget: at most 8 a service, whatever it stores in, since an alert fires above that. Each thread has its line
//! here, on any number of cores, and a test compares what runs with these tables.
//!
//! There is no `web::block` and no `spawn_blocking` anywhere: every actix worker would open a pool of its own for them,
//! and two servers went from 6 threads to 49 that way. Reads of a file go to its one reader thread instead.

use std::{future::Future, io};

use tokio::runtime::{Builder, Runtime};

/// What a thread is for, and how many there are of it.
pub type Line = (&'static str, usize);

/// What every service has.
pub const SERVICE: [Line; 4] = [
    ("main: a current-thread runtime with the relay, the listener and the janitors", 1),
    ("accept: hands connections to the workers of REST", 1),
    ("rest: the workers that answer REST, `REST_WORKERS`", REST_WORKERS),
    ("ops: accepts and answers /metrics and the probes", 1),
];

/// What it has besides where it stores in a file.
pub const SQLITE: [Line; 2] =
    [("writer: owns the database connection that writes", 1), ("reader: owns the database connection that reads", 1)];

/// What it has besides where it stores in MongoDB. The driver looks a host's name up for each new connection, and the
/// system's lookup blocks; so it comes with new connections, and goes 10 s after the last of them.
pub const MONGO: [Line; 1] = [("lookup: of the MongoDB server's name", BLOCKING)];

/// What it has besides where it speaks AMQP: lapin starts this thread for each connection, whatever its runtime is, and a
/// service has one connection. The broker's name is looked up on it, too.
pub const AMQP: [Line; 1] = [("amqp: the client's loop, which reads and writes the broker's socket", 1)];

/// No service has more than this.
pub const MOST: usize = 8;

/// The default of `REST_WORKERS`.
pub const REST_WORKERS: usize = 2;

/// The blocking pool of each runtime: nothing uses those of the actix workers, but actix wants at least one.
pub const BLOCKING: usize = 1;

/// All threads of these tables.
pub fn sum(tables: &[&[Line]]) -> usize {
    tables.iter().copied().flatten().map(|(_, threads)| threads).sum()
}

/// Runs a program on a runtime of this thread. tokio's own `main` would let its blocking pool grow to 512 threads, and the
/// driver of MongoDB asks for many names at once.
pub fn run<T>(program: impl Future<Output = T>) -> T {
    let runtime = runtime().expect("the process can have a runtime");
    let end = runtime.block_on(program);
    runtime.shutdown_background(); // a lookup that hangs must not hold up the end
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
            assert!(sum(&[&SERVICE, store, &AMQP]) <= MOST);
        }
    }
}
