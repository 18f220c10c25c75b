//! One story as it is kept, small, in one place of the ring.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    TraceId,
    story::{Step, StepTime, Story},
};

/// Messages of one story. No request has more.
const MESSAGES: usize = 2;

/// A story as it is kept. Times are microseconds since 1970, 0 where unknown.
pub(crate) struct Slot {
    pub(crate) number: u64,
    pub(crate) trace: TraceId,
    /// The number of the story before it in its trace.
    pub(crate) before: Option<u64>,
    pub(crate) resource: Option<Uuid>,
    pub(crate) method: Option<&'static str>,
    pub(crate) route: Option<String>,
    pub(crate) status: Option<u16>,
    /// Whether it takes something before it stores it.
    pub(crate) reserves: bool,
    /// Whether it was answered with what an earlier one has made or changed.
    pub(crate) repeats: bool,
    pub(crate) messages: [Option<Uuid>; MESSAGES],
    pub(crate) confirmed: [bool; MESSAGES],
    at: [i64; Step::ALL.len()],
}

impl Slot {
    /// A story that begins.
    pub(crate) fn new(number: u64, trace: TraceId, before: Option<u64>, method: Option<&'static str>) -> Self {
        let (resource, route, status) = (None, None, None);
        let (reserves, repeats, messages, confirmed, at) = Default::default();
        Self { number, trace, before, resource, method, route, status, reserves, repeats, messages, confirmed, at }
    }

    /// The first time stays: what is repeated has happened before. Says whether it is new.
    pub(crate) fn happened(&mut self, step: Step, at: Timestamp) -> bool {
        let known = &mut self.at[step as usize];
        let new = *known == 0;
        if new {
            *known = at.as_microsecond();
        }
        new
    }

    /// What is published was stored before, though the relay may be faster than who reports the commit.
    pub(crate) fn stored(&mut self, at: Timestamp) -> bool {
        let published = self.time(Step::Published).unwrap_or(at);
        self.happened(Step::Stored, at.min(published))
    }

    /// Whether this was the last of its messages to be confirmed.
    pub(crate) fn confirmed(&mut self, message: Uuid) -> bool {
        for (of, confirmed) in self.messages.iter().zip(&mut self.confirmed) {
            *confirmed |= *of == Some(message);
        }
        self.messages.iter().zip(self.confirmed).all(|(of, confirmed)| of.is_none() || confirmed)
    }

    pub(crate) fn time(&self, step: Step) -> Option<Timestamp> {
        let at = self.at[step as usize];
        Timestamp::from_microsecond(at).ok().filter(|_| at != 0)
    }

    /// Whether a step belongs to it, though it is not known. One that only reads, that was refused, or that repeats an earlier one
    /// changes nothing; after a 5xx it is open what happened. Of messages without their request all is open.
    fn may_have(&self, step: Step) -> bool {
        let reads = matches!(self.method, Some("GET" | "HEAD" | "OPTIONS"));
        let changes = !reads && !self.repeats && !matches!(self.status, Some(400..500));
        match step {
            Step::Received | Step::Answered => true,
            Step::Reserved => changes && (self.reserves || self.method.is_none()),
            Step::Stored | Step::Published | Step::Confirmed | Step::Applied => changes,
        }
    }

    pub(crate) fn story(&self) -> Story {
        let steps = Step::ALL.into_iter().map(|step| StepTime { step, at: self.time(step) });
        let steps = steps.filter(|known| known.at.is_some() || self.may_have(known.step));
        Story {
            trace_id: self.trace,
            resource_id: self.resource,
            method: self.method.map(str::to_owned),
            route: self.route.clone(),
            status: self.status,
            message_ids: self.messages.into_iter().flatten().collect(),
            steps: steps.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stories::Of;

    fn slot(method: &'static str) -> Slot {
        Slot::new(0, TraceId::new(), None, Some(method))
    }

    /// The memory that `stories.rs` promises.
    #[test]
    fn a_story_is_as_small_as_it_is_said_to_be() {
        assert_eq!(std::mem::size_of::<Slot>(), 208);
    }

    #[test]
    fn the_first_time_of_a_step_stays() {
        let mut slot = slot("POST");
        let (first, later) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        assert!(slot.happened(Step::Published, first) && !slot.happened(Step::Published, later));
        assert!(slot.stored(later));
        assert_eq!((slot.time(Step::Published), slot.time(Step::Stored)), (Some(first), Some(first)));
    }

    #[test]
    fn two_messages_are_confirmed_when_the_second_is() {
        let (mut slot, [first, second]) = (slot("DELETE"), [(); 2].map(|()| Uuid::now_v7()));
        slot.messages = [Some(first), Some(second)];
        assert_eq!([first, first, second].map(|message| slot.confirmed(message)), [false, false, true]);
    }

    #[test]
    fn what_a_request_cannot_have_is_left_out_unless_it_happened() {
        let answered = |method, status, reserves, repeats| {
            let slot = Slot { status: Some(status), reserves, repeats, ..slot(method) };
            slot.story().steps.iter().map(|known| known.step).collect::<Vec<_>>()
        };
        let without_reservation: Vec<_> = Step::ALL.into_iter().filter(|step| *step != Step::Reserved).collect();
        for (method, status, reserves, repeats, steps) in [
            ("GET", 503, false, false, &[Step::Received, Step::Answered][..]),
            ("POST", 409, true, false, &[Step::Received, Step::Answered]),
            ("POST", 200, true, true, &[Step::Received, Step::Answered]),
            ("POST", 201, true, false, &Step::ALL),
            ("POST", 503, true, false, &Step::ALL),
            ("DELETE", 200, false, false, &without_reservation),
        ] {
            assert_eq!(answered(method, status, reserves, repeats), steps, "{method} {status} {reserves} {repeats}");
        }
        assert_eq!(Slot::new(0, TraceId::new(), None, None).story().steps.len(), Step::ALL.len());
        let mut refused = Slot { status: Some(400), ..slot("POST") };
        refused.happened(Step::Stored, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1));
        assert_eq!(refused.story().steps.len(), 3);
    }

    #[test]
    fn what_is_said_of_a_step_is_the_time_that_is_kept() {
        let mut slot = slot("POST");
        let (first, later) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        slot.happened(Step::Published, first);
        slot.stored(later);
        assert_eq!(Of::slot(&slot, Step::Stored).at, Some(first));
    }
}
