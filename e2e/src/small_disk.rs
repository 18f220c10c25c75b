//! A small file system, to be filled.

use std::{path::Path, process::Command};

use tempfile::TempDir;

use crate::not_run;

/// A mounted tmpfs; dropping it takes it away.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Of such a size, like `3m`. `None`, and a word about it, where nobody lets us mount one.
    pub fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let options = format!("size={size}");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        if !mount.is_ok_and(|output| output.status.success()) {
            not_run("a disk that fills up: the right to mount a tmpfs (run the tests as root)");
            return None;
        }
        Some(Self(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
