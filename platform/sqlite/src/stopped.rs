//! The file of a stopped process, to look at: locked against a start meanwhile, and never changed.
//!
//! A service opens its file with [`open`](super::open) instead, which makes what is missing, brings old files up to date
//! and copies a write-ahead log that was left behind. Here all of that stays as it was found, the log is read with the
//! file.

use std::path::{Path, PathBuf};

use messaging::{DeadLetter, Entry};
use rusqlite::{Connection, OpenFlags, Params, Row};

use super::{
    lock::Lock,
    open::{OpenError, Spec, identify, log_was_left, looks_new, read_error, sqlite_error},
    outbox::{DEAD_LETTERS, PENDING, dead_letter, entry},
    rows::{self, BadRow},
    schema,
};

/// Problems of a file that are told; one damaged page easily makes hundreds.
const PROBLEMS_MAX: u32 = 20;

/// A locked file that can be read.
pub struct StoppedFile {
    path: PathBuf,
    connection: Connection,
    migrations: &'static [&'static str],
    _lock: Lock,
}

impl StoppedFile {
    /// Opens it; refuses what is missing, in use, or not what `spec` says.
    pub fn open(spec: &Spec) -> Result<Self, OpenError> {
        let path = spec.folder.join(spec.file);
        if looks_new(&path)? {
            // A service that starts on an empty file makes a new database of it; what was in it is gone all the same.
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

    /// Looks through the whole file: every page, every index, every constraint, and that there is each table and index that
    /// there must be. Gives what is wrong.
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

/// Where no log was left behind, SQLite would make an empty one to read beside, and leave it: `immutable` keeps it from
/// that, and is true as long as the lock is held.
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
