//! Reads row by row, so that a row that cannot be read is named, and hides none of the others.

use std::fmt;

use rusqlite::{Connection, Error, Params, Row, types::ValueRef};
use uuid::Uuid;

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The table.
    pub table: &'static str,
    /// Its id, where that can be read.
    pub id: Option<Uuid>,
    /// Its id as it is stored.
    stored_id: String,
    /// What is wrong.
    cause: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {}, row {}: {}", self.table, self.stored_id, self.cause)
    }
}

/// Shows each row to `look`, and each that cannot be read to `bad`. An error is one of the whole table.
pub(super) fn each(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    values: impl Params,
    mut look: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    mut bad: impl FnMut(BadRow),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        if let Err(cause) = look(row) {
            let id = row.get_ref(0)?;
            bad(BadRow { table, id: row.get(0).ok(), stored_id: text(id), cause: in_words(&columns, &cause) });
        }
    }
    Ok(())
}

/// An id as text: a UUID, or the value as SQL writes it.
fn text(id: ValueRef<'_>) -> String {
    match id {
        ValueRef::Blob(bytes) => Uuid::from_slice(bytes).map_or_else(
            |_| {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("x'{hex}'")
            },
            |id| id.to_string(),
        ),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        ValueRef::Null => "NULL".into(),
    }
}

/// An error with the name of the column instead of its number.
fn in_words(columns: &[String], cause: &Error) -> String {
    let name = |column: &usize| columns.get(*column).map_or("?", String::as_str);
    if let Error::IntegralValueOutOfRange(column, number) = cause {
        format!("{} is {number}", name(column))
    } else if let Error::FromSqlConversionFailure(column, _, cause) = cause {
        format!("{} cannot be read: {cause}", name(column))
    } else if let Error::InvalidColumnType(column, _, kind) = cause {
        format!("{} is of the type {kind}", name(column))
    } else {
        cause.to_string()
    }
}
