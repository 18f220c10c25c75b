//! A running `myevents load` that records what it was answered, for tests that kill something meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::binary;

/// The process; dropping it kills it.
pub struct Load {
    child: Child,
    record: PathBuf,
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
        Self { child, record: record.to_owned() }
    }

    /// The file that it writes.
    pub fn record(&self) -> &str {
        self.record.to_str().expect("a temporary path is UTF-8")
    }

    /// How many lines of a kind the record has, `booked` or `unanswered_` for example.
    pub fn recorded(&self, kind: &str) -> usize {
        let record = fs::read_to_string(&self.record).unwrap_or_default();
        record.matches(&format!("\"line\":\"{kind}")).count()
    }

    /// Ctrl-C; it then ends by itself, and well.
    pub fn stop(&mut self) {
        let kill = format!("kill -INT {}", self.child.id()); // the shell's own: not every machine has the program
        let killed = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
        assert!(killed.success(), "load was running");
        assert!(self.child.wait().expect("it is our child").success(), "load ends well");
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
