//! The data folder: whether another process has it, and whether it is new.
//!
//! *New* is remembered in a file until the samples are created: a first start that ends early, at a port in use or by a
//! kill, leaves database files behind, and the second start would otherwise take the folder for an old one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use inspect::data_folder::DATABASES;
use sqlite::open::{OpenError, make_folder, refuse_if_in_use};

/// Refuses a folder that another process has, before any port is tried: whoever starts `myevents` twice shall hear of
/// the first one, and not of its first port.
pub(crate) fn refuse_if_taken(folder: &Path) -> Result<(), OpenError> {
    DATABASES.iter().try_for_each(|file| refuse_if_in_use(&folder.join(file)))
}

/// The wish for samples, as long as it is not fulfilled.
pub(crate) struct SamplesDue {
    note: PathBuf,
}

impl SamplesDue {
    /// Looks before the services make their files. `empty` ends the wish of an earlier start, too.
    pub(crate) fn look(folder: &Path, empty: bool) -> Option<Self> {
        let due = Self { note: folder.join("samples-due") };
        let is_new = DATABASES.iter().all(|file| !folder.join(file).exists());
        if empty {
            due.done();
            return None;
        }
        if is_new {
            // A folder that cannot be written to is refused by the service that opens its database in it.
            let _ = make_folder(folder).and_then(|()| fs::write(&due.note, "Goes when the samples are created.\n"));
        }
        due.note.exists().then_some(due)
    }

    /// Forgets the wish.
    pub(crate) fn done(&self) {
        match fs::remove_file(&self.note) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound && cause.kind() != io::ErrorKind::NotADirectory => {
                tracing::warn!("{} cannot be removed: {cause}", self.note.display());
            }
            _ => {}
        }
    }
}
