//! The file of a stopped process, opened only to be read: it is locked, so that no service starts on it, and never changed.
//!
//! A service opens its file with [`open`](crate::open) instead, which makes a missing file, migrates an old one and copies a
//! write-ahead log that was left into the file. Here nothing of that is done; the log is read together with the file. It is read
//! row by row, so that a row that cannot be read is named, and hides none of the others.

use std::{
    collections::BTreeMap,
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use messaging::{DeadLetter, Entry};
use rusqlite::{Connection, Error, OpenFlags, Params, Row, types::ValueRef};
use uuid::Uuid;

use crate::{
    error::{OpenError, read_error, sqlite_error},
    lock::Lock,
    open::{Migration, Spec, identify, log_was_left, looks_new},
    outbox::{DEAD_LETTERS, PENDING, dead_letter, entry},
};

/// The most problems that are reported of one file. One damaged page easily causes hundreds.
const PROBLEMS_MAX: u32 = 20;

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

/// A locked file, opened only to be read.
pub struct StoppedFile {
    path: PathBuf,
    connection: Connection,
    migrations: &'static [Migration],
    _lock: Lock,
}

impl StoppedFile {
    /// Opens it. Refuses a file that is missing, in use, or not as `spec` says.
    pub fn open(spec: &Spec) -> Result<Self, OpenError> {
        let path = spec.path()?;
        if looks_new(&path)? {
            if !path.exists() {
                return Err(OpenError::Missing(path));
            }
            // A service makes a new database of an empty file, but what was in it is lost all the same.
            return Err(OpenError::Damaged(path, "it is empty".into()));
        }
        let lock = Lock::take(&path)?;
        let named = |cause| sqlite_error(&path, cause);
        let connection = connect(&path).map_err(named)?;
        let (found, known) = (identify(&connection, spec, &path)?, spec.migrations.len());
        if found < known {
            return Err(OpenError::Older(path, found, known));
        }
        Ok(Self { path, connection, migrations: spec.migrations, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks the whole file: every page, index and constraint, and that each table and index of the schema is there. Answers
    /// what is wrong.
    pub fn problems(&self) -> Result<Vec<String>, OpenError> {
        let sql = format!("PRAGMA integrity_check({PROBLEMS_MAX})");
        let answers: Vec<String> =
            self.read(|connection| connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect())?;
        let mut problems: Vec<_> = answers.into_iter().filter(|answer| answer != "ok").collect();
        problems.extend(self.read(|connection| differences(connection, self.migrations))?);
        Ok(problems)
    }

    /// Reads.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OpenError> {
        work(&self.connection).map_err(|cause| read_error(&self.path, cause))
    }

    /// What `read` makes of each row of a query. A row that it cannot read is shown to `bad`. The first column must be the row's id.
    pub fn rows<T>(
        &self,
        table: &'static str,
        sql: &str,
        values: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
        mut bad: impl FnMut(BadRow),
    ) -> Result<Vec<T>, OpenError> {
        self.read(|connection| {
            let mut statement = connection.prepare(sql)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let (mut rows, mut all) = (statement.query(values)?, Vec::new());
            while let Some(row) = rows.next()? {
                match read(row) {
                    Ok(one) => all.push(one),
                    Err(cause) => {
                        let (id, stored_id) = (row.get(0).ok(), text(row.get_ref(0)?));
                        bad(BadRow { table, id, stored_id, cause: in_words(&columns, &cause) });
                    }
                }
            }
            Ok(all)
        })
    }

    /// All messages that wait to be published, oldest first.
    pub fn pending(&self, bad: impl FnMut(BadRow)) -> Result<Vec<Entry>, OpenError> {
        self.rows("outbox", PENDING, [i64::MAX], entry, bad)
    }

    /// All dead letters, oldest first.
    pub fn dead_letters(&self, bad: impl FnMut(BadRow)) -> Result<Vec<DeadLetter>, OpenError> {
        self.rows("dead_letters", DEAD_LETTERS, [i64::MAX], dead_letter, bad)
    }
}

/// Without a write-ahead log, SQLite would make an empty one to read, and leave it. `immutable` prevents that, and is true while
/// the lock is held.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if log_was_left(path) {
        Connection::open_with_flags(path, flags)?
    } else {
        let uri = format!("file://{}?immutable=1", escaped(path));
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    };
    connection.pragma_update(None, "cache_size", -65_536)?; // KiB: checks of indexes jump to and fro
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// For a URI: every byte that could have a meaning there, or is not ASCII, as its number.
fn escaped(path: &Path) -> String {
    let byte = |byte: &u8| match byte {
        b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(*byte).to_string(),
        other => format!("%{other:02x}"),
    };
    path.as_os_str().as_bytes().iter().map(byte).collect()
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

/// What is missing, or differs from what the migrations make. Additions of others are no difference, except for triggers,
/// which change what is stored.
fn differences(connection: &Connection, migrations: &[Migration]) -> rusqlite::Result<Vec<String>> {
    let new = Connection::open_in_memory()?;
    migrations.iter().try_for_each(|migration| migration(&new))?;
    let (right, mut found) = (objects(&new)?, objects(connection)?);
    let mut differences = Vec::new();
    for ((kind, name), sql) in right {
        match found.remove(&(kind.clone(), name.clone())) {
            None => differences.push(format!("the {kind} {name} is missing")),
            Some(other) if other != sql => differences.push(format!("the {kind} {name} is not as it was made")),
            Some(_) => {}
        }
    }
    let foreign = found.into_keys().filter(|(kind, _)| kind == "trigger");
    differences.extend(foreign.map(|(_, name)| format!("it has a trigger {name}, which nobody made for it")));
    Ok(differences)
}

/// What was made with `CREATE`: kind and name, and the statement.
type Objects = BTreeMap<(String, String), String>;

fn objects(connection: &Connection) -> rusqlite::Result<Objects> {
    let sql =
        "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    connection.prepare(sql)?.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?.collect()
}
