//! What was logged, for the tests that promise a log line.

use std::{
    io,
    mem::take,
    sync::{Arc, Mutex, OnceLock},
};

/// The log of a subscriber: each clone writes to the same one.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// For `with_writer` of a subscriber.
    pub fn writer(&self) -> impl Fn() -> Self + Send + Sync + use<> {
        let log = self.clone();
        move || log.clone()
    }

    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// The lines with this text in them.
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    /// The lines since the last call.
    pub fn take_lines(&self) -> Vec<String> {
        let log = take(&mut *self.0.lock().unwrap());
        String::from_utf8_lossy(&log).lines().map(str::to_owned).collect()
    }
}

/// The log of the process. A static, since a process has one subscriber, and the threads of all tests log to it.
fn process() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        tracing_subscriber::fmt().with_ansi(false).with_writer(log.writer()).init();
        log
    })
}

/// Begins to keep what this process logs.
pub fn capture() {
    process();
}

/// The lines of this process with this text in them; the path of a test's own file, for example.
pub fn lines_with(text: &str) -> Vec<String> {
    process().lines_with(text)
}
