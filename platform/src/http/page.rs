//! Pages: a list is read in pieces of at most 100, each beginning behind a position that the last one named.
//!
//! A page is a position, not a snapshot: what is added behind it meanwhile is seen, and reading a page costs the same
//! wherever it lies.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::{FieldError, Problem};

/// Items of a page at most.
pub const LIMIT_MAX: usize = 100;

/// Items of a page where `limit` is absent.
pub const LIMIT_DEFAULT: usize = 20;

/// A piece of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// At most `limit` items, in order.
    pub items: Vec<T>,
    /// Give it back as `after` to read on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `limit + 1` items that were asked for: the one too many says that there is more.
    pub fn cut(mut items: Vec<T>, limit: usize, position: impl Fn(&T) -> Cursor) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|last| position(last).encode()) } else { None };
        Self { items, next }
    }
}

/// Where a page begins: behind the item of this number (a time, a sequence) and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is ordered by.
    pub number: i64,
    /// Tells items of the same number apart.
    pub id: Uuid,
}

impl Cursor {
    fn encode(self) -> String {
        format!("{:016x}{}", self.number, self.id.simple())
    }

    /// Reads the `after` parameter.
    pub fn read(text: Option<&str>) -> Result<Option<Self>, Problem> {
        let Some(text) = text else { return Ok(None) };
        let decode = || {
            let (number, id) = text.split_at_checked(16).filter(|_| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
            let number = u64::from_str_radix(number, 16).ok()?.cast_signed();
            Some(Self { number, id: Uuid::try_parse(id).ok()? })
        };
        let bad = || Problem::bad_request("after", "not a position; give back the `next` of a page as it is");
        decode().map(Some).ok_or_else(bad)
    }
}

/// Reads the `limit` parameter.
pub fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(LIMIT_DEFAULT) };
    let detail = || format!("must be a whole number from 1 to {LIMIT_MAX}");
    let number: i64 = text.parse().map_err(|_| Problem::bad_request("limit", detail()))?;
    let fits = usize::try_from(number).ok().filter(|n| (1..=LIMIT_MAX).contains(n));
    fits.ok_or_else(|| Problem::invalid(vec![FieldError { field: "limit".into(), detail: detail() }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_the_way_to_the_client_and_back() {
        for number in [0, 1, -62_167_219_200_000, i64::MAX, i64::MIN] {
            let cursor = Cursor { number, id: Uuid::now_v7() };
            assert_eq!(Cursor::read(Some(&cursor.encode())).unwrap(), Some(cursor));
        }
    }

    #[test]
    fn a_position_that_was_not_given_out_is_refused() {
        for text in ["", "x", "0000000000000001", &"g".repeat(48), &"0".repeat(47), &"ä".repeat(24), &"+".repeat(48)] {
            assert!(Cursor::read(Some(text)).is_err(), "{text:?}");
        }
    }
}
