//! Writes the record, line by line and unbuffered: what is known is in the file, also after a kill.

use std::{fs::File, io::Write, path::Path, sync::OnceLock};

use anyhow::Context;
use jiff::Timestamp;

use crate::record::Line;

pub(crate) struct Recorder {
    file: File,
    trouble: OnceLock<String>,
}

impl Recorder {
    /// Appends, so that a run can be gone on with after a restart of this program, too.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.with_context(|| format!("--record {} cannot be written", path.display()))?;
        Ok(Self { file, trouble: OnceLock::new() })
    }

    pub(crate) fn write(&self, line: &Line) {
        let mut text = serde_json::to_string(line).expect("a line has only string keys");
        text.push('\n');
        if let Err(cause) = (&self.file).write_all(text.as_bytes())
            && self.trouble.set(cause.to_string()).is_ok()
        {
            eprintln!("myevents: the record is incomplete from here on: {cause}");
        }
    }

    /// The last line of a run, if nothing is missing before it.
    pub(crate) fn end(&self, users: String) {
        if self.trouble().is_none() {
            self.write(&Line::Ended { at: now(), users });
        }
    }

    /// Why lines are missing, if any are.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.get().map(String::as_str)
    }
}

/// Now, as a line has it.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}
