//! What has arrived, in memory only: the last 200 messages, and when the dead-man's switch was last heard.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::Serialize;

/// Older ones are forgotten.
const KEPT: usize = 200;

/// A message, as `/api/messages` tells it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Message {
    pub(super) channel: Channel,
    pub(super) at: Timestamp,
    pub(super) title: String,
    /// Markdown.
    pub(super) text: String,
}

/// How it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Channel {
    DingTalk,
    Mail,
}

/// All of it.
#[derive(Default)]
pub(super) struct Store {
    messages: VecDeque<Message>,
    heard: Option<Instant>,
}

impl Store {
    pub(super) fn add(&mut self, channel: Channel, title: String, text: String) {
        self.messages.push_front(Message { channel, at: Timestamp::now(), title, text });
        self.messages.truncate(KEPT);
    }

    /// The newest first.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    /// The dead-man's switch is pressed.
    pub(super) fn hear(&mut self) {
        self.heard = Some(Instant::now());
    }

    /// How long ago; `None` where it never was.
    pub(super) fn last_heard(&self) -> Option<Duration> {
        self.heard.map(|at| at.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_200_are_kept_the_newest_first() {
        let mut store = Store::default();
        (0..250).for_each(|n| store.add(Channel::Mail, n.to_string(), String::new()));
        let titles: Vec<_> = store.messages().map(|message| message.title.as_str()).collect();
        assert_eq!((titles.len(), titles[0], titles[199]), (200, "249", "50"));
    }
}
