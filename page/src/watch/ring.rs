//! The last quarter of an hour: samples as the texts that browsers get.

use std::collections::VecDeque;

use actix_web::web::Bytes;

/// A quarter of an hour, with one sample each 2 s.
const SAMPLES_MAX: usize = 450;

/// A sample.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    /// Whether the sample before is not its neighbour.
    gap: bool,
    /// Its JSON without the opening brace.
    rest: Bytes,
}

impl Stored {
    /// `text` is the JSON of an object.
    pub(super) fn new(id: u64, gap: bool, text: String) -> Self {
        Self { id, gap, rest: Bytes::from(text).slice(1..) }
    }

    /// Its JSON; `skipped` says that the reader did not get the one before.
    pub(crate) fn json(&self, skipped: bool) -> String {
        let rest = std::str::from_utf8(&self.rest).expect("it was a String");
        format!(r#"{{"gap":{},{rest}"#, self.gap || skipped)
    }
}

/// The samples, oldest first.
#[derive(Default)]
pub(super) struct Ring(VecDeque<Stored>);

impl Ring {
    pub(super) fn push(&mut self, sample: Stored) {
        if self.0.len() == SAMPLES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// Those after the sample with the number `id`.
    pub(super) fn after(&self, id: u64) -> impl ExactSizeIterator<Item = &Stored> {
        let known = self.0.partition_point(|sample| sample.id <= id);
        self.0.range(known..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_450_are_kept_and_those_that_somebody_has_are_left_out() {
        let mut ring = Ring::default();
        assert_eq!(ring.after(0).len(), 0);
        for id in 1000..2000 {
            ring.push(Stored::new(id, id == 1000, format!(r#"{{"id":{id}}}"#)));
        }
        let first = |after| ring.after(after).next().map(|sample| (sample.id, ring.after(after).len()));
        assert_eq!((first(0), first(1549), first(1550)), (Some((1550, 450)), Some((1550, 450)), Some((1551, 449))));
        assert_eq!((first(1998), first(1999), first(u64::MAX)), (Some((1999, 1)), None, None));
        assert_eq!(ring.after(1998).next().unwrap().json(false), r#"{"gap":false,"id":1999}"#);
        assert_eq!(ring.after(1998).next().unwrap().json(true), r#"{"gap":true,"id":1999}"#);
    }
}
