//! The metrics of the tokio runtimes: how much work they have, and how late they do it.
//!
//! A service has several runtimes: main, and one in each actix worker. Each one joins from its own thread, and measures how late a
//! timer fires: that is how long something has blocked the thread.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use metrics::{HistogramVec, Result};
use tokio::runtime::Handle;

use super::Metrics;

const LAG_SECONDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// The interval of the timer that is measured.
const TIMER_INTERVAL: Duration = Duration::from_millis(500);

/// The runtimes of one service.
#[derive(Clone)]
pub struct Runtimes {
    joined: Arc<Mutex<BTreeMap<String, Handle>>>,
    lag: HistogramVec,
}

impl Runtimes {
    /// Registers the metrics; each runtime then joins by itself.
    pub fn new(metrics: &mut Metrics) -> Result<Self> {
        let registry = &metrics.registry;
        let lag = registry.histogram_vec(
            "myevents_event_loop_lag_seconds",
            "How late a runtime's timer fires.",
            &["runtime"],
            LAG_SECONDS,
        )?;
        let workers = registry.gauge_vec("tokio_workers", "Threads of the runtime.", &["runtime"])?;
        let tasks =
            registry.gauge_vec("tokio_alive_tasks", "Tasks of the runtime that have not ended.", &["runtime"])?;
        let queue = registry.gauge_vec(
            "tokio_global_queue_depth",
            "Tasks that wait for a thread of the runtime.",
            &["runtime"],
        )?;
        let runtimes = Self { joined: Arc::default(), lag };
        let joined = runtimes.joined.clone();
        metrics.before_scrape(Arc::new(move || {
            for (name, handle) in joined.lock().expect("nothing panics while it holds this").iter() {
                let now = handle.metrics();
                let values = [now.num_workers(), now.num_alive_tasks(), now.global_queue_depth()];
                for (gauge, value) in [&workers, &tasks, &queue].into_iter().zip(values) {
                    gauge.with_label_values(&[name]).set(value as f64);
                }
            }
            Box::pin(std::future::ready(()))
        }));
        Ok(runtimes)
    }

    /// Adds the runtime of this thread under the name `kind`; if that is taken, under `kind-2` and so on.
    pub fn join(&self, kind: &str) {
        let mut joined = self.joined.lock().expect("nothing panics while it holds this");
        let names = std::iter::once(kind.to_owned()).chain((2..).map(|n| format!("{kind}-{n}")));
        let name = names.into_iter().find(|name| !joined.contains_key(name)).expect("there are endless names");
        let lag = self.lag.with_label_values(&[name.as_str()]);
        joined.insert(name, Handle::current());
        tokio::spawn(async move {
            loop {
                let began = Instant::now();
                tokio::time::sleep(TIMER_INTERVAL).await;
                lag.observe(began.elapsed().saturating_sub(TIMER_INTERVAL).as_secs_f64());
            }
        });
    }
}
