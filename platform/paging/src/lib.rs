//! Where a page of a list begins. Stores read lists by it, `webserver` gives it to clients, a resync remembers how far it is.
//!
//! A page is a position, not a snapshot ("keyset pagination"): what is added behind it meanwhile is seen, and reading a page
//! costs the same wherever it lies.

use std::fmt;

use uuid::Uuid;

/// Behind the item of this number (a time, a sequence) and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is ordered by.
    pub number: i64,
    /// Tells items of the same number apart.
    pub id: Uuid,
}

/// 48 hexadecimal digits: 16 of the number, 32 of the id. Clients need not understand it.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.number, self.id.simple())
    }
}

impl Cursor {
    /// Reads what [`Cursor`] has written; `None` for any other text.
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
    fn a_position_survives_the_way_to_the_client_and_back() {
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
