//! Keyset pagination: a [`Cursor`] is the position in a list after which a page begins. Stores read lists by it, clients get it from
//! `webserver`, and a resync stores its progress with it.
//!
//! A cursor is a position and not a snapshot: a client also sees items that are added after it. Reading a page costs the same at any
//! position. Read next: the crate `messaging`.

use std::fmt;

use uuid::Uuid;

/// The position after the item with this number (a time or a sequence number) and this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The number by which the list is ordered.
    pub number: i64,
    /// Orders items with the same number.
    pub id: Uuid,
}

/// 48 hexadecimal digits: 16 of the number, 32 of the id. For clients it is opaque.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.number, self.id.simple())
    }
}

impl Cursor {
    /// Reads the text of a [`Cursor`]; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, id) = text.split_at_checked(16).filter(|_| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let number = u64::from_str_radix(number, 16).ok()?.cast_signed();
        Some(Self { number, id: Uuid::try_parse(id).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_the_same_after_it_was_written_and_read() {
        for number in [0, 1, -62_167_219_200_000, i64::MAX, i64::MIN] {
            let cursor = Cursor { number, id: Uuid::now_v7() };
            assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        }
    }

    #[test]
    fn a_position_that_was_not_given_out_is_refused() {
        for text in ["", "x", "0000000000000001", &"g".repeat(48), &"0".repeat(47), &"ä".repeat(24), &"+".repeat(48)] {
            assert_eq!(Cursor::parse(text), None, "{text:?}");
        }
    }
}
