//! The queue of notifications, and the one task that sends them. It sends one alone, or all together if single messages would be too
//! many for the robot, and then answers their requests. Only this task knows the pace, so it needs no lock.

use std::sync::{Arc, Mutex};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    message::{Notification, message},
    outcome::{Failure, Outcome},
    pace::{Pace, SILENCE, Step},
    robot::Robot,
};

/// A notification that waits for its message.
pub(super) struct Waiting {
    pub(super) notification: Notification,
    pub(super) since: Instant,
    /// Closed when the client has disconnected.
    pub(super) answer: oneshot::Sender<Outcome>,
}

/// The result of the last message and its time; for `/readyz`.
pub(super) type LastResult = Arc<Mutex<Option<(Instant, Outcome)>>>;

/// The task that sends.
pub(super) struct Queue {
    pub(super) incoming: mpsc::Receiver<Waiting>,
    pub(super) robot: Robot,
    pub(super) pace: Pace,
    pub(super) last: LastResult,
}

impl Queue {
    /// Runs until `stop` is cancelled. Notifications that wait then are answered with 503, and their senders try again.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut waiting: Vec<Waiting> = Vec::new();
        loop {
            waiting.extend(self.arrived());
            // A client that has disconnected sends the same notification again; sending it now would show it twice.
            waiting.retain(|one| !one.answer.is_closed());
            let step = waiting.first().map(|first| self.pace.next_step(first.since, Instant::now()));
            let until = match step {
                _ if stop.is_cancelled() => break,
                None => None,
                Some(Step::WaitUntil(until)) => Some(until),
                Some(Step::RobotSilent(left)) => {
                    let detail = "the robot has said that messages come too fast, and is not asked for a while";
                    let outcome = Outcome { wait: Some(left), ..Outcome::failed(Failure::Rate, detail) };
                    answer(waiting.drain(..), &outcome);
                    continue;
                }
                Some(Step::SendOne) => {
                    self.send(vec![waiting.remove(0)]).await;
                    continue;
                }
                Some(Step::SendAll) => {
                    self.send(std::mem::take(&mut waiting)).await;
                    continue;
                }
            };
            tokio::select! {
                one = self.incoming.recv() => match one {
                    Some(one) => waiting.push(one),
                    None => break,
                },
                () = async { sleep_until(until.unwrap_or_else(Instant::now)).await }, if until.is_some() => {}
                () = stop.cancelled() => break,
            }
        }
        self.incoming.close();
        waiting.extend(self.arrived());
        answer(waiting, &Outcome::failed(Failure::Busy, "the bridge is stopping"));
    }

    fn arrived(&mut self) -> impl Iterator<Item = Waiting> {
        std::iter::from_fn(|| self.incoming.try_recv().ok())
    }

    async fn send(&mut self, batch: Vec<Waiting>) {
        let text = message(&batch.iter().map(|one| &one.notification).collect::<Vec<_>>());
        let mut outcome = self.robot.send(text).await;
        let now = Instant::now();
        self.pace.sent(now);
        if outcome.failure == Some(Failure::Rate) {
            self.pace.too_fast(now);
            outcome.wait = Some(SILENCE);
        }
        let (notifications, result) = (batch.len(), outcome.label());
        if outcome.failure.is_none() {
            tracing::debug!(notifications, "a message has arrived");
        } else {
            let (detail, advice) = (&outcome.detail, outcome.advice());
            tracing::warn!(notifications, result, "a message has not arrived: {detail} ({advice})");
        }
        *self.last.lock().expect("nothing panics while it holds this") = Some((now, outcome.clone()));
        answer(batch, &outcome);
    }
}

fn answer(batch: impl IntoIterator<Item = Waiting>, outcome: &Outcome) {
    for one in batch {
        let _ = one.answer.send(outcome.clone()); // the client may have disconnected
    }
}
