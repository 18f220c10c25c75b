//! Why a file cannot be opened, and what a failed read or write means for the caller.
//!
//! Each text of [`OpenError`] names the file and what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the store did not do it. The texts are for the log and for operators.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It was not begun: too many requests wait.
    #[error("too many requests wait for the disk")]
    Overloaded,
    /// It failed. A write may have happened, or not.
    #[error("{0}")]
    Failed(String),
}

/// Why a file cannot be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written to.
    #[error("the data folder {0} cannot be used ({1}): choose another with --data-dir or DATA_DIR")]
    Folder(PathBuf, io::Error),
    /// The file itself cannot be made or read.
    #[error("the database {0} cannot be used ({1}): choose another folder with --data-dir or DATA_DIR")]
    File(PathBuf, io::Error),
    /// The lock file cannot be made or locked.
    #[error("the lock {0} cannot be used ({1}): choose another folder with --data-dir or DATA_DIR")]
    Lock(PathBuf, io::Error),
    /// It can be read and not written.
    #[error(
        "{0} cannot be written by this user: give it and {0}.lock the right owner, or choose another folder with \
         --data-dir or DATA_DIR"
    )]
    ReadOnly(PathBuf),
    /// Another process has it.
    #[error("{0} is in use by another process{1}: stop that one, or choose another folder with --data-dir or DATA_DIR")]
    InUse(PathBuf, String),
    /// Not a database.
    #[error("{0} is not a database: move it away, or choose another folder with --data-dir or DATA_DIR")]
    NotADatabase(PathBuf),
    /// A database of another application.
    #[error("{0} belongs to another application: move it away, or choose another folder with --data-dir or DATA_DIR")]
    OtherApplication(PathBuf),
    /// Written by a newer version.
    #[error("{0} has schema version {1}, and this program knows only up to {2}: use the newer program")]
    Newer(PathBuf, usize, usize),
    /// Written by an older version, and opened only to be read.
    #[error("{0} has schema version {1}, and {2} is needed: start the services on it once")]
    Older(PathBuf, usize, usize),
    /// It was to be opened only to be read, and is not there.
    #[error("there is no database {0}")]
    Missing(PathBuf),
    /// Its contents are damaged.
    #[error("{0} is damaged ({1}): restore it from a backup")]
    Damaged(PathBuf, String),
    /// It was opened, and a value in it cannot be read.
    #[error("{0} holds something that cannot be read: {1}")]
    Unreadable(PathBuf, rusqlite::Error),
    /// Anything else.
    #[error("{0} cannot be opened: {1}")]
    Sqlite(PathBuf, rusqlite::Error),
}

/// The error of a file that could not be opened.
pub(super) fn sqlite_error(path: &Path, cause: rusqlite::Error) -> OpenError {
    damage(path, &cause).unwrap_or_else(|| OpenError::Sqlite(path.to_owned(), cause))
}

/// The error of a file that was opened and cannot be read.
pub(super) fn read_error(path: &Path, cause: rusqlite::Error) -> OpenError {
    damage(path, &cause).unwrap_or_else(|| OpenError::Unreadable(path.to_owned(), cause))
}

fn damage(path: &Path, cause: &rusqlite::Error) -> Option<OpenError> {
    match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => Some(OpenError::NotADatabase(path.to_owned())),
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => Some(OpenError::Damaged(path.to_owned(), cause.to_string())),
        _ => None,
    }
}
