//! Offers to change the protocol, which no server here accepts, are hidden from actix.

use std::ops::Range;

/// Hides offers to change the protocol, which no server here accepts: spaces take the place of `upgrade` in `Connection`, and of what
/// `Upgrade` offers. Java's HTTP client offers h2c with each request.
///
/// **Workaround for actix-http 3.20**: its codec takes an offer for a change that will happen. It answers `connection: upgrade`, and closes
/// the connection behind the answer, whatever the answer says; after an offer of a WebSocket it takes all that follows for the body. A
/// server may ignore an offer (RFC 9110, 7.8). No report was found of this; <https://github.com/actix/actix-web/issues/2692> (open) asks
/// what `Connection: keep-alive, upgrade` shall mean. This can go when actix keeps such a connection.
///
/// It does not know where a body ends, and a request may follow it in the same packet. So it takes every line that ends like a request
/// line for one. JSON has no such line, and none that begins with the name of a header.
#[derive(Default)]
pub(super) struct Offers {
    is_in_head: bool,
    /// A line of which the end has not arrived; outside of heads only what it ends with.
    begun: Vec<u8>,
}

impl Offers {
    pub(super) fn hide(&mut self, bytes: &mut [u8]) {
        for part in bytes.split_inclusive_mut(|byte| *byte == b'\n') {
            let known = self.begun.len();
            self.begun.extend_from_slice(part);
            let (text, ends) = (self.begun.trim_ascii_end(), self.begun.ends_with(b"\n"));
            if self.is_in_head {
                for offer in offers_in(text) {
                    part[offer.start.saturating_sub(known)..offer.end.saturating_sub(known)].fill(b' ');
                }
            }
            if ends {
                let is_request_line = text.ends_with(b" HTTP/1.1") || text.ends_with(b" HTTP/1.0");
                self.is_in_head = if self.is_in_head { !text.is_empty() } else { is_request_line };
                self.begun.clear();
            } else if !self.is_in_head {
                self.begun.drain(..self.begun.len().saturating_sub(b" HTTP/1.1\r".len()));
            }
        }
    }
}

/// Where offers are in the line of a header.
fn offers_in(line: &[u8]) -> Vec<Range<usize>> {
    if !matches!(line.first(), Some(b'C' | b'c' | b'U' | b'u')) {
        return Vec::new();
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return Vec::new() };
    let (mut start, mut found) = (colon + 1, Vec::new());
    if line[..colon].eq_ignore_ascii_case(b"upgrade") {
        found.push(start..line.len());
    } else if line[..colon].eq_ignore_ascii_case(b"connection") {
        for option in line[start..].split(|byte| *byte == b',') {
            if option.trim_ascii().eq_ignore_ascii_case(b"upgrade") {
                found.push(start..start + option.len());
            }
            start += option.len() + 1;
        }
    }
    found
}
