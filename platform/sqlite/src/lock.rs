//! The lock that keeps a second process away from a database file. Read next: `open.rs`.

use std::{
    fs::{self, File, TryLockError},
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
    /// Takes the lock, or refuses a file that another process has locked. The lock file says which one has it, for that error.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock_path = lock_path(path);
        let lock_error = |cause| OpenError::Lock(lock_path.clone(), cause);
        let mut options = File::options();
        options.create(true).read(true).write(true).truncate(false).mode(FILE_MODE);
        let mut file = options.open(&lock_path).map_err(lock_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut written = String::new();
                let _ = file.read_to_string(&mut written);
                return Err(OpenError::InUse(path.to_owned(), holder(&written)));
            }
            Err(TryLockError::Error(cause)) => return Err(lock_error(cause)),
        }
        // That is not needed: a full disk must not keep the service from starting.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}\n{}\n{}\n", std::process::id(), host(), numbered_by()));
        Ok(Self(file))
    }
}

/// Which process has the lock, by what it wrote: its number, its host and who gave it that number. In another container or on another
/// machine that number is another process's, or nobody's, so the host is named: of a container that is its id.
fn holder(written: &str) -> String {
    match written.lines().collect::<Vec<_>>()[..] {
        [number, _, by] if by == numbered_by() => format!(" (process {number})"),
        [_, host, _] => format!(" (on the host or in the container {host})"),
        _ => String::new(),
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Processes that read the same here have numbers from the same list: the host, the start of its kernel, and the namespace.
fn numbered_by() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {} {}", host(), boot.trim(), namespace.display())
}

impl Drop for Lock {
    /// Closing the file is not enough: between fork and exec a child process has the file, too, and so the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock(); // after an error, the end of the process releases it
    }
}

/// The path of the lock file of a database file.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
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

    #[test]
    fn a_process_number_is_named_only_where_it_means_that_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bookingservice.db");
        let _lock = Lock::take(&path).unwrap();
        let refused = || Lock::take(&path).err().unwrap().to_string();
        let number = format!("process {}", std::process::id());
        assert!(refused().contains(&number), "{}", refused());

        // As a process in another container has it, which is number 1 there, and as an older version wrote it.
        let here = fs::read_to_string(lock_path(&path)).unwrap();
        let there =
            here.replace("pid:[", "pid:[1").replacen(&format!("{}\n{}", std::process::id(), host()), "1\n0dd5ab1e", 1);
        assert_ne!(here, there);
        fs::write(lock_path(&path), there).unwrap();
        assert!(refused().contains("in the container 0dd5ab1e)") && !refused().contains("process 1"), "{}", refused());
        fs::write(lock_path(&path), "1\n").unwrap();
        assert!(!refused().contains("process 1"), "{}", refused());
    }
}
