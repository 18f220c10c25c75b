//! Writes the record, line by line and unbuffered: what is known is in the file, whoever is killed next.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Context;
use jiff::Timestamp;

use crate::record::Line;

pub(super) struct Recorder {
    file: File,
    broken: AtomicBool,
}

impl Recorder {
    /// Appends, so that a run can be gone on with after a restart of this program, too.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.with_context(|| format!("--record {} cannot be written", path.display()))?;
        Ok(Self { file, broken: AtomicBool::new(false) })
    }

    pub(super) fn write(&self, line: &Line) {
        let mut text = serde_json::to_string(line).expect("a line has only string keys");
        text.push('\n');
        if let Err(cause) = (&self.file).write_all(text.as_bytes())
            && !self.broken.swap(true, Ordering::Relaxed)
        {
            eprintln!("myevents: the record is incomplete from here on: {cause}");
        }
    }
}

/// Now, as a line has it.
pub(super) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}
