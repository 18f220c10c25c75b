//! One log line when something begins to fail, not one per request: a full disk or a damaged page fails thousands.

use std::time::{Duration, Instant};

/// Whether something fails just now.
pub(super) struct Trouble {
    last: Option<Instant>,
    calm: Duration,
}

impl Trouble {
    /// None yet. Once there is one, it is over when something goes well and nothing has failed for so long.
    pub(super) fn new(calm: Duration) -> Self {
        Self { last: None, calm }
    }

    /// Something failed. True if that is news.
    pub(super) fn begins(&mut self) -> bool {
        self.last.replace(Instant::now()).is_none()
    }

    /// Something went well. True if that ends a trouble.
    pub(super) fn ends(&mut self) -> bool {
        let over = self.last.is_some_and(|last| last.elapsed() >= self.calm);
        if over {
            self.last = None;
        }
        over
    }
}
