//! The W3C `traceparent` (<https://www.w3.org/TR/trace-context/>): `00-<trace id>-<parent id>-<flags>`, a header of requests and of
//! messages. That of a caller is carried on unchanged, since no span of ours is recorded that could be its child.

use crate::TraceId;

/// The trace id of a `traceparent`. `None` for a malformed one, which is ignored, as the specification demands.
pub fn trace_id(traceparent: &str) -> Option<TraceId> {
    let mut parts = traceparent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let known = version == "00" && hex(parent, 16) && parent != "0000000000000000" && hex(flags, 2);
    trace.parse().ok().filter(|_| known && parts.next().is_none())
}

/// A `traceparent` for a request that brought none: with a random parent id, not sampled.
pub fn new(trace: TraceId) -> String {
    let parent = fastrand::u64(1..); // no secret, and no system call
    format!("00-{trace}-{parent:016x}-00")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn the_trace_id_of_a_traceparent_is_read() {
        let id = TRACE.parse().unwrap();
        assert_eq!(trace_id(&format!("00-{TRACE}-b7ad6b7169203331-01")), Some(id));
        assert_eq!(trace_id(&new(id)), Some(id));
        assert_eq!(new(id).len(), 55);
    }

    #[test]
    fn a_malformed_one_is_ignored() {
        for text in [
            "",
            TRACE,
            &format!("01-{TRACE}-b7ad6b7169203331-01"),
            &format!("00-{TRACE}-b7ad6b7169203331"),
            &format!("00-{TRACE}-b7ad6b7169203331-01-"),
            &format!("00-{TRACE}-B7AD6B7169203331-01"),
            &format!("00-{TRACE}-0000000000000000-01"),
            &format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            &format!("00-{TRACE}-b7ad6b7169203331-1"),
        ] {
            assert_eq!(trace_id(text), None, "{text:?}");
        }
    }
}
