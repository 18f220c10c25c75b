//! The body that Grafana's contact point `dingding` sends: a ready DingTalk message of one of four types.
//!
//! Grafana sends here and not to the robot, since it cannot sign and takes every answer with HTTP 200 as a success
//! (<https://github.com/grafana/grafana/issues/44516>, closed as stale).

use alerts::dingtalk::{ActionCard, CardButton, Link, Markdown, Text};
use serde::Deserialize;
use webserver::problem::Problem;

use super::message::Card;

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
        let (title, text, button) = match body.msgtype.as_str() {
            "link" => {
                let Link { title, text, message_url } = body.link.ok_or_else(missing("link"))?;
                (title, text, Some(CardButton { title: "More".into(), action_url: message_url }))
            }
            "actionCard" => {
                let card = body.action_card.ok_or_else(missing("actionCard"))?;
                let single = CardButton { title: card.single_title, action_url: card.single_url };
                let first = card.btns.into_iter().next();
                (card.title, card.text, if single.action_url.is_empty() { first } else { Some(single) })
            }
            "markdown" => {
                let Markdown { title, text } = body.markdown.ok_or_else(missing("markdown"))?;
                (title, text, None)
            }
            "text" => {
                let Text { content } = body.text.ok_or_else(missing("text"))?;
                (content.lines().next().unwrap_or_default().to_owned(), content, None)
            }
            _ => return Err(Problem::bad_request("msgtype", "must be link, actionCard, markdown or text")),
        };
        Ok(Self { title, text, button: button.filter(|button| !button.action_url.is_empty()) })
    }
}
