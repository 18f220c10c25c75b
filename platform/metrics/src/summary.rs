//! Observations, shown by their quantiles over the last ten minutes.
//!
//! The window has five parts of two minutes. Each is a histogram of the crate `hdrhistogram` with two digits, made when something is
//! observed in it; a scrape adds up those that are not over. So a quantile is at most 1 % off, and forgets after 8 to 10 minutes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    family::{Metric, MetricVec},
    model::{Kind, SummaryValue, Value},
};

const PARTS: usize = 5;
const PART: Duration = Duration::from_secs(120);
const DIGITS: u8 = 2;

/// Which quantiles are shown.
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// What can be observed.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The smallest difference that is kept, in the summary's unit.
    pub resolution: f64,
    /// What is higher counts as this.
    pub highest: f64,
}

/// Observations of one series. A clone observes for the same series.
#[derive(Clone, Debug)]
pub struct Summary(Arc<Inner>);

/// Summaries with labels.
pub type SummaryVec = MetricVec<Summary>;

#[derive(Debug)]
struct Inner {
    window: Window,
    made: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    parts: [Option<Histogram<u32>>; PARTS],
    /// The number of the newest part, from zero.
    newest: u64,
    count: u64,
    sum: f64,
}

impl Summary {
    /// Counts an observation, which is not negative.
    pub fn observe(&self, value: f64) {
        self.observe_after(self.0.made.elapsed(), value);
    }

    fn observe_after(&self, age: Duration, value: f64) {
        let Window { resolution, highest } = self.0.window;
        let value = value.clamp(0.0, highest);
        let steps = (value / resolution).round() as u64;
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let part = state.part(age);
        part.get_or_insert_with(|| self.empty()).saturating_record(steps);
        state.count += 1;
        state.sum += value;
    }

    fn get_after(&self, age: Duration) -> SummaryValue {
        let mut all = self.empty();
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.part(age);
        for part in state.parts.iter().flatten() {
            all.add(part).expect("all have the same bounds");
        }
        let quantile =
            |q| if all.is_empty() { f64::NAN } else { all.value_at_quantile(q) as f64 * self.0.window.resolution };
        SummaryValue { count: state.count, sum: state.sum, quantiles: QUANTILES.map(|q| (q, quantile(q))).to_vec() }
    }

    fn empty(&self) -> Histogram<u32> {
        let Window { resolution, highest } = self.0.window;
        Histogram::new_with_bounds(1, ((highest / resolution) as u64).max(2), DIGITS).expect("the bounds are valid")
    }
}

impl State {
    /// The part of this moment; those that are over are forgotten.
    fn part(&mut self, age: Duration) -> &mut Option<Histogram<u32>> {
        let number = age.as_secs() / PART.as_secs();
        for over in (self.newest + 1..=number).take(PARTS) {
            self.parts[over as usize % PARTS] = None;
        }
        self.newest = self.newest.max(number);
        &mut self.parts[self.newest as usize % PARTS]
    }
}

impl Metric for Summary {
    type Options = Window;
    const KIND: Kind = Kind::Summary;
    /// Prometheus would put a zero into the quantiles, too, and a graph of latencies would dip.
    const HAS_START: bool = false;

    fn new(window: &Window) -> Self {
        Self(Arc::new(Inner { window: *window, made: Instant::now(), state: Mutex::default() }))
    }

    fn value(&self) -> Value {
        Value::Summary(self.get_after(self.0.made.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROSECONDS: Window = Window { resolution: 1.0, highest: 6e7 };

    #[test]
    fn quantiles_are_those_of_the_last_ten_minutes_and_the_sum_is_that_of_all() {
        let summary = Summary::new(&MICROSECONDS);
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let quantiles = |age| summary.get_after(age).quantiles.iter().map(|(_, value)| *value).collect::<Vec<_>>();
        assert!(quantiles(minutes(0)).iter().all(|value| value.is_nan()));
        for value in 1..=1000 {
            summary.observe_after(minutes(0), f64::from(value));
        }
        for (value, right) in quantiles(minutes(9)).into_iter().zip([500.0, 900.0, 990.0]) {
            assert!((value - right).abs() <= right * 0.01, "{value} {right}");
        }
        summary.observe_after(minutes(9), 5000.0);
        assert!((quantiles(minutes(10))[0] - 5000.0).abs() <= 50.0);
        let over = summary.get_after(minutes(1000));
        assert!(over.quantiles.iter().all(|(_, value)| value.is_nan()));
        assert_eq!((over.count, over.sum), (1001, 505_500.0));
    }

    /// `e2e/tests/system/metrics/summaries.rs` counts the series, and reckons with this.
    #[test]
    fn a_series_for_a_minute_in_microseconds_takes_at_most_52_kb_with_all_parts_full() {
        let summary = Summary::new(&MICROSECONDS);
        for part in 0..PARTS as u32 {
            for power in 0..60 {
                summary.observe_after(PART * part, f64::from(power).exp2());
            }
        }
        let state = summary.0.state.lock().unwrap();
        let bytes = |part: &Histogram<u32>| part.distinct_values() * size_of::<u32>();
        assert_eq!(state.parts.iter().flatten().count(), PARTS);
        let all = size_of::<Inner>() + state.parts.iter().flatten().map(bytes).sum::<usize>();
        assert!((40_000..52_000).contains(&all), "{all}");
    }

    #[test]
    fn what_is_out_of_range_counts_as_the_end_of_the_range() {
        let summary = Summary::new(&Window { resolution: 1e-6, highest: 10.0 });
        for value in [-1.0, 0.0, 1e9] {
            summary.observe_after(Duration::ZERO, value);
        }
        let shown = summary.get_after(Duration::ZERO);
        assert_eq!((shown.count, shown.sum), (3, 10.0));
        assert!(shown.quantiles[2].1 <= 10.1 && shown.quantiles[0].1 <= 1e-6, "{shown:?}");
    }
}
