//! Which field an error of serde is about, so that the answer can name it.

use crate::problem::Problem;

/// A 400 for an error of serde. serde names a missing, unknown or duplicate field in its message, and the place of any other error
/// in the path. `whole` is the name for an error without a field.
pub(super) fn field_error(path: &str, cause: &str, whole: &str) -> Problem {
    let quoted = ["missing", "unknown", "duplicate"].iter().find_map(|what| {
        let (field, rest) = cause.strip_prefix(what)?.strip_prefix(" field `")?.split_once('`')?;
        (!field.is_empty()).then(|| (field, format!("{what} field{rest}")))
    });
    let outer = path.trim_end_matches(['.', '?']); // "." is the whole, "?" is an incomplete key
    let (field, cause) = match quoted {
        Some((field, cause)) if outer == field || outer.ends_with(&format!(".{field}")) => (outer.to_owned(), cause),
        Some((field, cause)) if outer.is_empty() => (field.to_owned(), cause),
        Some((field, cause)) => (format!("{outer}.{field}"), cause),
        None if outer.is_empty() => (whole.to_owned(), cause.to_owned()),
        None => (outer.to_owned(), cause.to_owned()),
    };
    // A caller does not know Rust's types.
    Problem::bad_request(&field, cause.replace("expected i64", "expected a whole number"))
}
