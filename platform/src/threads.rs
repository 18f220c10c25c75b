//! The thread budget: 8 a service, and one more where it speaks AMQP and stores in SQLite. An alert fires above that, so
//! each thread has its line here, on any number of cores.
//!
//! There is no `web::block` and no `spawn_blocking` anywhere: every actix worker would open a pool of its own for them,
//! and two servers went from 6 threads to 49 that way. Reads of the store go to its one reader thread instead.

/// What a thread is for, and how many there are of it.
pub const BUDGET: [(&str, usize); 6] = [
    ("main: a current-thread runtime with the relay, the listener and the janitors", 1),
    ("accept: one for the REST port and one for the ops port", 2),
    ("rest: the workers that answer REST, `REST_WORKERS`", REST_WORKERS),
    ("ops: the worker that answers /metrics and the probes", OPS_WORKERS),
    ("writer: owns the database connection that writes", 1),
    ("reader: owns the database connection that reads", 1),
];

/// What comes on top where a service speaks AMQP: lapin starts this thread for each connection, whatever its runtime is,
/// and a service has one connection. Looking up the broker's name happens on it, too. On SQLite that makes nine; on
/// MongoDB, which needs no writer and no reader, seven.
pub const AMQP: (&str, usize) = ("amqp: the client's loop, which reads and writes the broker's socket", 1);

/// The default of `REST_WORKERS`.
pub const REST_WORKERS: usize = 2;

/// One is enough: encoding 100,000 series takes it 0.1 s.
pub const OPS_WORKERS: usize = 1;

/// The blocking pool of each actix worker, which nothing uses; actix wants at least one.
pub(crate) const BLOCKING: usize = 1;

#[cfg(test)]
mod tests {
    #[test]
    fn the_budget_is_eight_threads_a_service() {
        assert_eq!(super::BUDGET.iter().map(|(_, threads)| threads).sum::<usize>(), 8);
    }
}
