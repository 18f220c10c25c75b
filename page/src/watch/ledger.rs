//! What a service has counted while the page looked, whichever of its processes did it.
//!
//! A process counts from 0 when it starts. So it is known by its address and its start, and what it has counted since it was last asked is
//! added to a sum, which therefore never falls.

use std::collections::BTreeMap;

use super::reading::{Counts, Reading};

/// After a longer silence, in seconds, a process adds nothing at first: what it has counted meanwhile would seem to be of this moment.
const SILENCE_MAX: f64 = 5.0;

/// The sum of one service.
#[derive(Default)]
pub(super) struct Ledger {
    /// The last reading of each address, and when that was.
    known: BTreeMap<String, (f64, Reading)>,
    sums: Counts,
    /// When it was last asked, in seconds since 1970.
    last: Option<f64>,
}

impl Ledger {
    /// Adds what the processes have answered now, and returns the addresses where another one has started. `known` are all addresses
    /// there are; what others have said is forgotten.
    pub(super) fn add(&mut self, now: f64, known: &[String], answers: &[(String, Reading)]) -> Vec<String> {
        let mut restarts = Vec::new();
        for (address, reading) in answers {
            let before = self.known.get(address).map(|(at, before)| (now - at <= SILENCE_MAX, before));
            let began = Counts::default();
            let since = match before {
                Some((recent, before)) if before.started == reading.started => recent.then_some(&before.counts),
                Some((_, before)) if before.started < reading.started => {
                    restarts.push(address.clone());
                    Some(&began)
                }
                // All of it was counted since then.
                _ if self.last.is_some_and(|last| last < reading.started) => Some(&began),
                _ => None,
            };
            for (what, more) in
                since.into_iter().flat_map(|since| reading.counts.since(since).all().collect::<Vec<_>>())
            {
                self.sums.add(what, more);
            }
            self.known.insert(address.clone(), (now, reading.clone()));
        }
        self.known.retain(|address, _| known.contains(address));
        self.last = Some(now);
        restarts
    }

    /// What was counted so far.
    pub(super) fn sums(&self) -> &Counts {
        &self.sums
    }
}

#[cfg(test)]
mod tests {
    use super::{super::reading::Count, *};

    /// A process at an address, started at that time, with so many requests.
    type Process = (&'static str, f64, f64);

    fn add(ledger: &mut Ledger, now: f64, processes: &[Process]) -> (f64, Vec<String>) {
        let answer = |(address, started, requests): &Process| {
            let mut reading = Reading { started: *started, ..Reading::default() };
            reading.counts.add(Count::Requests, *requests);
            ((*address).to_owned(), reading)
        };
        let answers: Vec<_> = processes.iter().map(answer).collect();
        let restarts = ledger.add(now, &["a".to_owned(), "b".to_owned()], &answers);
        (ledger.sums().get(Count::Requests), restarts)
    }

    #[test]
    fn a_process_that_was_there_before_adds_what_it_counts_from_now_on() {
        let mut ledger = Ledger::default();
        assert_eq!(add(&mut ledger, 100.0, &[("a", 50.0, 1000.0)]).0, 0.0);
        assert_eq!(add(&mut ledger, 102.0, &[("a", 50.0, 1007.0)]).0, 7.0);
        assert_eq!(add(&mut ledger, 104.0, &[("a", 50.0, 1007.0)]).0, 7.0);
    }

    #[test]
    fn one_that_has_started_anew_counts_from_0_and_is_named() {
        let mut ledger = Ledger::default();
        add(&mut ledger, 100.0, &[("a", 50.0, 1000.0)]);
        add(&mut ledger, 102.0, &[("a", 50.0, 1010.0)]);
        add(&mut ledger, 104.0, &[]); // it is down
        assert_eq!(add(&mut ledger, 106.0, &[("a", 103.0, 5.0)]), (15.0, vec!["a".to_owned()]));
        assert_eq!(add(&mut ledger, 108.0, &[("a", 103.0, 6.0)]), (16.0, vec![]));
    }

    #[test]
    fn a_new_replica_counts_from_0_only_if_it_has_started_since_the_last_look() {
        for (started, counted) in [(101.0, 5.0), (60.0, 0.0)] {
            let mut ledger = Ledger::default();
            add(&mut ledger, 100.0, &[("a", 50.0, 1000.0)]);
            let sum = add(&mut ledger, 102.0, &[("a", 50.0, 1000.0), ("b", started, 5.0)]);
            assert_eq!(sum, (counted, vec![]));
        }
    }

    #[test]
    fn two_replicas_are_added_up_and_one_that_is_silent_for_a_while_loses_nothing() {
        let mut ledger = Ledger::default();
        add(&mut ledger, 100.0, &[("a", 50.0, 10.0), ("b", 51.0, 20.0)]);
        assert_eq!(add(&mut ledger, 102.0, &[("a", 50.0, 11.0), ("b", 51.0, 22.0)]).0, 3.0);
        assert_eq!(add(&mut ledger, 104.0, &[("a", 50.0, 12.0)]).0, 4.0);
        assert_eq!(add(&mut ledger, 106.0, &[("a", 50.0, 12.0), ("b", 51.0, 25.0)]).0, 7.0);
    }

    #[test]
    fn what_was_counted_in_a_long_silence_is_not_of_the_moment_it_ends() {
        let mut ledger = Ledger::default();
        add(&mut ledger, 100.0, &[("a", 50.0, 10.0), ("b", 51.0, 20.0)]);
        for second in (102..160).step_by(2) {
            add(&mut ledger, f64::from(second), &[("a", 50.0, 10.0)]);
        }
        assert_eq!(add(&mut ledger, 160.0, &[("a", 50.0, 10.0), ("b", 51.0, 6000.0)]).0, 0.0);
        assert_eq!(add(&mut ledger, 162.0, &[("a", 50.0, 10.0), ("b", 51.0, 6200.0)]).0, 200.0);
    }

    #[test]
    fn one_whose_address_is_gone_is_forgotten() {
        let mut ledger = Ledger::default();
        add(&mut ledger, 100.0, &[("a", 50.0, 10.0), ("c", 50.0, 10.0)]);
        assert_eq!(add(&mut ledger, 102.0, &[("a", 50.0, 10.0), ("c", 50.0, 90.0)]).0, 0.0);
        assert_eq!(ledger.known.len(), 1);
    }

    #[test]
    fn an_older_process_in_its_place_adds_nothing_and_a_counter_that_is_missing_takes_nothing_away() {
        let mut ledger = Ledger::default();
        add(&mut ledger, 100.0, &[("a", 50.0, 10.0)]);
        assert_eq!(add(&mut ledger, 102.0, &[("a", 40.0, 90.0)]), (0.0, vec![]));
        let bare = Reading { started: 40.0, ..Reading::default() };
        ledger.add(104.0, &["a".to_owned()], &[("a".to_owned(), bare)]);
        assert_eq!(ledger.sums().get(Count::Requests), 0.0);
        assert_eq!(add(&mut ledger, 106.0, &[("a", 40.0, 3.0)]).0, 3.0);
    }
}
