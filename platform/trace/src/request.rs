//! A request while it is handled: which trace and which story it belongs to.

use uuid::Uuid;

use crate::{
    TraceId,
    origin::Origin,
    parent,
    stories::{Answer, Stories, StoryId},
};

/// A request that has arrived.
#[derive(Clone, Debug)]
pub struct Traced {
    stories: Stories,
    story: StoryId,
    /// That of the caller's `traceparent`; else the request id, if it is a UUID; else a new one.
    pub trace: TraceId,
}

impl Traced {
    /// A request arrives, with the `traceparent` that it was sent with, and the request id that it has.
    pub fn received(stories: &Stories, method: &'static str, traceparent: Option<&str>, request_id: &str) -> Self {
        let own = || Uuid::try_parse(request_id).ok().and_then(TraceId::of);
        let trace = traceparent.and_then(parent::trace_id).or_else(own).unwrap_or_else(TraceId::new);
        Self { stories: stories.clone(), story: stories.received(trace, method), trace }
    }

    /// It is answered.
    pub fn answered(&self, answer: Answer<'_>) {
        self.stories.answered(self.story, answer);
    }

    /// What leads from an observation to its story.
    pub fn exemplar(&self) -> Option<TraceId> {
        self.stories.are_kept().then_some(self.trace)
    }

    /// For what it stores; `None` where requests are not traced. Its messages carry the caller's own `traceparent`, or else a new one with its
    /// trace id.
    pub fn origin(&self, traceparent: Option<&str>) -> Option<Origin> {
        let sent = traceparent.filter(|text| parent::trace_id(text).is_some());
        let traceparent = || sent.map_or_else(|| parent::new(self.trace), str::to_owned);
        self.stories.are_kept().then(|| Origin::new(self.stories.clone(), self.story, traceparent()))
    }
}
