//! What a request hands on to what it stores: its `traceparent`, and where its next steps are told.

use jiff::Timestamp;
use uuid::Uuid;

use crate::stories::{Stories, StoryId};

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

    /// What it asks for was taken, at this time.
    pub fn reserved(&self, at: Timestamp) {
        self.stories.reserved(self.story, at);
    }

    /// It writes a message, which is not durable yet: to be said before the relay can find it.
    pub fn writes(&self, message: Uuid) {
        self.stories.writes(self.story, message);
    }

    /// It has made a resource, which is durable now, and is found by its id from now on.
    pub fn made(&self, resource: Uuid) {
        self.stories.made(self.story, resource);
    }

    /// It has changed a resource, which is durable now.
    pub fn changed(&self, resource: Uuid) {
        self.stories.changed(self.story, resource);
    }

    /// It is answered with a resource that an earlier request has made.
    pub fn about(&self, resource: Uuid) {
        self.stories.about(self.story, resource);
    }
}
