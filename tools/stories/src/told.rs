//! What processes tell of a request, joined: a story of one process, and the half of it that another one knows.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use trace::{Step, Story, TraceId};
use uuid::Uuid;

/// All that was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Each request of the trace, in the order of their beginnings.
    pub stories: Vec<Told>,
    /// Who was asked, or read.
    pub asked: Vec<String>,
    /// Who did not answer, and why.
    pub silent: Vec<String>,
}

/// A story, and who knows what of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// As the process tells it that was asked by the client.
    pub story: Story,
    /// When each step happened, and who says so.
    pub steps: BTreeMap<Step, (Timestamp, String)>,
}

/// What only one request has: whoever tells of the same one tells of the same request.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Mark {
    Message(Uuid),
    /// That it was received at this microsecond, as two ports of one process say.
    Received(TraceId, Timestamp),
}

impl Told {
    pub(super) fn by(who: &str, story: Story) -> Self {
        let known = story.steps.iter().filter_map(|known| Some((known.step, (known.at?, who.to_owned()))));
        Self { steps: known.collect(), story }
    }

    fn marks(&self) -> impl Iterator<Item = Mark> {
        let received = self.steps.get(&Step::Received).map(|(at, _)| Mark::Received(self.story.trace_id, *at));
        self.story.message_ids.iter().map(|id| Mark::Message(*id)).chain(received)
    }

    /// Whether both tell of one request.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.marks().any(|mark| other.marks().any(|others| mark == others))
    }

    /// Takes what the other one knows: of two times of a step the earlier one, which was the first.
    fn and(mut self, other: Self) -> Self {
        for (step, (at, who)) in other.steps {
            let known = self.steps.entry(step).or_insert_with(|| (at, who.clone()));
            if at < known.0 {
                *known = (at, who);
            }
        }
        let (own, other) = (&mut self.story, other.story);
        own.resource_id = own.resource_id.or(other.resource_id);
        own.status = own.status.or(other.status);
        if own.method.is_none() {
            // Who was asked by the client knows which steps there may be.
            (own.method, own.steps) = (other.method, other.steps);
        }
        own.route = own.route.take().or(other.route);
        own.message_ids.extend(other.message_ids);
        own.message_ids.sort_unstable();
        own.message_ids.dedup();
        self
    }

    pub(super) fn began(&self) -> Option<Timestamp> {
        self.steps.values().map(|(at, _)| *at).min()
    }
}

/// Joins what belongs together, in whatever order it comes: two halves may have nothing in common but a third one.
pub(super) fn joined(told: impl IntoIterator<Item = Told>) -> Vec<Told> {
    let mut stories: Vec<Option<Told>> = Vec::new();
    let mut marked: HashMap<Mark, usize> = HashMap::new();
    for one in told {
        let mut places: Vec<_> = one.marks().filter_map(|mark| marked.get(&mark).copied()).collect();
        places.sort_unstable();
        let halves: Vec<_> = places.into_iter().filter_map(|place| stories[place].take()).chain([one]).collect();
        let whole = halves.into_iter().reduce(Told::and);
        let place = stories.len();
        marked.extend(whole.iter().flat_map(Told::marks).map(|mark| (mark, place)));
        stories.push(whole);
    }
    let mut stories: Vec<_> = stories.into_iter().flatten().collect();
    stories.sort_by_key(Told::began);
    stories
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use trace::story::StepTime;

    use super::*;

    fn story(trace_id: TraceId, messages: &[Uuid], steps: &[(Step, i64)]) -> Story {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        Story {
            trace_id,
            resource_id: None,
            method: None,
            route: None,
            status: None,
            message_ids: messages.to_vec(),
            steps: steps.iter().map(|(step, second)| StepTime { step: *step, at: at(*second) }).collect(),
        }
    }

    #[test]
    fn the_halves_of_two_processes_are_one_story_and_two_requests_of_a_trace_are_two() {
        let (trace, first, second) = (TraceId::new(), Uuid::now_v7(), Uuid::now_v7());
        let told = [
            Told::by("b", story(trace, &[second], &[(Step::Received, 20), (Step::Stored, 21)])),
            Told::by("b", story(trace, &[first], &[(Step::Received, 10), (Step::Stored, 11)])),
            Told::by("e", story(trace, &[first], &[(Step::Applied, 12)])),
            Told::by("b2", story(trace, &[first], &[(Step::Stored, 15)])),
        ];
        let stories = joined(told);
        let [one, other] = &stories[..] else { panic!("two stories: {stories:?}") };
        assert_eq!(one.steps.len(), 3);
        assert_eq!(one.steps[&Step::Applied].1, "e");
        assert_eq!(one.steps[&Step::Stored].1, "b", "the first of two times");
        assert_eq!(other.steps.len(), 2);
    }

    #[test]
    fn two_ports_of_one_process_tell_the_same_story_once() {
        let (trace, steps) = (TraceId::new(), [(Step::Received, 1), (Step::Answered, 2)]);
        let one = joined(["b", "e"].map(|who| Told::by(who, story(trace, &[], &steps))));
        let two = joined([trace, TraceId::new()].map(|trace| Told::by("b", story(trace, &[], &steps))));
        assert_eq!((one.len(), two.len()), (1, 2), "another trace is another request");
    }

    #[test]
    fn halves_that_have_only_a_third_one_in_common_are_joined_in_any_order() {
        let (trace, first, second) = (TraceId::new(), Uuid::now_v7(), Uuid::now_v7());
        let request = || Story {
            method: Some("DELETE".into()),
            ..story(trace, &[first, second], &[(Step::Received, 1), (Step::Answered, 4)])
        };
        let halves = || {
            let of = |message, step| Told::by("e", story(trace, &[message], &[step]));
            [of(first, (Step::Applied, 3)), of(second, (Step::Confirmed, 2)), Told::by("b", request())]
        };
        for first in 0..3 {
            let mut told = halves();
            told.rotate_left(first);
            let [one] = &joined(told)[..] else { panic!("one story, from {first}") };
            assert_eq!((one.steps.len(), one.story.message_ids.len()), (4, 2));
            assert_eq!(one.story.steps, request().steps, "the steps that its process says it may have");
        }
    }

    #[test]
    fn many_stories_are_joined_in_little_time() {
        let (began, trace) = (Instant::now(), TraceId::new());
        let of = |at| Told::by("b", story(trace, &[Uuid::now_v7()], &[(Step::Received, at)]));
        assert_eq!(joined((0..50_000).map(of)).len(), 50_000);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}
