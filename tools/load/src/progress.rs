//! The bar on a terminal, or what a program is told; elsewhere nothing is shown.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::{mix::Phase, seen::Seen, shared::Shared};

const EVERY: Duration = Duration::from_millis(250);

/// How often a program is told.
const TOLD_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Progress {
    bar: ProgressBar,
    task: Option<JoinHandle<()>>,
}

impl Progress {
    pub(crate) fn start(shared: &Arc<Shared>, phase: Phase) -> Self {
        if let Some(seen) = shared.plan.seen.clone() {
            return Self { bar: ProgressBar::hidden(), task: Some(tokio::spawn(tell(Arc::downgrade(shared), seen))) };
        }
        let length = shared.plan.duration.filter(|_| phase == Phase::Mix);
        let (bar, form) = match length {
            Some(duration) => (ProgressBar::new(duration.as_secs().max(1)), "{elapsed} {wide_bar} {len} s   {msg}"),
            None => (ProgressBar::no_length(), "{elapsed} {spinner} {msg}"),
        };
        if bar.is_hidden() {
            return Self { bar, task: None };
        }
        bar.set_style(ProgressStyle::with_template(form).expect("the template is valid"));
        // It must not keep the shared state alive: that is taken apart when the clients have ended.
        let (weak, shown) = (Arc::downgrade(shared), bar.clone());
        let task = tokio::spawn(async move {
            let mut before = 0;
            while let Some(shared) = weak.upgrade() {
                let requests = shared.tally().totals.requests;
                let rate = ((requests - before) as f64 / EVERY.as_secs_f64()) as u64;
                before = requests;
                shown.set_position(shared.pace.elapsed().as_secs());
                shown.set_message(match phase {
                    Phase::Fill => format!("selling the first seats: {}", HumanCount(requests)),
                    Phase::Mix => message(&shared, rate),
                });
                shown.tick();
                drop(shared);
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { bar, task: Some(task) }
    }

    /// Says what is waited for, beside the bar.
    pub(crate) fn say(&self, text: &str) {
        self.bar.println(text);
    }

    pub(crate) async fn end(self) {
        if let Some(task) = self.task {
            task.abort();
            let _ = task.await; // it has let go of the shared state
        }
        self.bar.finish_and_clear();
    }
}

/// It ends with the phase, or when nobody listens any more.
async fn tell(shared: Weak<Shared>, seen: watch::Sender<Seen>) {
    while let Some(shared) = shared.upgrade() {
        let now = shared.tally().seen();
        drop(shared);
        if seen.send(now).is_err() {
            return;
        }
        tokio::time::sleep(TOLD_EVERY).await;
    }
}

/// `1,234/s of 2,000/s, 56 behind, 7 unanswered`
fn message(shared: &Shared, rate: u64) -> String {
    let mut message = format!("{}/s", HumanCount(rate));
    if let Some(wanted) = shared.plan.rate {
        let behind = shared.pace.not_sent(Instant::now()).count() as u64;
        message += &format!(" of {wanted}/s, {} behind", HumanCount(behind));
    }
    let unanswered = shared.tally().totals.unanswered;
    if unanswered > 0 {
        message += &format!(", {} unanswered", HumanCount(unanswered));
    }
    message
}
