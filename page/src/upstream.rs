//! A service that the page asks: its replicas, and a few connections that are kept.

use std::{
    sync::Mutex,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use rest::{Answer, Connection, Failure, Request, Target};

/// The services give up a wait of their own after 5 s, so no answer is missed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// More are not kept; there may be more at once.
const IDLE_MAX: usize = 16;

/// One service.
pub(crate) struct Upstream {
    /// For messages: `event service`.
    pub(crate) name: &'static str,
    targets: Vec<Target>,
    idle: Mutex<Vec<Connection>>,
    next: AtomicU32,
}

impl Upstream {
    pub(crate) fn new(name: &'static str, targets: Vec<Target>) -> Self {
        Self { name, targets, idle: Mutex::default(), next: AtomicU32::new(0) }
    }

    /// Sends it and waits for the answer. A request that could not be sent is sent to the next replica; one that was sent is never
    /// repeated, since only who asked knows whether it may be.
    pub(crate) async fn exchange(&self, request: &Request) -> Result<Answer, Failure> {
        let began = Instant::now();
        let idle = self.idle.lock().expect("nothing panics while it holds this").pop();
        let number = || self.next.fetch_add(1, Ordering::Relaxed);
        let mut connection = idle.unwrap_or_else(|| Connection::new(self.targets.clone(), number(), TIMEOUT));
        let mut exchanged = connection.exchange(request).await;
        for _ in 1..connection.replicas() {
            if !matches!(exchanged, Err(Failure::Away(_))) || began.elapsed() > TIMEOUT {
                break;
            }
            exchanged = connection.exchange(request).await;
        }
        let mut idle = self.idle.lock().expect("nothing panics while it holds this");
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        exchanged
    }
}
