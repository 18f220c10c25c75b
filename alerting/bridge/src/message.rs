//! Makes one DingTalk message of one or several notifications, with the keyword in title and text, and not longer than the robot
//! accepts. The number of alerts that do not fit stands at the end.

use serde_json::json;

use alerts::{
    dingtalk::{CardButton, KEYWORD, MESSAGE_MAX},
    text::{self, Part, plain},
    webhook::{Alert, Webhook},
};

/// The notification of one request.
#[derive(Debug)]
pub(super) enum Notification {
    /// From Alertmanager.
    Alerts(Webhook),
    /// From Grafana, which sends a ready message.
    Card(Card),
}

/// A ready message.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) title: String,
    /// Markdown.
    pub(super) text: String,
    /// A link below it.
    pub(super) button: Option<CardButton>,
}

/// The longest title, in characters; DingTalk shows about one line.
const TITLE_MAX: usize = 120;

/// The longest text of a ready message that is sent together with others, in bytes.
const CARD_MAX: usize = 1500;

/// The longest label and URL of a button, in characters.
const LABEL_MAX: usize = 20;
const URL_MAX: usize = 1000;

/// Bytes that are reserved for the number of omitted alerts, and for the JSON around title and text.
const RESERVED: usize = 400;

/// The JSON of one message with all these notifications.
pub(super) fn message(notifications: &[&Notification]) -> String {
    let (mut webhooks, mut cards) = (Vec::new(), Vec::new());
    for notification in notifications {
        match notification {
            Notification::Alerts(webhook) => webhooks.push(webhook),
            Notification::Card(card) => cards.push(card),
        }
    }
    let alerts: Vec<_> = webhooks.iter().flat_map(|webhook| &webhook.alerts).collect();
    let title = title(&alerts, &cards);
    if let [Notification::Card(Card { text, button: Some(button), .. })] = notifications
        && let Some(url) = button_url(&button.action_url)
    {
        let room = MESSAGE_MAX - RESERVED - 2 * json_len(&title) - json_len(url);
        let text = format!("### {title}\n\n{}", fitted(text, room));
        let label = label(&button.title);
        return json!({
            "msgtype": "actionCard",
            "actionCard": { "title": title, "text": text, "singleTitle": label, "singleURL": url },
        })
        .to_string();
    }
    let alone = notifications.len() == 1;
    let mut parts = text::parts(&alerts);
    parts.extend(cards.iter().map(|card| Part { text: card_text(card, alone), alerts: 1 }));
    let mut text = format!("### {}\n\n", heading(&title, &parts));
    if !alone {
        text += &format!(
            "{} notifications in one message: the robot takes no more than 20 messages a minute.\n\n",
            notifications.len()
        );
    }
    let room = MESSAGE_MAX - RESERVED - json_len(&title) - json_len(&text);
    let truncated: usize = webhooks.iter().map(|webhook| webhook.truncated).sum();
    let left_out = truncated + fill(&mut text, room, parts);
    if left_out > 0 {
        let page = webhooks.iter().find_map(|webhook| text::link("Alertmanager", &webhook.external_url));
        let page = page.map_or_else(String::new, |page| format!(": {page}"));
        text += &format!("\n\nand {left_out} more{page}\n");
    }
    json!({ "msgtype": "markdown", "markdown": { "title": title, "text": text } }).to_string()
}

/// Adds parts as long as they fit; returns the number of alerts in those that do not.
fn fill(text: &mut String, mut room: usize, parts: Vec<Part>) -> usize {
    let mut left_out = 0;
    for part in parts {
        let len = json_len(&part.text);
        if len <= room && left_out == 0 {
            room -= len;
            *text += &part.text;
        } else {
            left_out += part.alerts;
        }
    }
    left_out
}

fn title(alerts: &[&Alert], cards: &[&Card]) -> String {
    let cards = cards.iter().map(|card| plain(&card.title.replace(KEYWORD, ""), TITLE_MAX));
    let cards = cards.map(|title| title.replace("()", "").trim().to_owned());
    let titles = std::iter::once(text::title(alerts)).chain(cards).filter(|title| !title.is_empty());
    let titles: Vec<_> = titles.collect();
    let all = if titles.is_empty() { "a notification".into() } else { titles.join("; ") };
    format!("[{KEYWORD}] {}", plain(&all, TITLE_MAX))
}

/// The title, or only its keyword if the first part repeats the title one line below.
fn heading<'a>(title: &'a str, parts: &[Part]) -> &'a str {
    let (keyword, said) = title.split_once(' ').unwrap_or((title, ""));
    let again =
        parts.first().and_then(|part| part.text.strip_prefix("#### ")).is_some_and(|part| part.starts_with(said));
    if again { keyword } else { title }
}

fn card_text(card: &Card, alone: bool) -> String {
    if alone {
        return fitted(&card.text, MESSAGE_MAX - RESERVED - 3 * KEYWORD.len() - 12 * TITLE_MAX);
    }
    let link = card.button.as_ref().and_then(|button| text::link(&label(&button.title), &button.action_url));
    let link = link.map_or_else(String::new, |link| format!("- {link}\n"));
    let title = plain(&card.title, TITLE_MAX);
    format!("#### {title}\n\n{}\n{link}\n", fitted(&card.text, CARD_MAX))
}

/// The URL, if it is a page, or the `dingtalk:` URL by which Grafana opens a page inside DingTalk.
fn button_url(url: &str) -> Option<&str> {
    let in_dingtalk = url.starts_with("dingtalk://dingtalkclient/page/link?") && url.len() <= URL_MAX;
    (text::is_page(url) || in_dingtalk).then_some(url)
}

