//! The id of a trace: one request and all that follows from it, in every process.

use std::{fmt, num::NonZeroU128, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// 128 bits that are not all zero, as W3C Trace Context wants it (<https://www.w3.org/TR/trace-context/#trace-id>). Its text is 32
/// hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraceId(NonZeroU128);

impl TraceId {
    /// A new one, at random.
    #[expect(clippy::new_without_default, reason = "a default that is different each time would surprise")]
    pub fn new() -> Self {
        Self(NonZeroU128::new(Uuid::new_v4().as_u128()).expect("a UUID of version 4 has its version in it"))
    }

    /// The trace id with the same bits as a UUID; `None` for the UUID that is zero.
    pub fn of(id: Uuid) -> Option<Self> {
        NonZeroU128::new(id.as_u128()).map(Self)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no trace id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a trace id: 32 hexadecimal digits in lower case, not all zero, like 0af7651916cd43dd8448eb211c80319c")]
pub struct NoTraceId;

impl FromStr for TraceId {
    type Err = NoTraceId;

    fn from_str(text: &str) -> Result<Self, NoTraceId> {
        let digits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        number.and_then(NonZeroU128::new).map(Self).ok_or(NoTraceId)
    }
}

impl TryFrom<String> for TraceId {
    type Error = NoTraceId;

    fn try_from(text: String) -> Result<Self, NoTraceId> {
        text.parse()
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_the_same_after_it_was_written_and_read() {
        let small = TraceId::of(Uuid::from_u128(0xab)).unwrap();
        assert_eq!(small.to_string(), "000000000000000000000000000000ab");
        for id in [small, TraceId::new(), TraceId::of(Uuid::max()).unwrap()] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn that_of_a_uuid_has_its_digits() {
        let id = Uuid::now_v7();
        assert_eq!(TraceId::of(id).unwrap().to_string(), id.simple().to_string());
        assert_eq!(TraceId::of(Uuid::nil()), None);
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in ["", "0", &"0".repeat(32), &"A".repeat(32), &"a".repeat(31), &"a".repeat(33), &"ä".repeat(16)] {
            assert_eq!(text.parse::<TraceId>(), Err(NoTraceId), "{text:?}");
        }
        assert_eq!("+0af7651916cd43dd8448eb211c80319".parse::<TraceId>(), Err(NoTraceId));
    }
}
