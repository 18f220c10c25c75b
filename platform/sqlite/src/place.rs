//! Whether the files are still where they were opened. Who deletes or moves a data folder under a running process leaves it
//! with files that nobody can find any more: SQLite goes on writing to them, every commit succeeds, and all of it is gone
//! at the next start. Another process could start on the same path meanwhile.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::lock::lock_path;

/// The database, its write-ahead log and its lock, each with what the path led to when it was opened.
#[derive(Clone)]
pub(super) struct Place(Vec<(PathBuf, FileId)>);

/// Device and inode: the same as long as it is the same file, also where it was moved and is back.
type FileId = (u64, u64);

impl Place {
    /// Takes the files as they are now. Must come after they were opened, and before anything is promised.
    pub(super) fn of(path: &Path) -> Self {
        let files = [path.to_owned(), path.with_extension("db-wal"), lock_path(path)];
        Self(files.into_iter().filter_map(|file| id(&file).map(|id| (file, id))).collect())
    }

    /// Says which file is not there any more. It costs three `stat`s, some microseconds, beside an fsync of 100 and more.
    pub(super) fn look(&self) -> Result<(), String> {
        match self.0.iter().find(|(file, opened)| id(file) != Some(*opened)) {
            None => Ok(()),
            Some((file, _)) => {
                let file = file.display();
                Err(format!("{file} was deleted, moved or replaced while it was open: bring it back, or start again"))
            }
        }
    }
}

/// `None` also where it cannot be looked at: what nobody finds is as good as deleted.
fn id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
