//! Pages of a list, at most 100 items each (keyset pagination). A page names the position where the next one begins: see the crate
//! `paging`.

use paging::Cursor;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{FieldError, Problem};

/// The most items of a page.
pub const LIMIT_MAX: usize = 100;

/// The number of items if `limit` is absent.
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
    /// Makes a page of up to `limit + 1` items from the store. The additional item says that there is another page.
    pub fn cut(mut items: Vec<T>, limit: usize, position: impl Fn(&T) -> Cursor) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|last| position(last).to_string()) } else { None };
        Self { items, next }
    }
}

/// Reads the `after` parameter.
pub fn after(text: Option<&str>) -> Result<Option<Cursor>, Problem> {
    let bad = || Problem::bad_request("after", "not a position; give back the `next` of a page as it is");
    text.map(|text| Cursor::parse(text).ok_or_else(bad)).transpose()
}

/// Reads the `limit` parameter.
pub fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(LIMIT_DEFAULT) };
    let detail = || format!("must be a whole number from 1 to {LIMIT_MAX}");
    let number: i64 = text.parse().map_err(|_| Problem::bad_request("limit", detail()))?;
    let fits = usize::try_from(number).ok().filter(|n| (1..=LIMIT_MAX).contains(n));
    fits.ok_or_else(|| Problem::invalid(vec![FieldError { field: "limit".into(), detail: detail() }]))
}
