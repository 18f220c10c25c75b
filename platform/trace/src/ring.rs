//! The last stories of a process, with three indexes: each step of a story finds it in constant time.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{TraceId, parent, slot::Slot, story::Story};

/// Slots that are allocated at once, so that a process with few requests needs little.
const GROWTH: usize = 500;

/// The most stories that are shown of one trace: a caller may send the same `traceparent` all the time.
const SHOWN_MAX: usize = 100;

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
        let slot = Slot::new(number, trace, before, method);
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

    /// The story of this number, unless another one is in its place by now.
    fn known(&self, number: u64) -> Option<&Slot> {
        self.slots.get(self.place(number)).filter(|slot| slot.number == number)
    }

    pub(crate) fn slot(&mut self, number: u64) -> Option<&mut Slot> {
        let place = self.place(number);
        self.slots.get_mut(place).filter(|slot| slot.number == number)
    }

    /// The story writes this message, in the place of another one that it does not publish, or besides its others.
    pub(crate) fn writes(&mut self, number: u64, instead: Option<Uuid>, message: Uuid) {
        let Some(slot) = self.slot(number) else { return };
        let place = |of| slot.messages.iter().position(|known| *known == of);
        let other = instead.and_then(|other| place(Some(other)));
        if let Some(place) = other.or_else(|| place(None)) {
            let before = slot.messages[place].replace(message);
            slot.confirmed[place] &= before == Some(message);
            if let Some(id) = before {
                self.messages.remove(&id);
            }
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
                self.writes(number, None, id);
                number
            }
        };
        self.slot(number)
    }

    /// The story of what made a resource.
    pub(crate) fn of_resource(&self, id: Uuid) -> Option<Story> {
        Some(self.known(*self.resources.get(&id)?)?.story())
    }

    /// The stories of a trace, the oldest first.
    pub(crate) fn of_trace(&self, trace: TraceId) -> Vec<Story> {
        let mut number = self.traces.get(&trace).copied();
        let mut stories = Vec::new();
        while let Some(slot) = number.and_then(|number| self.known(number)).filter(|_| stories.len() < SHOWN_MAX) {
            stories.push(slot.story());
            number = slot.before;
        }
        stories.reverse();
        stories
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::Step;

    fn now() -> Timestamp {
        Timestamp::now()
    }

    #[test]
    fn the_oldest_story_makes_room_and_leaves_nothing_in_the_indexes() {
        let mut ring = Ring::new(3);
        let made: Vec<_> = (0..7).map(|_| (TraceId::new(), Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7())).collect();
        for (trace, resource, first, second) in &made {
            let number = ring.begin(*trace, Some("POST"));
            ring.writes(number, None, *first);
            ring.writes(number, None, *second);
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
        ring.writes(first, None, message);
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
    fn of_two_resources_of_one_story_none_is_found_in_the_place_of_another_story() {
        let mut ring = Ring::new(1);
        let (number, resources) = (ring.begin(TraceId::new(), Some("POST")), [Uuid::now_v7(), Uuid::now_v7()]);
        for resource in resources {
            ring.makes(number, resource);
            ring.slot(number).unwrap().resource = Some(resource);
        }
        assert!(resources.iter().all(|id| ring.of_resource(*id).is_some()));
        ring.begin(TraceId::new(), Some("POST"));
        assert!(resources.iter().all(|id| ring.of_resource(*id).is_none()));
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
    fn a_message_in_the_place_of_another_one_is_the_storys_and_the_other_is_not_any_more() {
        let mut ring = Ring::new(1);
        let number = ring.begin(TraceId::new(), None);
        let [booked, old, new] = [(); 3].map(|()| Uuid::now_v7());
        ring.writes(number, None, booked);
        ring.writes(number, None, old);
        ring.writes(number, Some(old), new);
        ring.writes(number, Some(new), new);
        assert_eq!(ring.slot(number).unwrap().messages, [Some(booked), Some(new)]);
        assert!(ring.messages.len() == 2 && ring.of_message(old, None).is_none());
        let slot = ring.of_message(new, None).unwrap();
        assert_eq!([new, booked].map(|message| slot.confirmed(message)), [false, true]);
    }
}
