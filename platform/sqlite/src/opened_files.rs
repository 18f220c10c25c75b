//! Checks whether the files are still at the path where they were opened.
//!
//! If somebody deletes or moves the data folder under a running process, SQLite continues to write to the open files: every
//! commit succeeds, and all of it is lost at the next start. Another process could also start on the same path.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::lock::lock_path;

/// The paths of the database, its write-ahead log and its lock, each with the file that was opened there.
#[derive(Clone)]
pub(super) struct OpenedFiles(Vec<(PathBuf, FileId)>);

/// Device and inode. They identify the file, also after it was moved away and back.
type FileId = (u64, u64);

impl OpenedFiles {
    /// Remembers the files as they are now. Must be called after they were opened, and before the first commit.
    pub(super) fn of(path: &Path) -> Self {
        let files = [path.to_owned(), path.with_extension("db-wal"), lock_path(path)];
        Self(files.into_iter().filter_map(|file| id(&file).map(|id| (file, id))).collect())
    }

    /// The error names the file that is not there any more. It costs three `stat` calls: some microseconds, where an fsync
    /// takes 100 and more.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.0.iter().find(|(file, opened)| id(file) != Some(*opened)) {
            None => Ok(()),
            Some((file, _)) => {
                let file = file.display();
                Err(format!("{file} was deleted, moved or replaced while it was open: bring it back, or start again"))
            }
        }
    }
}

/// `None` also for a file that cannot be looked at: the next start could not open it either.
fn id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
