//! When the next request is due.
//!
//! In a closed loop that is when the one before is answered; a slow system is asked less. In an open loop requests come
//! at a rate, as from a crowd that does not know how the system is doing: each has its time, and its latency counts from
//! then, also if no client was free to send it (else the slowest moments would be measured least: coordinated omission).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The timer wakes up to so much too late. That is not the system's fault: a client that was free in time and woke within
/// it counts from there.
const GRAIN: Duration = Duration::from_millis(2);

/// Gives out turns.
pub(crate) struct Pace {
    /// Requests a second; `None` is a closed loop.
    rate: Option<f64>,
    began: Instant,
    given: AtomicU64,
    stop: CancellationToken,
}

/// The right to send one request.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    /// From when its latency counts; `None`: from when it is sent.
    due: Option<Instant>,
}

impl Pace {
    /// Begins now; `rate` as in the plan.
    pub(crate) fn new(rate: Option<f64>, stop: CancellationToken) -> Self {
        Self { rate, began: Instant::now(), given: AtomicU64::new(0), stop }
    }

    /// Waits until it is time; `None` at the end.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        if self.stop.is_cancelled() {
            return None;
        }
        let Some(rate) = self.rate else { return Some(Turn { due: None }) };
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let due = self.began + Duration::from_secs_f64(number as f64 / rate);
        if due <= Instant::now() {
            return Some(Turn { due: Some(due) });
        }
        tokio::select! { () = sleep_until(due) => {}, () = self.stop.cancelled() => return None }
        let now = Instant::now();
        Some(Turn { due: Some(if now - due <= GRAIN { now } else { due }) })
    }

    /// Time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// How long each request has waited that was due by `now` and that no client was free to send.
    pub(crate) fn not_sent(&self, now: Instant) -> impl Iterator<Item = Duration> {
        let elapsed = (now - self.began).as_secs_f64();
        let (rate, given) = (self.rate.unwrap_or_default(), self.given.load(Ordering::Relaxed));
        let due = (elapsed * rate) as u64;
        (given..due).map(move |number| Duration::from_secs_f64((elapsed - number as f64 / rate).max(0.0)))
    }
}

impl Turn {
    /// From when the latency of a request counts that is sent now.
    pub(crate) fn since(self) -> Instant {
        self.due.unwrap_or_else(Instant::now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn in_an_open_loop_a_late_request_counts_from_when_it_was_due() {
        let pace = Pace::new(Some(100.0), CancellationToken::new());
        let began = Instant::now();
        assert_eq!(pace.turn().await.unwrap().since(), began);
        tokio::time::sleep(Duration::from_millis(35)).await; // the system is slow
        for due in [10, 20, 30] {
            assert_eq!(pace.turn().await.unwrap().since() - began, Duration::from_millis(due));
        }
        assert!(pace.turn().await.unwrap().since() - began >= Duration::from_millis(40));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_was_free_to_send_has_waited_since_it_was_due() {
        let pace = Pace::new(Some(100.0), CancellationToken::new());
        pace.turn().await.unwrap();
        tokio::time::sleep(Duration::from_millis(45)).await;
        let waited: Vec<_> = pace.not_sent(Instant::now()).map(|waited| waited.as_millis()).collect();
        assert_eq!(waited, [35, 25, 15], "due at 10, 20 and 30 ms; the one at 40 ms is due just now");
        assert_eq!(Pace::new(None, CancellationToken::new()).not_sent(Instant::now()).count(), 0);
    }
}
