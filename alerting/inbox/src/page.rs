//! The page of the inbox: the dead-man's switch, and below it the messages by DingTalk and by mail, side by side, the newest first.
//! It
//! refreshes itself.

use std::time::Duration;

use jiff::Timestamp;
use service::html::{escaped, framed};

use super::{
    markdown::to_html,
    store::{Channel, Message, Store},
};
use alerts::text::time;

/// After this time without a Watchdog the switch is red. Alertmanager repeats the Watchdog about every minute.
const WATCHDOG_TIMEOUT: Duration = Duration::from_secs(180);

/// How often the page is loaded again, in seconds.
const REFRESH: u32 = 3;

/// The page at `/`.
pub(super) fn inbox(store: &Store) -> String {
    let (watchdog, class) = switch(store.watchdog.map(|at| at.elapsed()));
    let (dingtalk, mail) = (column(store, Channel::DingTalk), column(store, Channel::Mail));
    let body = format!(
        "<h1>MyEvents: inbox</h1>\n\
         <p class=\"note\">For your own machine: there is no password, and nothing is kept but the last 200 messages, in \
         memory. <a href=\"runbooks\">Runbooks</a></p>\n\
         <p class=\"switch {class}\"><strong>Dead-man's switch</strong>: {watchdog}</p>\n\
         <div class=\"columns\">\n<section><h2>DingTalk</h2>\n{dingtalk}</section>\n\
         <section><h2>Mail</h2>\n{mail}</section>\n</div>"
    );
    framed("MyEvents: inbox", Some(REFRESH), &body)
}

fn switch(watchdog_age: Option<Duration>) -> (String, &'static str) {
    match watchdog_age {
        None => {
            ("not heard yet. Alertmanager sends the alert Watchdog as long as it and Prometheus are well".into(), "")
        }
        Some(ago) if ago < WATCHDOG_TIMEOUT => (format!("last heard {} s ago", ago.as_secs()), "green"),
        Some(ago) => {
            let silent = "Prometheus or Alertmanager is down, or cannot reach this page: no other alert would arrive";
            (format!("last heard {} s ago. {silent}", ago.as_secs()), "red")
        }
    }
}

fn column(store: &Store, channel: Channel) -> String {
    let messages: String = store.messages.iter().filter(|message| message.channel == channel).map(message).collect();
    if messages.is_empty() { "<p class=\"note\">Nothing has arrived.</p>\n".into() } else { messages }
}

fn message(message: &Message) -> String {
    let at = time(message.at);
    let ago = Timestamp::now().duration_since(message.at).as_secs();
    format!(
        "<div class=\"message {}\"><strong>{}</strong><br><time title=\"{at}\">{at}, {ago} s ago</time>\n{}</div>\n",
        colour(&message.title),
        escaped(&message.title),
        to_html(&message.text),
    )
}

/// The colour of a message, from its title.
fn colour(title: &str) -> &'static str {
    let title = title.to_lowercase();
    match (title.contains("firing"), title.contains("resolved")) {
        (true, _) => "red",
        (false, true) => "green",
        (false, false) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fires_is_red_what_is_over_is_green_and_each_is_in_its_column() {
        let mut store = Store::default();
        store.add(Channel::DingTalk, "[报警] firing: A".into(), "### text of A".into());
        store.add(Channel::Mail, "resolved: B".into(), "text of B".into());
        let page = inbox(&store);
        let (dingtalk, mail) = page.split_once("<h2>Mail</h2>").unwrap();
        assert!(
            dingtalk.contains("message red\"><strong>[报警] firing: A<") && dingtalk.contains("<h3>text of A</h3>")
        );
        assert!(mail.contains("message green\"><strong>resolved: B<") && !mail.contains("text of A"), "{page}");
        assert!(page.contains("For your own machine") && page.contains("href=\"runbooks\""));
    }

    #[test]
    fn the_switch_turns_red_after_three_minutes() {
        let of = |seconds| switch(Some(Duration::from_secs(seconds)));
        assert_eq!(of(12), ("last heard 12 s ago".into(), "green"));
        assert_eq!((of(179).1, of(180).1, switch(None).1), ("green", "red", ""));
    }

    #[test]
    fn a_title_is_a_text_and_nothing_else() {
        let mut store = Store::default();
        store.add(Channel::Mail, "<script>alert('1')</script>\"".into(), "<script>alert(2)</script>".into());
        let page = inbox(&store);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(&#39;1&#39;)"), "{page}");
        assert!(!page.contains("src=") && !page.contains("url("), "it loads something");
    }
}
