//! A running `myevents load` that records what it was answered, for tests that kill something meanwhile.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use crate::{binary, signal};

/// The process; dropping it kills it.
pub struct Load {
    child: Child,
    record: PathBuf,
    counted: Mutex<Counted>,
}

/// What stands in the record as far as it was read. It becomes long, and is asked for many times a second: read from its
/// beginning each time, it would cost more than the system under test.
#[derive(Default)]
struct Counted {
    bytes: u64,
    lines: BTreeMap<String, usize>,
}

impl Counted {
    fn go_on(&mut self, record: &Path) -> std::io::Result<()> {
        let mut record = BufReader::new(File::open(record)?);
        record.seek(SeekFrom::Start(self.bytes))?;
        let mut line = String::new();
        // The last one may be half written: it is read again next time.
        while record.read_line(&mut line)? > 0 && line.ends_with('\n') {
            if let Some(kind) = line.split_once("\"line\":\"").and_then(|(_, rest)| rest.split('"').next()) {
                *self.lines.entry(kind.to_owned()).or_default() += 1;
            }
            self.bytes += line.len() as u64;
            line.clear();
        }
        Ok(())
    }
}

impl Load {
    /// Books, repeats and cancels until it is stopped; `more` are further arguments, the addresses among them.
    pub fn start<S: AsRef<str>>(record: &Path, more: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new(binary::myevents());
        command.args(["load", "--duration", "0", "--events", "5", "--capacity", "5000"]);
        command.args(["--reads", "5", "--bookings", "60", "--repeats", "10", "--cancels", "25", "--bad", "0"]);
        command.args(more.into_iter().map(|argument| argument.as_ref().to_owned()));
        command.arg("--record").arg(record).env_clear().stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("myevents starts");
        Self { child, record: record.to_owned(), counted: Mutex::default() }
    }

    /// The file that it writes.
    pub fn record(&self) -> &str {
        self.record.to_str().expect("a temporary path is UTF-8")
    }

    /// How many lines of a kind the record has, `booked` for example, or of all kinds that begin like `unanswered_`.
    pub fn recorded(&self, kind: &str) -> usize {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = counted.go_on(&self.record); // it may not be there yet
        counted.lines.iter().filter(|(name, _)| name.starts_with(kind)).map(|(_, count)| count).sum()
    }

    /// Ctrl-C; it then ends by itself, and well.
    pub fn stop(&mut self) {
        signal::send("INT", &self.child);
        assert!(self.child.wait().expect("it is our child").success(), "load ends well");
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
