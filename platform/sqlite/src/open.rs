//! Opens a database file: takes the lock, refuses a file that is not ours, checks it after a crash, migrates it.
//!
//! A file is never replaced. Each error names the file and says what to do. Read next: `writer.rs`.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{self, Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

pub use crate::error::OpenError;
use crate::{
    error::sqlite_error,
    lock::{FILE_MODE, Lock, lock_path},
};

/// A larger file is not checked after a crash: that would take longer than a start may. A damaged page is then found when it
/// is read.
const CHECK_BELOW_BYTES: u64 = 64 * 1024 * 1024;

/// The data is private, so a new folder is for its owner alone. An existing folder or file keeps its mode.
const FOLDER_MODE: u32 = 0o700;

/// SQLite on Unix has room for 512 bytes, and the names of its own files are 8 longer.
const PATH_MAX: usize = 504;

/// For a lock of SQLite's own: somebody may look into the file with the sqlite3 shell.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Which file, and what is in it.
pub struct Spec {
    /// `DATA_DIR`; made if it is not there.
    pub folder: PathBuf,
    /// The file's name in it, `bookingservice.db`.
    pub file: &'static str,
    /// SQLite's `application_id`: tells our files from others.
    pub application_id: i32,
    /// One for each schema version, beginning with version 1. Those that were released are never changed.
    pub migrations: &'static [Migration],
}

/// Changes what the version before has made, in a transaction: mostly one SQL script.
pub type Migration = fn(&Connection) -> rusqlite::Result<()>;

impl Spec {
    /// The file's path, from the root on: SQLite would read a name that begins with `file:` as a URI.
    pub(super) fn path(&self) -> Result<PathBuf, OpenError> {
        let folder = path::absolute(&self.folder).map_err(|cause| OpenError::Folder(self.folder.clone(), cause))?;
        let path = folder.join(self.file);
        if path.as_os_str().len() > PATH_MAX {
            let cause = io::Error::other(format!("its path is longer than SQLite's {PATH_MAX} bytes"));
            return Err(OpenError::Folder(folder, cause));
        }
        Ok(path)
    }
}

/// Gives the path, the connection that writes, and the lock.
pub(super) fn open(spec: &Spec) -> Result<(PathBuf, Connection, Lock), OpenError> {
    let path = spec.path()?;
    let folder_error = |cause| OpenError::Folder(spec.folder.clone(), cause);
    make_folder(&spec.folder).map_err(folder_error)?;
    let lock = Lock::take(&path)?;
    let is_new = looks_new(&path)?;
    let crashed = log_was_left(&path);
    let named = |cause| sqlite_error(&path, cause);
    if is_new {
        let made = OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(&path);
        made.map_err(|cause| OpenError::File(path.clone(), cause))?;
    }
    let mut connection = Connection::open(&path).map_err(named)?;
    // SQLite falls back to reading silently, and every booking would be a 503.
    if connection.is_readonly("main").map_err(named)? {
        return Err(OpenError::ReadOnly(path));
    }
    copy_log_on_close(&connection, !crashed).map_err(named)?; // a file that is refused below must stay as it is
    let version = if is_new { 0 } else { identify(&connection, spec, &path)? };
    if crashed && path.metadata().is_ok_and(|file| file.len() < CHECK_BELOW_BYTES) {
        check(&connection, &path)?;
    }
    configure(&connection).map_err(named)?;
    migrate(&mut connection, spec, version).map_err(named)?;
    copy_log_on_close(&connection, true).map_err(named)?;
    // A new file's name must survive a power cut as well as its contents.
    File::open(&spec.folder).and_then(|folder| folder.sync_all()).map_err(folder_error)?;
    Ok((path, connection, lock))
}

/// Makes the folder, and what is missing above it.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)
}

pub(super) fn read_only(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|cause| sqlite_error(path, cause))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|cause| sqlite_error(path, cause))?;
    Ok(connection)
}

/// Refuses a file that another process has locked, and does nothing else. `myevents` calls it before it binds its ports, which the
/// same process would have bound, too: the error about the file says more.
pub fn refuse_if_in_use(path: &Path) -> Result<(), OpenError> {
    let was_ever_locked = lock_path(path).exists();
    if was_ever_locked { Lock::take(path).map(drop) } else { Ok(()) }
}

/// Whether there is a write-ahead log that is not empty: the last process did not close the file.
pub(super) fn log_was_left(path: &Path) -> bool {
    path.with_extension("db-wal").metadata().is_ok_and(|wal| wal.len() > 0)
}

/// Sets whether closing the connection copies the write-ahead log into the file, and removes it.
fn copy_log_on_close(connection: &Connection, copy: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !copy).map(drop)
}

/// Whether the file must be made, by its first bytes, before SQLite opens it. An empty file is new: a crash may leave one.
pub(super) fn looks_new(path: &Path) -> Result<bool, OpenError> {
    let mut head = Vec::new();
    match File::open(path).and_then(|file| file.take(16).read_to_end(&mut head)) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(cause) => Err(OpenError::File(path.to_owned(), cause)),
        Ok(0) => Ok(true),
        Ok(_) if head == b"SQLite format 3\0" => Ok(false),
        Ok(_) => Err(OpenError::NotADatabase(path.to_owned())),
    }
}

/// The schema version of a file of this application.
pub(super) fn identify(connection: &Connection, spec: &Spec, path: &Path) -> Result<usize, OpenError> {
    let named = |cause| sqlite_error(path, cause);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (id, version) = (pragma("application_id").map_err(named)?, pragma("user_version").map_err(named)?);
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(named)?;
    if id == 0 && version == 0 && tables == 0 {
        return Ok(0); // a crash between making the file and the first migration
    }
    if id != spec.application_id {
        return Err(OpenError::OtherApplication(path.to_owned()));
    }
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > spec.migrations.len() {
        return Err(OpenError::Newer(path.to_owned(), version, spec.migrations.len()));
    }
    Ok(version)
}

fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let answer: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|cause| sqlite_error(path, cause))?;
    if answer == "ok" { Ok(()) } else { Err(OpenError::Damaged(path.to_owned(), answer)) }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous())?;
    connection.pragma_update(None, "cache_size", -16_384)?; // KiB
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// `FULL`: a commit is on disk before it is answered. In debug builds `TEST_SYNCHRONOUS` sets another mode, so that the
/// test that watches the fsync can be seen to fail.
fn synchronous() -> String {
    let mode = if cfg!(debug_assertions) { std::env::var("TEST_SYNCHRONOUS").ok() } else { None };
    mode.unwrap_or_else(|| "FULL".into())
}

fn migrate(connection: &mut Connection, spec: &Spec, version: usize) -> rusqlite::Result<()> {
    for (done, migration) in spec.migrations.iter().enumerate().skip(version) {
        let transaction = connection.transaction()?;
        migration(&transaction)?;
        transaction.pragma_update(None, "application_id", spec.application_id)?;
        transaction.pragma_update(None, "user_version", i32::try_from(done + 1).unwrap_or(i32::MAX))?;
        transaction.commit()?;
    }
    Ok(())
}
