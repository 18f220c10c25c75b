//! The metrics of the tokio runtimes: how much work they have, and how late they do it.
//!
//! A service has several runtimes: main, and one in each actix worker. Each one joins from its own thread, and measures how late a
//! timer fires: that is how long something has blocked the thread.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use prometheus::{
    HistogramVec, IntGaugeVec, Opts, Registry, Result,
    core::{Collector, Desc},
    proto::MetricFamily,
    register_histogram_vec_with_registry,
};
use tokio::runtime::Handle;

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
    pub fn new(registry: &Registry) -> Result<Self> {
        let lag = register_histogram_vec_with_registry!(
            "myevents_event_loop_lag_seconds",
            "How late a runtime's timer fires.",
            &["runtime"],
            LAG_SECONDS.to_vec(),
            registry,
        )?;
        let runtimes = Self { joined: Arc::default(), lag };
        let gauge = |name, help| IntGaugeVec::new(Opts::new(name, help), &["runtime"]);
        registry.register(Box::new(RuntimeCollector {
            runtimes: runtimes.joined.clone(),
            workers: gauge("tokio_workers", "Threads of the runtime.")?,
            tasks: gauge("tokio_alive_tasks", "Tasks of the runtime that have not ended.")?,
            queue: gauge("tokio_global_queue_depth", "Tasks that wait for a thread of the runtime.")?,
        }))?;
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

struct RuntimeCollector {
    runtimes: Arc<Mutex<BTreeMap<String, Handle>>>,
    workers: IntGaugeVec,
    tasks: IntGaugeVec,
    queue: IntGaugeVec,
}

impl RuntimeCollector {
    fn gauges(&self) -> [&IntGaugeVec; 3] {
        [&self.workers, &self.tasks, &self.queue]
    }
}

impl Collector for RuntimeCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.gauges().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for (name, handle) in self.runtimes.lock().expect("nothing panics while it holds this").iter() {
            let runtime = handle.metrics();
            let values = [runtime.num_workers(), runtime.num_alive_tasks(), runtime.global_queue_depth()];
            for (gauge, value) in self.gauges().into_iter().zip(values) {
                gauge.with_label_values(&[name.as_str()]).set(i64::try_from(value).unwrap_or(i64::MAX));
            }
        }
        self.gauges().into_iter().flat_map(Collector::collect).collect()
    }
}
