//! A request while it is handled: which trace and which story it belongs to; and what it hands on to what it stores.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    TraceId, parent,
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

/// The request that something comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    stories: Stories,
    story: StoryId,
    traceparent: String,
}

/// One request is the same.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        (self.story, &self.traceparent) == (other.story, &other.traceparent)
    }
}

impl Eq for Origin {}

impl Origin {
    pub(crate) fn new(stories: Stories, story: StoryId, traceparent: String) -> Self {
        Self { stories, story, traceparent }
    }

    /// A request that came to another process, which left something to be completed here. `None` where it left no trace.
    pub fn resumed(stories: &Stories, traceparent: Option<&str>) -> Option<Self> {
        let traceparent = traceparent?;
        Some(Self::new(stories.clone(), stories.resumed(traceparent)?, traceparent.to_owned()))
    }

    /// For its messages.
    pub fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// What it asks for has to be taken for it, before it is stored.
    pub fn reserves(&self) {
        self.stories.reserves(self.story);
    }

    /// What it asks for was taken, at this time.
    pub fn reserved(&self, at: Timestamp) {
        self.stories.reserved(self.story, at);
    }

    /// It writes a message, which is not durable yet: to be said before the relay can find it.
    pub fn writes(&self, message: Uuid) {
        self.writes_instead(None, message);
    }

    /// It writes a message in the place of another one, which was not published.
    pub fn writes_instead(&self, other: Option<Uuid>, message: Uuid) {
        self.stories.writes_instead(self.story, other, message);
    }

    /// It has made a resource, which is durable now, and is found by its id from now on.
    pub fn made(&self, resource: Uuid) {
        self.stories.made(self.story, resource);
    }

    /// It has changed a resource, which is durable now.
    pub fn changed(&self, resource: Uuid) {
        self.stories.changed(self.story, resource);
    }

    /// It is answered with a resource that an earlier request has made or changed just so, and changes nothing.
    pub fn repeats(&self, resource: Uuid) {
        self.stories.repeats(self.story, resource);
    }
}
