//! The file of a stopped process, opened only to be read: it is locked, so that no service starts on it, and never changed.
//!
//! A service opens its file with [`open`](crate::open) instead, which makes a missing file, migrates an old one and copies a
//! write-ahead log that was left into the file. Here nothing of that is done; the log is read together with the file.

use std::path::{Path, PathBuf};

use messaging::{DeadLetter, Entry};
use rusqlite::{Connection, OpenFlags, Params, Row};

use crate::{
    error::{OpenError, read_error, sqlite_error},
    lock::Lock,
    open::{Spec, identify, log_was_left, looks_new},
    outbox::{DEAD_LETTERS, PENDING, dead_letter, entry},
    rows::{self, BadRow},
    schema,
};

/// The most problems that are reported of one file. One damaged page easily causes hundreds.
const PROBLEMS_MAX: u32 = 20;

/// A locked file, opened only to be read.
pub struct StoppedFile {
    path: PathBuf,
    connection: Connection,
    migrations: &'static [&'static str],
    _lock: Lock,
}

impl StoppedFile {
    /// Opens it. Refuses a file that is missing, in use, or not as `spec` says.
    pub fn open(spec: &Spec) -> Result<Self, OpenError> {
        let path = spec.folder.join(spec.file);
        if looks_new(&path)? {
            // A service makes a new database of an empty file, but what was in it is lost all the same.
            let missing = !path.exists();
            return Err(if missing {
                OpenError::Missing(path)
            } else {
                OpenError::Damaged(path, "it is empty".into())
            });
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
        problems.extend(self.read(|connection| schema::differences(connection, self.migrations))?);
        Ok(problems)
    }

    /// Reads.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OpenError> {
        work(&self.connection).map_err(|cause| read_error(&self.path, cause))
    }

    /// Shows each row of a query to `look`, and each that cannot be read to `bad`. The first column must be the row's id.
    pub fn each_row(
        &self,
        table: &'static str,
        sql: &str,
        values: impl Params,
        look: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
        bad: impl FnMut(BadRow),
    ) -> Result<(), OpenError> {
        self.read(|connection| rows::each(connection, table, sql, values, look, bad))
    }

    /// All messages that wait to be published, oldest first.
    pub fn pending(&self, bad: impl FnMut(BadRow)) -> Result<Vec<Entry>, OpenError> {
        let mut all = Vec::new();
        self.each_row("outbox", PENDING, [i64::MAX], |row| entry(row).map(|entry| all.push(entry)), bad)?;
        Ok(all)
    }

    /// All dead letters, oldest first.
    pub fn dead_letters(&self, bad: impl FnMut(BadRow)) -> Result<Vec<DeadLetter>, OpenError> {
        let mut all = Vec::new();
        let look = |row: &Row<'_>| dead_letter(row).map(|letter| all.push(letter));
        self.each_row("dead_letters", DEAD_LETTERS, [i64::MAX], look, bad)?;
        Ok(all)
    }
}

/// Without a write-ahead log, SQLite would make an empty one to read, and leave it. `immutable` prevents that, and is true while
/// the lock is held.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if log_was_left(path) {
        Connection::open_with_flags(path, flags)?
    } else {
        let uri = format!("file:{}?immutable=1", escaped(path));
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?
    };
    connection.pragma_update(None, "cache_size", -65_536)?; // KiB: checks of indexes jump to and fro
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// For a URI, in which three characters have a meaning.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
