//! The lock that keeps a second process away from a database file. Read next: `open.rs`.

use std::{
    fs::{File, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::error::OpenError;

/// The data is private, so a new file is for its owner alone. SQLite gives its logs the mode of the database file.
pub(super) const FILE_MODE: u32 = 0o600;

/// A held lock. It belongs to the kernel, which releases it when the process ends, also after a kill.
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock, or refuses a file that another process has locked. The lock file holds the process id, for that error.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock_path = lock_path(path);
        let lock_error = |cause| OpenError::Lock(lock_path.clone(), cause);
        let mut options = File::options();
        options.create(true).read(true).write(true).truncate(false).mode(FILE_MODE);
        let mut file = options.open(&lock_path).map_err(lock_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim().parse::<u32>().map_or(String::new(), |pid| format!(" (process {pid})"));
                return Err(OpenError::InUse(path.to_owned(), holder));
            }
            Err(TryLockError::Error(cause)) => return Err(lock_error(cause)),
        }
        // The process id is not needed: a full disk must not keep the service from starting.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: between fork and exec a child process has the file, too, and so the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock(); // after an error, the end of the process releases it
    }
}

/// The path of the lock file of a database file.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.lock", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_free_once_dropped_also_while_a_child_still_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bookingservice.db");
        let lock = Lock::take(&path).unwrap();
        let as_a_child_has_it = lock.0.try_clone().unwrap();
        assert!(matches!(Lock::take(&path), Err(OpenError::InUse(..))));
        drop(lock);
        assert!(Lock::take(&path).is_ok());
        drop(as_a_child_has_it);
    }
}
