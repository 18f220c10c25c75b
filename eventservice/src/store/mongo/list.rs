//! Which events a page holds, as MongoDB is asked for them.

use mongo::{key, table::Select};
use mongodb::bson::{Document, doc};
use paging::Cursor;

use super::documents::date;
use crate::store::{Filter, search_form};

/// At most `max` events behind a position, in the order of (`start_date`, id).
pub(super) fn page(filter: &Filter, after: Option<Cursor>, max: usize) -> Select {
    let mut conditions: Vec<Document> = Vec::new();
    if let Some(name) = &filter.name {
        conditions.push(begins_with(&search_form(name)));
    }
    if let Some(location) = filter.location_id {
        conditions.push(doc! { "location_id": key(location) });
    }
    if let Some(from) = filter.from {
        conditions.push(doc! { "start_date": { "$gte": date(from) } });
    }
    if let Some(to) = filter.to {
        conditions.push(doc! { "start_date": { "$lt": date(to) } });
    }
    if let Some(Cursor { number, id }) = after {
        let start = mongodb::bson::DateTime::from_millis(number);
        // The first is what the index is searched for.
        conditions.push(doc! { "start_date": { "$gte": start } });
        conditions.push(doc! { "$or": [{ "start_date": { "$gt": start } }, { "_id": { "$gt": key(id) } }] });
    }
    let filter = if conditions.is_empty() {
        doc! {}
    } else {
        doc! { "$and": conditions }
    };
    Select { filter, sort: doc! { "start_date": 1, "_id": 1 }, limit: max, fields: doc! { "outbox": 0 } }
}

/// A range instead of a regular expression: nothing in the text has a meaning.
fn begins_with(prefix: &str) -> Document {
    let mut range = doc! { "$gte": prefix };
    if let Some(end) = behind(prefix) {
        range.insert("$lt", end);
    }
    doc! { "name_lower": range }
}

/// The first text behind all that begin with `prefix`, or `None` where there is none.
fn behind(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // There is no character between U+D7FF and U+E000.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn the_end_of_a_prefix_lies_behind_all_that_begin_with_it_and_before_all_others() {
        for prefix in ["a", "tango", "ä", "\u{d7ff}", "a\u{10ffff}", "字"] {
            let end = behind(prefix).unwrap();
            assert!(format!("{prefix}\u{10ffff}\u{10ffff}") < end && prefix < end.as_str(), "{prefix:?}");
        }
        assert_eq!(behind("a\u{10ffff}").unwrap(), "b");
        assert_eq!(behind("\u{10ffff}"), None);
        assert_eq!(behind(""), None);
    }
}
