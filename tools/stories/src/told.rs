//! What processes tell of a request, joined: a story of one process, and the half of it that another one knows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use trace::{Step, Story};

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Each request of the trace, in the order of their beginnings.
    pub(super) stories: Vec<Told>,
    /// Who was asked, or read.
    pub(super) asked: Vec<String>,
    /// Who did not answer, and why.
    pub(super) silent: Vec<String>,
}

/// A story, and who knows what of it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) story: Story,
    /// When each step happened, and who says so.
    pub(super) steps: BTreeMap<Step, (Timestamp, String)>,
}

impl Told {
    pub(super) fn by(who: &str, story: Story) -> Self {
        let known = story.steps.iter().filter_map(|known| Some((known.step, (known.at?, who.to_owned()))));
        Self { steps: known.collect(), story }
    }

    /// Whether both tell of one request: they have a message in common, or have received it at the same microsecond, as two ports of
    /// one process say.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        let received = |told: &Self| told.steps.get(&Step::Received).map(|(at, _)| *at);
        let common = self.story.message_ids.iter().any(|id| other.story.message_ids.contains(id));
        common || (received(self).is_some() && received(self) == received(other))
    }

    /// Takes what the other one knows: of two times of a step the earlier one, which was the first.
    fn add(&mut self, other: Self) {
        for (step, (at, who)) in other.steps {
            let known = self.steps.entry(step).or_insert_with(|| (at, who.clone()));
            if at < known.0 {
                *known = (at, who);
            }
        }
        let (own, other) = (&mut self.story, other.story);
        own.resource_id = own.resource_id.or(other.resource_id);
        own.status = own.status.or(other.status);
        own.method = own.method.take().or(other.method);
        own.route = own.route.take().or(other.route);
        own.message_ids.extend(other.message_ids);
        own.message_ids.sort_unstable();
        own.message_ids.dedup();
    }

    pub(super) fn began(&self) -> Option<Timestamp> {
        self.steps.values().map(|(at, _)| *at).min()
    }
}

/// Joins what belongs together.
pub(super) fn joined(told: impl IntoIterator<Item = Told>) -> Vec<Told> {
    let mut stories: Vec<Told> = Vec::new();
    for one in told {
        match stories.iter_mut().find(|story| story.is_of(&one)) {
            Some(story) => story.add(one),
            None => stories.push(one),
        }
    }
    stories.sort_by_key(Told::began);
    stories
}

#[cfg(test)]
mod tests {
    use trace::{TraceId, story::StepTime};
    use uuid::Uuid;

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
        assert_eq!(joined(["b", "e"].map(|who| Told::by(who, story(trace, &[], &steps)))).len(), 1);
    }
}
