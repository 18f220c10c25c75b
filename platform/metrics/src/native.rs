//! A histogram whose buckets need no bounds: each is 9 % wider than the one before it, and exists only once something is in it.
//!
//! Source: <https://prometheus.io/docs/specs/native_histograms/>. With the schema `s`, bucket `n` ends at 2^(n / 2^s).

use std::collections::BTreeMap;

/// 8 buckets for each doubling.
const SCHEMA: i32 = 3;

/// The coarsest there is: one bucket for 2^16 times more.
const SCHEMA_MIN: i32 = -4;

/// More would be costly. Above it two neighbours become one, until there are fewer.
const BUCKETS_MAX: usize = 160;

/// At most this counts as zero, and what is negative, too: nothing here observes that.
pub(crate) const ZERO_THRESHOLD: f64 = f64::MIN_POSITIVE;

/// The buckets at one moment.
#[derive(Clone, Debug)]
pub struct Native {
    schema: i32,
    zero: u64,
    buckets: BTreeMap<i32, u64>,
}

impl Default for Native {
    fn default() -> Self {
        Self { schema: SCHEMA, zero: 0, buckets: BTreeMap::new() }
    }
}

impl Native {
    /// How fine the buckets are.
    pub fn schema(&self) -> i32 {
        self.schema
    }

    /// How many observations count as zero.
    pub fn zero(&self) -> u64 {
        self.zero
    }

    /// Each bucket that has observations, by its number.
    pub fn buckets(&self) -> impl Iterator<Item = (i32, u64)> {
        self.buckets.iter().map(|(number, count)| (*number, *count))
    }

    pub(crate) fn observe(&mut self, value: f64) {
        if value.is_nan() {
            return; // it is in the count alone
        }
        if value <= ZERO_THRESHOLD {
            self.zero += 1;
            return;
        }
        // What is infinite is one above the largest number.
        let exponent = if value.is_infinite() { 1024.0 + 1.0 } else { value.log2() };
        *self.buckets.entry((exponent * f64::from(self.schema).exp2()).ceil() as i32).or_default() += 1;
        while self.buckets.len() > BUCKETS_MAX && self.schema > SCHEMA_MIN {
            self.coarsen();
        }
    }

    /// Makes one bucket of two.
    fn coarsen(&mut self) {
        self.schema -= 1;
        let mut coarser = BTreeMap::new();
        for (number, count) in self.buckets() {
            *coarser.entry(number.div_euclid(2) + number.rem_euclid(2)).or_default() += count;
        }
        self.buckets = coarser;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_at_its_bound() {
        let mut native = Native::default();
        for value in [1.0, 1.0000001, 2.0, 0.5, 0.0, -3.0, f64::NAN] {
            native.observe(value);
        }
        assert_eq!(native.buckets().collect::<Vec<_>>(), [(-8, 1), (0, 1), (1, 1), (8, 1)]);
        assert_eq!(native.zero(), 2);
    }

    #[test]
    fn too_many_buckets_become_coarser_ones_and_lose_nothing() {
        let mut native = Native::default();
        for n in -100..100 {
            native.observe((f64::from(n) / 8.0).exp2());
        }
        assert_eq!(native.schema(), 2);
        assert!(native.buckets.len() <= BUCKETS_MAX);
        assert_eq!(native.buckets().map(|(_, count)| count).sum::<u64>(), 200);
        let mut again = Native { schema: 2, ..Native::default() };
        (-100..100).for_each(|n| again.observe((f64::from(n) / 8.0).exp2()));
        assert_eq!(native.buckets, again.buckets);
    }
}
