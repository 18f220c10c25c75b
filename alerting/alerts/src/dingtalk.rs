//! The protocol of DingTalk's custom robot, as far as `bridge` and `inbox` use it.
//!
//! A robot is a URL with an `access_token`. It accepts JSON by POST and always answers HTTP 200; `errcode` in the body says whether
//! the message arrived. It can demand a keyword in each message, a signature, or both. It accepts 20 messages a minute; after one
//! more it refuses everything for 10 minutes. <https://open.dingtalk.com/document/robots/custom-robot-access>
//!
//! Codes and texts are from DingTalk's own tables and from answers that others have published. They were not compared with the real
//! robot.

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use process::{
    checks::{Checks, flag},
    secret::Secret,
};
use ring::hmac;
use serde::Deserialize;

/// The keyword that our robot demands.
pub const KEYWORD: &str = "报警";

/// The longest message, in bytes of its JSON.
pub const MESSAGE_MAX: usize = 20_000;

/// The most messages that a robot accepts in a minute.
pub const MESSAGES_A_MINUTE: usize = 20;

/// The message arrived.
pub const OK: i64 = 0;
/// The robot is busy; another try can succeed.
pub const BUSY: i64 = -1;
/// A keyword, a signature or an address is not allowed; the text says which.
pub const SECURITY: i64 = 310_000;
/// Too many messages.
pub const RATE: i64 = 130_101;
/// The same, in a newer table.
pub const RATE_NEW: i64 = 410_100;
/// No robot has this token: in the tables, in answers that were seen, and in a newer table.
pub const TOKEN: [i64; 3] = [300_001, 300_005, 400_101];
/// The message is longer than [`MESSAGE_MAX`].
pub const TOO_LONG: i64 = 460_101;
/// A parameter is missing or wrong.
pub const PARAMETER: i64 = 40_035;
/// The request is not a POST.
pub const METHOD: i64 = 43_002;
/// The `Content-Type` is not JSON.
pub const CONTENT_TYPE: i64 = 43_004;
/// There is no such type of message.
pub const MESSAGE_TYPE: i64 = 400_105;

/// Each secret begins with this. A secret without it was copied wrongly.
pub const SECRET_PREFIX: &str = "SEC";

/// Adds a problem if a secret has another beginning; the problem names its option and does not show the secret.
pub fn check_secret(checks: &mut Checks, name: &str, secret: Option<&Secret>) {
    if secret.is_some_and(|secret| !secret.reveal().starts_with(SECRET_PREFIX)) {
        checks.problem(format!(
            "{name} (or {}) must begin with {SECRET_PREFIX}, as DingTalk shows it beside the robot's signature; what it is is not \
             shown, since it is a secret",
            flag(name)
        ));
    }
}

/// The `sign` for a `timestamp` in milliseconds: HMAC-SHA256 over the timestamp, a newline and the secret, with the secret as the key,
/// in base64. The caller must encode it for a URL.
pub fn sign(secret: &str, timestamp: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    BASE64.encode(hmac::sign(&key, format!("{timestamp}\n{secret}").as_bytes()))
}

// The types of message. A message has the field that is named like its `msgtype`; Grafana's contact point `dingding` sends the same.
// Other fields of a type (`hideAvatar`, `picUrl`) are ignored.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_another_implementation() {
        // Python: base64.b64encode(hmac.new(secret, b"TIMESTAMP\nSECRET", hashlib.sha256).digest())
        assert_eq!(sign("SECabc123", "1700000000000"), "N5P09a4+p1AMJIJWnIvQd2Yxw9+fu/oEBnPrjCcsLXk=");
    }
}