fn label(label: &str) -> String {
    let label = plain(label, LABEL_MAX);
    if label.is_empty() { "More".into() } else { label }
}

/// The text, cut so that its JSON has at most `max` bytes.
fn fitted(text: &str, max: usize) -> String {
    if json_len(text) <= max {
        return text.to_owned();
    }
    let mut room = max.saturating_sub('…'.len_utf8());
    let fits = |c: &char| {
        let left = room.checked_sub(json_len(c.encode_utf8(&mut [0; 4])));
        room = left.unwrap_or(room);
        left.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The number of bytes of the text inside a JSON string.
fn json_len(text: &str) -> usize {
    serde_json::to_string(text).expect("a text can be written").len() - 2
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use alerts::webhook::Webhook;
    use testing::alertmanager::{alert, notification};

    fn read(alerts: Vec<serde_json::Value>) -> Webhook {
        serde_json::from_value(notification(alerts)).unwrap()
    }

    fn card(title: &str, text: &str, url: &str) -> Notification {
        let button = (!url.is_empty()).then(|| CardButton { title: "More".into(), action_url: url.into() });
        Notification::Card(Card { title: title.into(), text: text.into(), button })
    }

    fn made(notifications: &[Notification]) -> (Value, usize) {
        let json = message(&notifications.iter().collect::<Vec<_>>());
        (serde_json::from_str(&json).unwrap(), json.len())
    }

    fn holds_the_keyword(part: &Value) {
        assert!(["title", "text"].iter().all(|field| part[field].as_str().unwrap().contains(KEYWORD)), "{part}");
    }

    #[test]
    fn fifty_alerts_of_one_group_are_all_in_one_message() {
        let alerts = (0..50)
            .map(|n| alert("firing", "MyEventsTargetDown", &format!("host-{n:02}:9100"), "It is away"))
            .collect();
        let (message, len) = made(&[Notification::Alerts(read(alerts))]);
        assert_eq!(message["markdown"]["title"], "[报警] firing: MyEventsTargetDown (bookingservice)");
        let text = message["markdown"]["text"].as_str().unwrap();
        assert_eq!(text.matches("instance: host-").count(), 50);
        assert_eq!(text.matches("MyEventsTargetDown (bookingservice)").count(), 1, "{text}");
        assert!(!text.contains("more") && len <= MESSAGE_MAX, "{text}");
        holds_the_keyword(&message["markdown"]);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_says_where_the_rest_is() {
        let alerts =
            (0..500).map(|n| alert("firing", &format!("A{n}"), "报警\u{1}\"\\", &"报\"\\".repeat(3000))).collect();
        let (message, len) = made(&[Notification::Alerts(read(alerts))]);
        let text = message["markdown"]["text"].as_str().unwrap();
        let shown = text.matches("#### firing: A").count();
        assert!(shown > 5 && len <= MESSAGE_MAX, "{shown} shown in {len} bytes");
        let end = format!("and {} more: [Alertmanager](http://127.0.0.1:9093)\n", 500 - shown);
        assert!(text.ends_with(&end), "{}", &text[text.len() - 100..]);
    }

    #[test]
    fn a_ready_message_keeps_its_button_and_is_given_the_keyword_where_it_has_none() {
        let url = "dingtalk://dingtalkclient/page/link?pc_slide=false&url=http%3A%2F%2Fgrafana%2F";
        let (message, _) = made(&[card("Threads", "too many", url)]);
        assert_eq!(message["msgtype"], "actionCard");
        holds_the_keyword(&message["actionCard"]);
        assert_eq!(message["actionCard"]["title"], "[报警] Threads");
        assert_eq!(
            (&message["actionCard"]["singleTitle"], &message["actionCard"]["singleURL"]),
            (&"More".into(), &url.into())
        );
        let (message, _) = made(&[card("[报警] Threads", "too many", "javascript:alert(1)")]);
        assert_eq!(message["msgtype"], "markdown");
        holds_the_keyword(&message["markdown"]);
        assert!(message["markdown"]["text"].as_str().unwrap().contains("too many"));
    }

    #[test]
    fn a_ready_message_that_is_too_long_is_cut() {
        for text in ["报警".repeat(20_000), "\u{1}".repeat(50_000), "\"".repeat(50_000), "x".repeat(60_000)] {
            for url in ["", "http://grafana/"] {
                let (message, len) = made(&[card(&text, &text, url)]);
                assert!(len <= MESSAGE_MAX && len > MESSAGE_MAX / 2, "{len} bytes");
                holds_the_keyword(&message[message["msgtype"].as_str().unwrap()]);
            }
        }
    }

    #[test]
    fn several_notifications_become_one_message_with_all_of_them() {
        let of = |n: usize| {
            Notification::Alerts(read(vec![alert("firing", &format!("A{n}"), "1", &format!("summary {n}"))]))
        };
        let mut all: Vec<_> = (0..25).map(of).collect();
        all.push(card("Grafana's", "its text", "http://grafana/x"));
        let (message, len) = made(&all);
        let text = message["markdown"]["text"].as_str().unwrap();
        assert!(text.contains("26 notifications in one message"), "{text}");
        assert!((0..25).all(|n| text.contains(&format!("summary {n}\n"))), "{text}");
        assert!(text.contains("its text") && text.contains("[More](http://grafana/x)") && len <= MESSAGE_MAX, "{text}");
    }
}
