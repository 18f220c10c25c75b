//! The types of message that DingTalk's robot takes, and that Grafana's contact point `dingding` sends: the field that is named like the
//! `msgtype`. Other fields of a type (`hideAvatar`, `picUrl`) are ignored.

use serde::Deserialize;

/// `text`: without a title.
#[derive(Debug, Deserialize)]
pub struct Text {
    /// The whole text.
    pub content: String,
}

/// `markdown`.
#[derive(Debug, Deserialize)]
pub struct Markdown {
    /// What the list of chats shows.
    pub title: String,
    /// Markdown.
    pub text: String,
}

/// `link`: the whole message leads to one address.
#[derive(Debug, Deserialize)]
pub struct Link {
    /// What the list of chats shows.
    pub title: String,
    /// Plain text.
    pub text: String,
    /// A URL.
    #[serde(rename = "messageUrl")]
    pub message_url: String,
}

/// `actionCard`: with a single button, or with several.
#[derive(Debug, Deserialize)]
pub struct ActionCard {
    /// What the list of chats shows.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// What stands on the single button.
    #[serde(rename = "singleTitle", default)]
    pub single_title: String,
    /// Where the single button leads; empty without one.
    #[serde(rename = "singleURL", default)]
    pub single_url: String,
    /// Several buttons.
    #[serde(default)]
    pub btns: Vec<CardButton>,
}

/// A button of several.
#[derive(Debug, Deserialize)]
pub struct CardButton {
    /// What stands on it.
    pub title: String,
    /// Where it leads.
    #[serde(rename = "actionURL")]
    pub action_url: String,
}
