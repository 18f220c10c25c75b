//! The result of sending a message: its label in the metric, whether another try can help, and the text of the robot.

use std::time::Duration;

use alerts::dingtalk::{BUSY, OK, RATE, RATE_NEW, SECURITY, TOKEN, TOO_LONG};

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The message is without the robot's keyword.
    Keyword,
    /// No robot has this token.
    Token,
    /// The signature is missing or wrong, or the clock is wrong.
    Signature,
    /// The message is longer than the robot accepts.
    TooLong,
    /// Too many messages.
    Rate,
    /// The robot is busy.
    Busy,
    /// No answer in time; the message may have arrived.
    Timeout,
    /// No connection, or a lost one.
    Network,
    /// An answer that is in no table; another try can succeed.
    Unclear,
    /// A refusal that another try does not change.
    Refused,
}

/// The result of sending a message.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// `None` if it arrived.
    pub(super) failure: Option<Failure>,
    /// The text of the robot, without secrets.
    pub(super) detail: String,
    /// How long to wait before another try, if that is known.
    pub(super) wait: Option<Duration>,
}

impl Outcome {
    /// All labels, whose counters begin at zero.
    pub(super) const LABELS: [&str; 10] =
        ["ok", "keyword", "token", "signature", "too_long", "rate", "busy", "timeout", "network", "error"];

    pub(super) fn failed(failure: Failure, detail: impl Into<String>) -> Self {
        Self { failure: Some(failure), detail: detail.into(), wait: None }
    }

    /// What an errcode means. The code for security has several causes; only the text says which.
    pub(super) fn of(errcode: i64, errmsg: String) -> Self {
        let lower = errmsg.to_lowercase();
        let failure = match errcode {
            OK => None,
            BUSY => Some(Failure::Busy),
            RATE | RATE_NEW => Some(Failure::Rate),
            TOO_LONG => Some(Failure::TooLong),
            SECURITY if lower.contains("keyword") => Some(Failure::Keyword),
            SECURITY if lower.contains("sign") || lower.contains("timestamp") => Some(Failure::Signature),
            SECURITY if lower.contains("token") => Some(Failure::Token),
            code if TOKEN.contains(&code) => Some(Failure::Token),
            _ => Some(Failure::Refused),
        };
        Self { failure, detail: format!("errcode {errcode}: {errmsg}"), wait: None }
    }

    /// The value of the label `result`.
    pub(super) fn label(&self) -> &'static str {
        self.failure.map_or("ok", |failure| failure.meaning().0)
    }

    /// Whether another try can succeed. The other failures need a change of the configuration first.
    pub(super) fn worth_a_retry(&self) -> bool {
        self.failure.is_some_and(|failure| failure.meaning().1)
    }

    /// What an operator can do about it.
    pub(super) fn advice(&self) -> &'static str {
        self.failure.map_or("", |failure| failure.meaning().2)
    }
}

impl Failure {
    /// Its label, whether another try can succeed, and what an operator can do about it.
    fn meaning(self) -> (&'static str, bool, &'static str) {
        const AGAIN: &str = "it is tried again";
        match self {
            Self::Keyword => ("keyword", false, "set the robot's keyword to 报警"),
            Self::Token => ("token", false, "copy the webhook from the robot's settings to DINGTALK_WEBHOOK_URL"),
            Self::Signature => {
                ("signature", false, "set DINGTALK_SECRET to the robot's secret, and check this machine's clock")
            }
            Self::TooLong => ("too_long", false, "send fewer alerts in a group, or shorter ones"),
            Self::Rate => ("rate", true, "something else sends to the same robot: give this one a robot of its own"),
            Self::Busy => ("busy", true, AGAIN),
            Self::Timeout => ("timeout", true, AGAIN),
            Self::Network => ("network", true, AGAIN),
            Self::Unclear => ("error", true, AGAIN),
            Self::Refused => ("error", false, "look the errcode up in DingTalk's documentation"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_errcode_has_its_label_and_says_whether_another_try_helps() {
        for (errcode, errmsg, label, again) in [
            (0, "ok", "ok", false),
            (-1, "系统繁忙", "busy", true),
            (130_101, "send too fast, exceed 20 times per minute", "rate", true),
            (310_000, "keywords not in content, more: [https://ding-doc.dingtalk.com/doc]", "keyword", false),
            (310_000, "sign not match", "signature", false),
            (310_000, "invalid timestamp", "signature", false),
            (310_000, "ip 192.0.2.1 not in whitelist", "error", false),
            (300_001, "token is not exist", "token", false),
            (300_005, "token is not exist", "token", false),
            (460_101, "message too long, exceed 20000 bytes", "too_long", false),
            (43_004, "无效的HTTP HEADER Content-Type", "error", false),
        ] {
            let outcome = Outcome::of(errcode, errmsg.into());
            assert_eq!((outcome.label(), outcome.worth_a_retry()), (label, again), "{errcode} {errmsg}");
            assert!(Outcome::LABELS.contains(&label));
        }
    }
}
