//! What the bridge and the inbox both know: how alerts come, how they read, and what DingTalk's robot takes.
//!
//! - [`webhook`]: what Alertmanager sends; read it first
//! - [`text`]: alerts as Markdown for a chat
//! - [`dingtalk`]: what DingTalk's robot takes and answers

pub mod dingtalk;
pub mod text;
pub mod webhook;
