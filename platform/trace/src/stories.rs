//! The stories of a process: who takes a step says so here. A step costs a lock and a look-up; it is formatted only where the log is at
//! the level debug, in one line for each step, which `myevents trace --logs` reads.

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    TraceId, parent,
    ring::Ring,
    slot::Slot,
    story::{Step, Story},
};

/// How many stories are kept.
pub const STORIES_MAX: usize = 10_000;

/// The last [`STORIES_MAX`] stories of a process, at most 8 MB: 208 bytes each, a route, and three indexes (`tests/memory.rs`). A clone is
/// the same stories.
#[derive(Clone)]
pub struct Stories(Option<Arc<Mutex<Ring>>>);

impl Default for Stories {
    fn default() -> Self {
        Self(Some(Arc::new(Mutex::new(Ring::new(STORIES_MAX)))))
    }
}

impl std::fmt::Debug for Stories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stories")
    }
}

/// Which story of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoryId(u64);

/// An answer, for its story and the log.
pub struct Answer<'a> {
    /// The route template; `None` where no route matches.
    pub route: Option<String>,
    /// The status.
    pub status: u16,
    /// What was asked for; only for the log.
    pub path: &'a str,
    /// The request id; likewise.
    pub request_id: &'a str,
}

/// A message, as far as its story needs it: its id and its `traceparent`.
pub type Told<'a> = (Uuid, Option<&'a str>);

impl Stories {
    /// No request is traced: no story is kept, no exemplar leads to one, and a message carries no trace. For the benchmark, which shows what
    /// tracing costs.
    pub fn none() -> Self {
        Self(None)
    }

    /// Whether requests are traced.
    pub(crate) fn are_kept(&self) -> bool {
        self.0.is_some()
    }

