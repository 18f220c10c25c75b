//! The data folder: whether another process uses it, and whether it still needs its samples.
//!
//! A file marks a new folder until the samples are created. A first start can end early, for example because a port is in use, and
//! leaves database files behind; without the mark, the second start would create no samples.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use inspect::data_folder::DATABASES;
use sqlite::open::{OpenError, make_folder, refuse_if_in_use};

/// Refuses a folder that another process uses. This is checked before any port is bound, so that a second start of `myevents` reports
/// the first process and not a port in use.
pub(crate) fn refuse_if_taken(folder: &Path) -> Result<(), OpenError> {
    DATABASES.iter().try_for_each(|file| refuse_if_in_use(&folder.join(file)))
}

/// The folder still needs its samples.
pub(crate) struct SamplesDue {
    mark: PathBuf,
}

impl SamplesDue {
    /// Must be called before the services create their files. `empty` also removes the mark of an earlier start.
    pub(crate) fn look(folder: &Path, empty: bool) -> Option<Self> {
        let due = Self { mark: folder.join("samples-due") };
        let is_new = DATABASES.iter().all(|file| !folder.join(file).exists());
        if empty {
            due.done();
            return None;
        }
        if is_new {
            // A folder that cannot be written to is refused by the service that opens its database in it.
            let _ = make_folder(folder).and_then(|()| fs::write(&due.mark, "Goes when the samples are created.\n"));
        }
        due.mark.exists().then_some(due)
    }

    /// Removes the mark.
    pub(crate) fn done(&self) {
        match fs::remove_file(&self.mark) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound && cause.kind() != io::ErrorKind::NotADirectory => {
                tracing::warn!("{} cannot be removed: {cause}", self.mark.display());
            }
            _ => {}
        }
    }
}
