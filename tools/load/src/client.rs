//! One client: it has one request under way, and keeps a connection to each service.

use std::{sync::Arc, time::Duration};

use rest::{Answer, Connection, Failure};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    choice,
    job::{Job, Service},
    mix::Phase,
    outcome,
    shared::Shared,
};

/// Between two tries to reach a system that is away. Shorter than a restart takes, long enough to leave it the processor.
const PAUSE: Duration = Duration::from_millis(20);

/// A request without an answer is given up after so long. The services give up a wait of their own after 5 s.
const TIMEOUT: Duration = Duration::from_secs(10);

/// After the end a system that hangs is waited for no longer than this.
const LAST_TIMEOUT: Duration = Duration::from_secs(2);

async fn given_up(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(LAST_TIMEOUT).await;
}

pub(crate) struct Client {
    shared: Arc<Shared>,
    user: Arc<str>,
    events: Connection,
    bookings: Connection,
    /// A request whose outcome is not known and that is sent again.
    again: Option<Job>,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>, number: u32) -> Self {
        let user = format!("{}{number}", outcome::users(&shared.run)).into();
        let (events, bookings) = (shared.plan.events.clone(), shared.plan.bookings.clone());
        Self {
            shared,
            user,
            events: Connection::new(events, number, TIMEOUT),
            bookings: Connection::new(bookings, number, TIMEOUT),
            again: None,
        }
    }

    /// Works until the pace gives no more turns, or the phase has nothing left to do.
    pub(crate) async fn run(mut self, phase: Phase) {
        let shared = self.shared.clone();
        while let Some(turn) = shared.pace.turn().await {
            let next = || choice::next(&shared, phase, &self.user).inspect(|job| outcome::sending(&shared, job));
            let Some(job) = self.again.take().or_else(next) else { break };
            // A request that cannot be sent keeps its turn: in an open loop its latency goes on growing.
            let answer = loop {
                let since = turn.since();
                let connection = match job.service {
                    Service::Events => &mut self.events,
                    Service::Bookings => &mut self.bookings,
                };
                let exchanged = tokio::select! {
                    exchanged = connection.exchange(&job.request) => exchanged,
                    () = given_up(&shared.stop) => Err(Failure::Unanswered),
                };
                shared.tally().exchanged(job.kind, since.elapsed(), connection.is_new, &exchanged);
                match exchanged {
                    Ok(answer) => break Some(answer),
                    Err(Failure::Unanswered) => break None,
                    Err(Failure::Away(_)) => {}
                }
                if shared.stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
                    return;
                }
            };
            self.conclude(job, answer).await;
        }
    }

    async fn conclude(&mut self, job: Job, answer: Option<Answer>) {
        let answered = answer.is_some();
        self.again = outcome::apply(&self.shared, job, answer);
        if !answered || self.again.is_some() {
            let _ = self.shared.stop.run_until_cancelled(sleep(PAUSE)).await;
        }
    }
}