    fn ring(&self) -> Option<MutexGuard<'_, Ring>> {
        Some(self.0.as_ref()?.lock().expect("nothing panics while it holds this"))
    }

    pub(crate) fn received(&self, trace: TraceId, method: &'static str) -> StoryId {
        let Some(mut ring) = self.ring() else { return StoryId(0) };
        let (at, story) = (Timestamp::now(), StoryId(ring.begin(trace, Some(method))));
        took(ring, story, Step::Received, |slot| slot.happened(Step::Received, at));
        story
    }

    /// Its log line has more in it than those of the other steps.
    pub(crate) fn answered(&self, story: StoryId, answer: Answer<'_>) {
        let at = Timestamp::now();
        let Some(mut ring) = self.ring() else { return };
        let Some(slot) = ring.slot(story.0) else { return };
        let Answer { route, status, path, request_id } = answer;
        (slot.route, slot.status) = (route, Some(status));
        slot.happened(Step::Answered, at);
        let (Of { trace, story, at, .. }, method) = (Of::slot(slot, Step::Answered), slot.method);
        let route = tracing::enabled!(tracing::Level::DEBUG).then(|| slot.route.clone());
        drop(ring);
        if let Some(route) = route {
            let step = Step::Answered.name();
            let at = at.map(tracing::field::display);
            tracing::debug!(trace_id = %trace, story, step, at, method, route, path, status, request_id, "answered");
        }
    }

    pub(crate) fn resumed(&self, traceparent: &str) -> Option<StoryId> {
        let trace = parent::trace_id(traceparent)?;
        Some(StoryId(self.ring()?.begin(trace, None)))
    }

    pub(crate) fn reserved(&self, story: StoryId, at: Timestamp) {
        let Some(ring) = self.ring() else { return };
        took(ring, story, Step::Reserved, |slot| slot.happened(Step::Reserved, at));
    }

    pub(crate) fn writes_instead(&self, story: StoryId, other: Option<Uuid>, message: Uuid) {
        if let Some(mut ring) = self.ring() {
            ring.writes(story.0, other, message);
        }
    }

    pub(crate) fn made(&self, story: StoryId, resource: Uuid) {
        let Some(mut ring) = self.ring() else { return };
        ring.makes(story.0, resource);
        stored(ring, story, resource);
    }

    pub(crate) fn changed(&self, story: StoryId, resource: Uuid) {
        self.ring().into_iter().for_each(|ring| stored(ring, story, resource));
    }

    pub(crate) fn reserves(&self, story: StoryId) {
        if let Some(mut ring) = self.ring()
            && let Some(slot) = ring.slot(story.0)
        {
            slot.reserves = true;
        }
    }

    pub(crate) fn repeats(&self, story: StoryId, resource: Uuid) {
        if let Some(mut ring) = self.ring()
            && let Some(slot) = ring.slot(story.0)
        {
            (slot.resource, slot.repeats) = (Some(resource), true);
        }
    }

    /// Messages are handed to the bus.
    pub fn published<'a>(&self, messages: impl Iterator<Item = Told<'a>>) {
        let at = Timestamp::now();
        self.messages(messages, Step::Published, |_, slot| slot.happened(Step::Published, at));
    }

    /// The bus has confirmed messages.
    pub fn confirmed<'a>(&self, messages: impl Iterator<Item = Told<'a>>) {
        let at = Timestamp::now();
        let confirmed = |message, slot: &mut Slot| slot.confirmed(message) && slot.happened(Step::Confirmed, at);
        self.messages(messages, Step::Confirmed, confirmed);
    }

    /// The work of a message is durable, and changed something.
    pub fn applied(&self, told: Told<'_>) {
        let at = Timestamp::now();
        self.messages(std::iter::once(told), Step::Applied, |_, slot| slot.happened(Step::Applied, at));
    }

    /// The story of the request that made a resource.
    pub fn of_resource(&self, id: Uuid) -> Option<Story> {
        self.ring()?.of_resource(id)
    }

    /// The stories of a trace, the oldest first: the last 100 of them.
    pub fn of_trace(&self, trace: TraceId) -> Vec<Story> {
        self.ring().map_or_else(Vec::new, |ring| ring.of_trace(trace))
    }

    /// A batch takes the lock once. What is for the log waits until it is free.
    fn messages<'a>(
        &self,
        messages: impl Iterator<Item = Told<'a>>,
        step: Step,
        happened: impl Fn(Uuid, &mut Slot) -> bool,
    ) {
        let Some(mut ring) = self.ring() else { return };
        let (logs, mut lines) = (tracing::enabled!(tracing::Level::DEBUG), Vec::new());
        for (id, parent) in messages {
            let Some(slot) = ring.of_message(id, parent) else { continue };
            if happened(id, slot) && logs {
                lines.push((Of::slot(slot, step), id));
            }
        }
        drop(ring);
        lines.into_iter().for_each(|(of, id)| line(of, step, Some(id)));
    }
}

/// A step of a story, which is logged when the lock is free.
fn took(mut ring: MutexGuard<'_, Ring>, story: StoryId, step: Step, happened: impl FnOnce(&mut Slot) -> bool) {
    let Some(slot) = ring.slot(story.0) else { return };
    let (new, of) = (happened(slot), Of::slot(slot, step));
    drop(ring);
    if new {
        line(of, step, None);
    }
}

fn stored(ring: MutexGuard<'_, Ring>, story: StoryId, resource: Uuid) {
    let at = Timestamp::now();
    took(ring, story, Step::Stored, |slot| {
        slot.resource = Some(resource);
        slot.stored(at)
    });
}

/// What the line of a step says of its story: the same as is kept.
pub(crate) struct Of {
    trace: TraceId,
    story: u64,
    resource: Option<Uuid>,
    pub(crate) at: Option<Timestamp>,
}

impl Of {
    pub(crate) fn slot(slot: &Slot, step: Step) -> Self {
        Self { trace: slot.trace, story: slot.number, resource: slot.resource, at: slot.time(step) }
    }
}

fn line(Of { trace, story, resource, at }: Of, step: Step, message: Option<Uuid>) {
    let (resource_id, message_id) = (resource.map(tracing::field::display), message.map(tracing::field::display));
    let at = at.map(tracing::field::display);
    tracing::debug!(trace_id = %trace, story, step = step.name(), at, resource_id, message_id, "a step");
}
