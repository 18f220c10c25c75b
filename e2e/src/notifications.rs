//! Where alerts end: what the inbox shows of DingTalk and of the dead-man's switch, and what mailpit shows of mails.

use std::time::Duration;

use crate::{Api, dashboard::list};

/// Both, by their addresses.
pub struct Notifications {
    /// The inbox.
    pub inbox: Api,
    /// Mailpit.
    pub mailpit: Api,
}

impl Notifications {
    /// What DingTalk's robot has taken, each as Markdown.
    pub async fn messages(&self) -> Vec<String> {
        let messages = self.inbox.get("/api/messages").await.expect(200).json();
        let taken = list(&messages).filter(|one| one["channel"] == "dingtalk");
        taken.map(|one| one["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Whether there is such a word about an alert in it: `firing` or `resolved`.
    pub async fn by_dingtalk(&self, word: &str, alert: &str) -> bool {
        self.messages().await.iter().any(|text| text.contains(&heading(word, alert)))
    }

    /// Where the links of such a message lead to.
    pub async fn links(&self, word: &str, alert: &str) -> Vec<String> {
        let texts = self.messages().await;
        let (_, about) =
            texts.iter().find_map(|text| text.split_once(&heading(word, alert))).expect("there is such a message");
        let about = about.split("####").next().unwrap_or_default();
        about.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    }

    /// The subjects of all mails, like `[FIRING:1] MyEventsJobDown bookingservice`.
    pub async fn subjects(&self) -> Vec<String> {
        let mails = self.mailpit.get("/api/v1/messages?limit=200").await.expect(200).json();
        list(&mails["messages"]).map(|mail| mail["Subject"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Whether there is a mail, likewise. Behind the alert's name may stand that of its job, as in a subject.
    pub async fn by_mail(&self, word: &str, alert: &str) -> bool {
        let begin = format!("[{}", word.to_uppercase());
        let about = |subject: &String| {
            let group = subject.split_once("] ").map_or("", |(_, group)| group);
            subject.starts_with(&begin) && (group == alert || group.starts_with(&format!("{alert} ")))
        };
        self.subjects().await.iter().any(about)
    }

    /// How long ago the dead-man's switch had its last heartbeat.
    pub async fn since_heartbeat(&self) -> Option<Duration> {
        let watchdog = self.inbox.get("/api/watchdog").await.expect(200).json();
        watchdog["last_heard_seconds"].as_f64().map(Duration::from_secs_f64)
    }
}

/// How the part of a message about an alert begins.
fn heading(word: &str, alert: &str) -> String {
    format!("#### {word}: {alert}")
}
