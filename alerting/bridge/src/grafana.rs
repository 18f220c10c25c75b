//! The body that Grafana's contact point `dingding` sends: a ready DingTalk message of one of four types.
//!
//! Grafana sends here and not to the robot, since it cannot sign and takes every answer with HTTP 200 as a success
//! (<https://github.com/grafana/grafana/issues/44516>, closed as stale).

use alerts::message_types::{ActionCard, Link, Markdown, Text};
use serde::Deserialize;
use webserver::problem::Problem;

use super::message::{Button, Card};

/// The body: the type, and the field of that name. It is not an enum, so that an error can name its field.
#[derive(Debug, Deserialize)]
pub(super) struct Body {
    msgtype: String,
    link: Option<Link>,
    #[serde(rename = "actionCard")]
    action_card: Option<ActionCard>,
    markdown: Option<Markdown>,
    text: Option<Text>,
}

impl TryFrom<Body> for Card {
    type Error = Problem;

    fn try_from(body: Body) -> Result<Self, Problem> {
        let missing = |field| move || Problem::bad_request(field, "missing field: `msgtype` says that it is there");
        match body.msgtype.as_str() {
            "link" => body.link.map(Self::from).ok_or_else(missing("link")),
            "actionCard" => body.action_card.map(Self::from).ok_or_else(missing("actionCard")),
            "markdown" => body.markdown.map(Self::from).ok_or_else(missing("markdown")),
            "text" => body.text.map(Self::from).ok_or_else(missing("text")),
            _ => Err(Problem::bad_request("msgtype", "must be link, actionCard, markdown or text")),
        }
    }
}

impl From<Link> for Card {
    fn from(link: Link) -> Self {
        Self { title: link.title, text: link.text, button: button("More".into(), link.message_url) }
    }
}

impl From<ActionCard> for Card {
    fn from(card: ActionCard) -> Self {
        let first = card.btns.into_iter().next().and_then(|btn| button(btn.title, btn.action_url));
        Self { title: card.title, text: card.text, button: button(card.single_title, card.single_url).or(first) }
    }
}

impl From<Markdown> for Card {
    fn from(markdown: Markdown) -> Self {
        Self { title: markdown.title, text: markdown.text, button: None }
    }
}

impl From<Text> for Card {
    fn from(text: Text) -> Self {
        let title = text.content.lines().next().unwrap_or_default().to_owned();
        Self { title, text: text.content, button: None }
    }
}

fn button(label: String, url: String) -> Option<Button> {
    (!url.is_empty()).then_some(Button { label, url })
}
