//! What shows that a database was written by an older version. A service does not run on such a database: `client.rs` looks for these
//! fields as soon as the server answers, and from then on refuses every call. A database in which no document has them can be used.

/// A field that only documents of an older version have.
#[derive(Clone, Copy, Debug)]
pub struct OldField {
    /// The documents that have it.
    pub table: &'static str,
    /// Its name.
    pub field: &'static str,
    /// What an operator must do.
    pub remedy: &'static str,
}

impl OldField {
    /// Why the database is refused, for the log and for `/readyz`.
    pub(crate) fn refusal(self) -> String {
        let Self { table, field, remedy } = self;
        format!("documents of `{table}` have the field `{field}`, so an older version has written them: {remedy}")
    }
}
