//! DingTalk's custom robot: the protocol, as far as `bridge` speaks it and `inbox` answers it.
//!
//! A robot is a URL with an `access_token`. It takes JSON by POST and answers HTTP 200 whatever happens; whether the message
//! arrived is in `errcode`. It can demand a keyword in each message, a signature, or both, and takes 20 messages a minute:
//! whoever sends more is not heard for 10 minutes. <https://open.dingtalk.com/document/robots/custom-robot-access>
//!
//! Names and texts of the codes are from DingTalk's own tables and from answers that others have published; nobody here has
//! asked the real robot.

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use process::{
    checks::{Checks, flag},
    secret::Secret,
};
use ring::hmac;

/// The word that our robot demands.
pub(crate) const KEYWORD: &str = "报警";

/// The longest message, in bytes of its JSON.
pub(crate) const MESSAGE_MAX: usize = 20_000;

/// Messages that a robot takes in a minute.
pub(crate) const MESSAGES_A_MINUTE: usize = 20;

/// It arrived.
pub(crate) const OK: i64 = 0;
/// The robot is busy: ask again.
pub(crate) const BUSY: i64 = -1;
/// A keyword, a signature or an address that is not allowed; which one is in the text.
pub(crate) const SECURITY: i64 = 310_000;
/// Too many messages.
pub(crate) const RATE: i64 = 130_101;
/// The same, in a newer table.
pub(crate) const RATE_NEW: i64 = 410_100;
/// No robot has this token: in the tables, in answers that were seen, and in a newer table.
pub(crate) const TOKEN: [i64; 3] = [300_001, 300_005, 400_101];
/// The message is longer than [`MESSAGE_MAX`].
pub(crate) const TOO_LONG: i64 = 460_101;
/// A parameter is missing or wrong.
pub(crate) const PARAMETER: i64 = 40_035;
/// Not by POST.
pub(crate) const METHOD: i64 = 43_002;
/// Not JSON, by its header.
pub(crate) const CONTENT_TYPE: i64 = 43_004;
/// A type of message that there is not.
pub(crate) const MESSAGE_TYPE: i64 = 400_105;

/// What each secret begins with. Another one was copied wrongly: no signature of it would ever be right.
pub(crate) const SECRET_BEGIN: &str = "SEC";

/// Notes a secret that cannot be one, by its option, without showing it.
pub(crate) fn check_secret(checks: &mut Checks, name: &str, secret: Option<&Secret>) {
    if secret.is_some_and(|secret| !secret.reveal().starts_with(SECRET_BEGIN)) {
        checks.problem(format!(
            "{name} (or {}) must begin with {SECRET_BEGIN}, as DingTalk shows it beside the robot's signature; what it is is not \
             shown, since it is a secret",
            flag(name)
        ));
    }
}

/// The `sign` that belongs to a `timestamp` in milliseconds: HMAC-SHA256 with the secret as its key over the timestamp, a
/// newline and the secret once more, in base64. It must still be encoded for a URL.
pub(crate) fn sign(secret: &str, timestamp: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    BASE64.encode(hmac::sign(&key, format!("{timestamp}\n{secret}").as_bytes()))
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
