//! The lock that keeps a second process away from a database file.

use std::{
    fs::{File, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::open::{FILE_MODE, OpenError};

/// Held as long as it lives. The lock is the kernel's and ends with the process, however that ends.
pub(super) struct Lock(File);

impl Lock {
    /// Refuses a file that another process has. The lock file holds the process id, for that message.
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
        // The number is a courtesy: a full disk must not keep the service from starting.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
}

impl Drop for Lock {
    /// Closing the file would not be enough: a child process has it as well from its fork to its exec, and so the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock(); // nobody could do anything about it, and the end of the process does the same
    }
}

/// Where the lock of a database file is.
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
