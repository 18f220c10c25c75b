//! A robot that behaves like DingTalk's: it accepts and refuses the same messages, with the same codes and texts. A refusal is HTTP
//! 200, too.
//!
//! The order in which the real robot checks token, signature, rate and message is not documented. Here every call with the right token
//! counts for the rate, which is stricter.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use process::secret::Secret;
use serde::Deserialize;

use alerts::dingtalk::{
    ActionCard, CONTENT_TYPE, CardButton, KEYWORD, Link, MESSAGE_MAX, MESSAGE_TYPE, MESSAGES_A_MINUTE, Markdown,
    PARAMETER, RATE, SECURITY, TOKEN, TOO_LONG, Text, sign,
};

/// The most that a signature's timestamp may differ from the clock, in milliseconds.
const CLOCK_SKEW_MAX: u64 = 60 * 60 * 1000;

/// It refuses everything for this time after one message too many.
const SILENCE: Duration = Duration::from_secs(600);

/// What the robot demands.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Its `access_token`.
    pub token: String,
    /// A keyword that each message must hold. An empty one demands nothing.
    pub keyword: String,
    /// The secret of the signature, if it demands one.
    pub secret: Option<Secret>,
    /// It accepts 20 messages in this time.
    pub window: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { token: "dev".into(), keyword: KEYWORD.into(), secret: None, window: Duration::from_secs(60) }
    }
}

/// The parameters of its URL.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    access_token: String,
    timestamp: String,
    sign: String,
}

/// The robot.
pub(super) struct Robot {
    rules: Rules,
    calls: VecDeque<Instant>,
    silent_until: Option<Instant>,
}

type Refused = (i64, String);

impl Robot {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, calls: VecDeque::new(), silent_until: None }
    }

    /// Accepts a message, with its title and text, or refuses it, with a code and a text.
    pub(super) fn accept(&mut self, query: &Query, is_json: bool, body: &[u8]) -> Result<(String, String), Refused> {
        if !is_json {
            return Err((CONTENT_TYPE, "无效的HTTP HEADER Content-Type".into()));
        }
        self.check_token(query)?;
        self.check_rate(Instant::now())?;
        self.check_signature(query)?;
        if body.len() > MESSAGE_MAX {
            return Err((TOO_LONG, format!("message too long, exceed {MESSAGE_MAX} bytes")));
        }
        let (title, text) = read(body)?;
        if !title.contains(&self.rules.keyword) && !text.contains(&self.rules.keyword) {
            return Err((SECURITY, "keywords not in content".into()));
        }
        Ok((title, text))
    }

    fn check_token(&self, query: &Query) -> Result<(), Refused> {
        match query.access_token.as_str() {
            "" => Err((PARAMETER, "缺少参数 access_token".into())),
            token if token == self.rules.token => Ok(()),
            _ => Err((TOKEN[0], "token is not exist".into())),
        }
    }

    fn check_rate(&mut self, now: Instant) -> Result<(), Refused> {
        let too_fast = || Err((RATE, "send too fast, exceed 20 times per minute".into()));
        if self.silent_until.is_some_and(|until| now < until) {
            return too_fast();
        }
        while self.calls.front().is_some_and(|call| now.duration_since(*call) >= self.rules.window) {
            self.calls.pop_front();
        }
        if self.calls.len() >= MESSAGES_A_MINUTE {
            self.silent_until = Some(now + SILENCE);
            return too_fast();
        }
        self.calls.push_back(now);
        Ok(())
    }

    fn check_signature(&self, Query { timestamp, sign: given, .. }: &Query) -> Result<(), Refused> {
        let Some(secret) = &self.rules.secret else { return Ok(()) };
        let clock = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        if timestamp.parse::<u64>().is_ok_and(|at| at.abs_diff(clock) > CLOCK_SKEW_MAX) {
            return Err((SECURITY, "invalid timestamp".into()));
        }
        // A comparison in constant time is not needed: this robot protects nothing.
        if *given == sign(secret.reveal(), timestamp) { Ok(()) } else { Err((SECURITY, "sign not match".into())) }
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    msgtype: String,
    text: Option<Text>,
    markdown: Option<Markdown>,
    link: Option<Link>,
    #[serde(rename = "actionCard")]
    action_card: Option<ActionCard>,
}

fn read(body: &[u8]) -> Result<(String, String), Refused> {
    let missing = |what: &str| (PARAMETER, format!("缺少参数 {what}"));
    let body: Body = serde_json::from_slice(body).map_err(|_| missing("json"))?;
    match body.msgtype.as_str() {
        "text" => {
            let content = body.text.ok_or_else(|| missing("text"))?.content;
            Ok((content.lines().next().unwrap_or_default().to_owned(), content))
        }
        "markdown" => {
            let markdown = body.markdown.ok_or_else(|| missing("markdown"))?;
            Ok((markdown.title, markdown.text))
        }
        "link" => {
            let link = body.link.ok_or_else(|| missing("link"))?;
            Ok((link.title, format!("{}\n\n[{}](<{}>)", link.text, "more", link.message_url)))
        }
        "actionCard" => {
            let card = body.action_card.ok_or_else(|| missing("actionCard"))?;
            let single = CardButton { title: card.single_title, action_url: card.single_url };
            let buttons = card.btns.into_iter().chain([single]).filter(|button| !button.action_url.is_empty());
            let links: Vec<_> = buttons.map(|button| format!("[{}](<{}>)", button.title, button.action_url)).collect();
            Ok((card.title, format!("{}\n\n{}", card.text, links.join(" · "))))
        }
        "" => Err(missing("msgtype")),
        other => Err((MESSAGE_TYPE, format!("不支持的消息类型 {other}"))),
    }
}
