//! What was logged, for the tests that promise a log line.

use std::{
    io,
    sync::{Mutex, Once},
};

/// A static, since a process has one subscriber, and the threads of all tests log to it.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to keep what is logged.
pub fn capture() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).init());
}

/// The lines with this text in them; the path of a test's own file, for example.
pub fn lines_with(text: &str) -> Vec<String> {
    let log = LOG.lock().unwrap();
    let lines = String::from_utf8_lossy(&log).into_owned();
    lines.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}
