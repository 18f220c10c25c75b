//! The bar on a terminal; elsewhere nothing is shown.

use std::{sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use super::{Shared, client::Phase, table::grouped};

const EVERY: Duration = Duration::from_millis(250);

pub(super) struct Progress {
    bar: ProgressBar,
    task: Option<JoinHandle<()>>,
}

impl Progress {
    pub(super) fn start(shared: &Arc<Shared>, phase: Phase) -> Self {
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
                let (requests, unanswered) = (shared.tally().requests, shared.tally().unanswered);
                let rate = (requests - before) as f64 / EVERY.as_secs_f64();
                before = requests;
                shown.set_position(shared.pace.elapsed().as_secs());
                shown.set_message(match phase {
                    Phase::Fill => format!("selling the first seats: {}", grouped(requests)),
                    Phase::Mix if unanswered > 0 => {
                        format!("{}/s, {} unanswered", grouped(rate as u64), grouped(unanswered))
                    }
                    Phase::Mix => format!("{}/s", grouped(rate as u64)),
                });
                shown.tick();
                drop(shared);
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { bar, task: Some(task) }
    }

    pub(super) async fn end(self) {
        if let Some(task) = self.task {
            task.abort();
            let _ = task.await; // it has let go of the shared state
        }
        self.bar.finish_and_clear();
    }
}
