//! What has arrived, in memory only: the last 200 messages, and the time of the last Watchdog.

use std::{collections::VecDeque, time::Instant};

use jiff::Timestamp;
use serde::Serialize;

/// The most messages in the store; older ones are dropped.
const MESSAGES_MAX: usize = 200;

/// A message, as `/api/messages` shows it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Message {
    pub(super) channel: Channel,
    pub(super) at: Timestamp,
    pub(super) title: String,
    /// Markdown.
    pub(super) text: String,
}

/// The way by which a message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Channel {
    DingTalk,
    Mail,
}

/// Everything that has arrived.
#[derive(Default)]
pub(super) struct Store {
    /// The newest first.
    pub(super) messages: VecDeque<Message>,
    /// When the last Watchdog arrived; `None` before the first.
    pub(super) watchdog: Option<Instant>,
}

impl Store {
    pub(super) fn add(&mut self, channel: Channel, title: String, text: String) {
        self.messages.push_front(Message { channel, at: Timestamp::now(), title, text });
        self.messages.truncate(MESSAGES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_200_are_kept_the_newest_first() {
        let mut store = Store::default();
        (0..250).for_each(|n| store.add(Channel::Mail, n.to_string(), String::new()));
        let titles: Vec<_> = store.messages.iter().map(|message| message.title.as_str()).collect();
        assert_eq!((titles.len(), titles[0], titles[199]), (200, "249", "50"));
    }
}
