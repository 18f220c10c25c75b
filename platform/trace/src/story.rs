//! One request's story, as it is shown: what happened to it in this process, step by step.
//!
//! A step that this process does not know is absent: it did not happen, or elsewhere, or before the process started. It is never guessed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::TraceId;

/// What happens to a request, in the usual order. On a bus within one process `Confirmed` comes after `Applied`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Its head has arrived.
    Received,
    /// What it asks for was taken for it.
    Reserved,
    /// It is durable, and its messages with it.
    Stored,
    /// The answer was handed to the connection.
    Answered,
    /// Its messages were handed to the bus; the first time, where they were tried again.
    Published,
    /// The bus has confirmed all of its messages.
    Confirmed,
    /// The work of one of its messages is durable at a subscriber. A message that changed nothing there is not counted.
    Applied,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Received, Self::Reserved, Self::Stored, Self::Answered, Self::Published, Self::Confirmed, Self::Applied];

    /// Its name in JSON and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Reserved => "reserved",
            Self::Stored => "stored",
            Self::Answered => "answered",
            Self::Published => "published",
            Self::Confirmed => "confirmed",
            Self::Applied => "applied",
        }
    }
}

/// A step, and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTime {
    /// Which step.
    pub step: Step,
    /// By the clock of this process; `None` where it does not know. In JSON always with microseconds, so that texts sort like times.
    #[serde(serialize_with = "microseconds")]
    pub at: Option<Timestamp>,
}

fn microseconds<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(|at| format!("{at:.6}")).serialize(serializer)
}

/// A request with its messages; or only messages, where the request came to another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The trace it belongs to. Several requests may belong to one.
    pub trace_id: TraceId,
    /// What the request made, or changed.
    pub resource_id: Option<Uuid>,
    /// The HTTP method.
    pub method: Option<String>,
    /// The route template; `None` where no route matches, or where it is not answered.
    pub route: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The ids of its messages: by these the halves of a story are joined that two processes know.
    pub message_ids: Vec<Uuid>,
    /// Those that happened, and those that may have, but are not known here.
    pub steps: Vec<StepTime>,
}

impl Story {
    /// When a step happened, where that is known.
    pub fn at(&self, step: Step) -> Option<Timestamp> {
        self.steps.iter().find(|known| known.step == step).and_then(|known| known.at)
    }
}
