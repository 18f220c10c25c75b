//! How much was counted within the last seconds. A window never reaches over a gap, nor to before the page looked: then it is shorter.

use std::{collections::VecDeque, time::Duration};

use super::{
    quantile::quantile,
    reading::{Count, Counts},
};

/// The longest window.
const LONGEST: Duration = Duration::from_secs(60);

/// A sample that should be as old as the window may be so much older.
const TOLERANCE: Duration = Duration::from_secs(1);

/// The sums of one service at its last samples, oldest first, each with its time on a clock of its own.
#[derive(Default)]
pub(super) struct Windows(VecDeque<(Duration, Counts)>);

/// What was counted in a window.
pub(super) struct Grown {
    seconds: f64,
    counts: Counts,
}

impl Windows {
    /// Takes the sums of a sample; after a gap all before is forgotten.
    pub(super) fn add(&mut self, at: Duration, sums: Counts, gap: bool) {
        if gap {
            self.0.clear();
        }
        self.0.push_back((at, sums));
        while self.0.front().is_some_and(|(oldest, _)| *oldest + LONGEST + TOLERANCE < at) {
            self.0.pop_front();
        }
    }

    /// The window of so many seconds up to the last sample; `None` where that is the first one.
    pub(super) fn last(&self, seconds: u64) -> Option<Grown> {
        let (now, sums) = self.0.back()?;
        let begin = now.saturating_sub(Duration::from_secs(seconds) + TOLERANCE);
        let (then, before) = self.0.iter().find(|(at, _)| *at >= begin && at < now)?;
        Some(Grown { seconds: (*now - *then).as_secs_f64(), counts: sums.since(before) })
    }
}

impl Grown {
    /// A second.
    pub(super) fn rate(&self, what: Count) -> f64 {
        self.counts.get(what) / self.seconds
    }

    /// The share of `part` in `all`; `None` where there was none at all.
    pub(super) fn share(&self, part: Count, all: Count) -> Option<f64> {
        let all = self.counts.get(all);
        (all > 0.0).then(|| self.counts.get(part) / all)
    }

    /// The time, in seconds, within which the share `q` of the requests was answered.
    pub(super) fn seconds(&self, q: f64) -> Option<f64> {
        let bucket = |(what, number)| match what {
            Count::Within(bits) => Some((f64::from_bits(bits), number)),
            Count::Requests | Count::Errors | Count::Accepted | Count::Bookings | Count::BookedSeats => None,
            Count::Cancelled | Count::Rejected | Count::Published | Count::Applied => None,
        };
        quantile(q, &self.counts.all().filter_map(bucket).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(windows: &mut Windows, at: f64, requests: f64, gap: bool) {
        let mut sums = Counts::default();
        sums.add(Count::Requests, requests);
        sums.add(Count::Errors, requests / 4.0);
        for (bound, share) in [(0.001, 0.5), (0.002, 1.0), (f64::INFINITY, 1.0)] {
            sums.add(Count::Within(f64::to_bits(bound)), requests * share);
        }
        windows.add(Duration::from_secs_f64(at), sums, gap);
    }

    #[test]
    fn a_window_is_as_long_as_it_says_or_as_there_are_samples() {
        let mut windows = Windows::default();
        assert!(windows.last(10).is_none());
        for n in 0..100 {
            add(&mut windows, f64::from(n) * 2.0 + 0.01 * f64::from(n % 3), f64::from(n * n), false);
            let Some(grown) = windows.last(10) else {
                assert_eq!(n, 0);
                continue;
            };
            let begin = (n - 5).max(0);
            assert_eq!(grown.counts.get(Count::Requests), f64::from(n * n - begin * begin), "{n}");
            assert!((grown.seconds - f64::from(n - begin) * 2.0).abs() < 0.03, "{n}");
            assert_eq!(grown.share(Count::Errors, Count::Requests), Some(0.25));
            assert_eq!(grown.seconds(0.5), Some(0.001));
            assert_eq!(grown.seconds(0.75), Some(0.0015));
        }
        assert_eq!(windows.0.len(), 31, "no more than the longest window needs");
    }

    #[test]
    fn a_window_does_not_reach_over_a_gap() {
        let mut windows = Windows::default();
        add(&mut windows, 0.0, 0.0, true);
        add(&mut windows, 2.0, 4.0, false);
        assert_eq!(windows.last(60).unwrap().rate(Count::Requests), 2.0);
        add(&mut windows, 30.0, 1000.0, true);
        assert!(windows.last(60).is_none());
        add(&mut windows, 32.0, 1000.0, false);
        let grown = windows.last(60).unwrap();
        assert_eq!((grown.rate(Count::Requests), grown.share(Count::Errors, Count::Requests)), (0.0, None));
        assert_eq!(grown.seconds(0.5), None);
    }
}
