//! The last stories of a process, with three indexes: each step of a story finds it in constant time.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    TraceId, parent,
    story::{Step, StepTime, Story},
};

/// Slots that are allocated at once, so that a process with few requests needs little.
const GROWTH: usize = 500;

/// The most stories that are shown of one trace: a caller may send the same `traceparent` all the time.
const SHOWN_MAX: usize = 100;

/// Messages of one story. No request has more.
const MESSAGES: usize = 2;

/// A story as it is kept. Times are microseconds since 1970, 0 where unknown.
pub(crate) struct Slot {
    pub(crate) number: u64,
    pub(crate) trace: TraceId,
    /// The number of the story before it in its trace.
    before: Option<u64>,
    pub(crate) resource: Option<Uuid>,
    pub(crate) method: Option<&'static str>,
    pub(crate) route: Option<String>,
    pub(crate) status: Option<u16>,
    messages: [Option<Uuid>; MESSAGES],
    confirmed: [bool; MESSAGES],
    at: [i64; Step::ALL.len()],
}

impl Slot {
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

    fn time(&self, step: Step) -> Option<Timestamp> {
        let at = self.at[step as usize];
        Timestamp::from_microsecond(at).ok().filter(|_| at != 0)
    }

    fn story(&self) -> Story {
        let only_reads = matches!(self.method, Some("GET" | "HEAD" | "OPTIONS"));
        let has = |step: &Step| !only_reads || matches!(step, Step::Received | Step::Answered);
        let steps = Step::ALL.into_iter().filter(has).map(|step| StepTime { step, at: self.time(step) });
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

/// The last stories. A story is known by its number, and is in the slot of that number modulo the capacity.
pub(crate) struct Ring {
    capacity: usize,
    slots: Vec<Slot>,
    next: u64,
    traces: HashMap<TraceId, u64>,
    resources: HashMap<Uuid, u64>,
    messages: HashMap<Uuid, u64>,
}

impl Ring {
    pub(crate) fn new(capacity: usize) -> Self {
        let (traces, resources, messages) = Default::default();
        Self { capacity, slots: Vec::new(), next: 0, traces, resources, messages }
    }

    /// A new story, in the place of the oldest one.
    pub(crate) fn begin(&mut self, trace: TraceId, method: Option<&'static str>) -> u64 {
        let number = self.next;
        self.next += 1;
        let before = self.traces.insert(trace, number);
        let (resource, route, status) = (None, None, None);
        let (messages, confirmed, at) = Default::default();
        let slot = Slot { number, trace, before, resource, method, route, status, messages, confirmed, at };
        if self.slots.len() < self.capacity {
            if self.slots.len() == self.slots.capacity() {
                self.slots.reserve_exact(GROWTH.min(self.capacity - self.slots.len()));
            }
            self.slots.push(slot);
        } else {
            let place = self.place(number);
            let old = std::mem::replace(&mut self.slots[place], slot);
            self.forget(&old);
        }
        number
    }

    fn forget(&mut self, old: &Slot) {
        let own = |known: &mut HashMap<Uuid, u64>, id| {
            if known.get(&id) == Some(&old.number) {
                known.remove(&id);
            }
        };
        old.resource.into_iter().for_each(|id| own(&mut self.resources, id));
        old.messages.into_iter().flatten().for_each(|id| own(&mut self.messages, id));
        if self.traces.get(&old.trace) == Some(&old.number) {
            self.traces.remove(&old.trace);
        }
    }

    fn place(&self, number: u64) -> usize {
        (number % self.capacity as u64) as usize
    }

    pub(crate) fn slot(&mut self, number: u64) -> Option<&mut Slot> {
        let place = self.place(number);
        self.slots.get_mut(place).filter(|slot| slot.number == number)
    }

    /// The story writes this message.
    pub(crate) fn writes(&mut self, number: u64, message: Uuid) {
        let Some(slot) = self.slot(number) else { return };
        if let Some(free) = slot.messages.iter_mut().find(|of| of.is_none()) {
            *free = Some(message);
            self.messages.insert(message, number);
        }
    }

    /// The story has made this.
    pub(crate) fn makes(&mut self, number: u64, resource: Uuid) {
        if self.slot(number).is_some() {
            self.resources.insert(resource, number);
        }
    }

    /// The story of a message: a new one, where the request came to another process or is forgotten. `None` without a trace.
    pub(crate) fn of_message(&mut self, id: Uuid, traceparent: Option<&str>) -> Option<&mut Slot> {
        let number = match self.messages.get(&id) {
            Some(number) => *number,
            None => {
                let number = self.begin(parent::trace_id(traceparent?)?, None);
                self.writes(number, id);
                number
            }
        };
        self.slot(number)
    }

    /// The story of what made a resource.
    pub(crate) fn of_resource(&self, id: Uuid) -> Option<Story> {
        let slot = &self.slots[self.place(*self.resources.get(&id)?)];
        Some(slot.story())
    }

    /// The stories of a trace, the oldest first.
    pub(crate) fn of_trace(&self, trace: TraceId) -> Vec<Story> {
        let mut number = self.traces.get(&trace).copied();
        let mut stories = Vec::new();
        while let Some(slot) = number.and_then(|number| {
            self.slots.get(self.place(number)).filter(|slot| slot.number == number && stories.len() < SHOWN_MAX)
        }) {
            stories.push(slot.story());
            number = slot.before;
        }
        stories.reverse();
        stories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::now()
    }

    /// The memory that `stories.rs` promises.
    #[test]
    fn a_story_is_as_small_as_it_is_said_to_be() {
        assert_eq!(std::mem::size_of::<Slot>(), 208);
    }

    #[test]
    fn the_oldest_story_makes_room_and_leaves_nothing_in_the_indexes() {
        let mut ring = Ring::new(3);
        let made: Vec<_> = (0..7).map(|_| (TraceId::new(), Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7())).collect();
        for (trace, resource, first, second) in &made {
            let number = ring.begin(*trace, Some("POST"));
            ring.writes(number, *first);
            ring.writes(number, *second);
            ring.slot(number).unwrap().resource = Some(*resource);
            ring.makes(number, *resource);
        }
        for (at, (trace, resource, ..)) in made.iter().enumerate() {
            assert_eq!(ring.of_resource(*resource).is_some(), at >= 4, "{at}");
            assert_eq!(ring.of_trace(*trace).len(), usize::from(at >= 4), "{at}");
        }
        let sizes = (ring.slots.len(), ring.traces.len(), ring.resources.len(), ring.messages.len());
        assert_eq!(sizes, (3, 3, 3, 6));
        assert!(ring.slot(3).is_none(), "its slot is that of another story now");
    }

    #[test]
    fn a_message_that_comes_back_after_its_story_was_forgotten_begins_a_new_one() {
        let mut ring = Ring::new(2);
        let (trace, message) = (TraceId::new(), Uuid::now_v7());
        let traceparent = parent::new(trace);
        let first = ring.begin(trace, Some("POST"));
        ring.writes(first, message);
        for _ in 0..2 {
            ring.begin(TraceId::new(), None);
        }
        assert_eq!(ring.of_trace(trace), []);

        ring.of_message(message, Some(&traceparent)).unwrap().happened(Step::Confirmed, now());

        let [story] = &ring.of_trace(trace)[..] else { panic!("one story") };
        assert_eq!((story.method.as_deref(), story.at(Step::Stored)), (None, None));
        assert!(story.at(Step::Confirmed).is_some());
        assert!(ring.of_message(Uuid::now_v7(), None).is_none(), "a message without a trace has no story");
    }

    #[test]
    fn several_requests_of_one_trace_are_several_stories() {
        let mut ring = Ring::new(1000);
        let trace = TraceId::new();
        let numbers: Vec<_> = (0..300).map(|_| ring.begin(trace, Some("POST"))).collect();
        ring.slot(numbers[299]).unwrap().status = Some(201);
        let stories = ring.of_trace(trace);
        assert_eq!((stories.len(), stories[SHOWN_MAX - 1].status), (SHOWN_MAX, Some(201)), "the last of them");
    }

    #[test]
    fn the_first_time_of_a_step_stays() {
        let mut ring = Ring::new(1);
        let number = ring.begin(TraceId::new(), Some("POST"));
        let slot = ring.slot(number).unwrap();
        let (first, later) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        assert!(slot.happened(Step::Published, first) && !slot.happened(Step::Published, later));
        assert!(slot.stored(later));
        assert_eq!((slot.time(Step::Published), slot.time(Step::Stored)), (Some(first), Some(first)));
    }

    #[test]
    fn two_messages_are_confirmed_when_the_second_is() {
        let mut ring = Ring::new(1);
        let (number, first, second) = (ring.begin(TraceId::new(), None), Uuid::now_v7(), Uuid::now_v7());
        ring.writes(number, first);
        ring.writes(number, second);
        let slot = ring.slot(number).unwrap();
        assert_eq!([first, first, second].map(|message| slot.confirmed(message)), [false, false, true]);
    }

    #[test]
    fn a_request_that_only_reads_has_no_steps_of_a_write() {
        let mut ring = Ring::new(1);
        let trace = TraceId::new();
        ring.begin(trace, Some("GET"));
        let steps: Vec<_> = ring.of_trace(trace)[0].steps.iter().map(|known| known.step).collect();
        assert_eq!(steps, [Step::Received, Step::Answered]);
    }
}
