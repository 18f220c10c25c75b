//! The lines of the log on their way to standard error. They never wait for the reader: a stalled one must not stop a service.
//!
//! What the reader does not take waits in memory. When that is full, lines are dropped, whole ones only, and counted. There is no
//! thread for it: each line first writes what waits, and so does a task of the main thread. Read next: `output.rs`.

use std::{
    io,
    sync::{LazyLock, Mutex},
    thread,
    time::{Duration, Instant},
};

use metrics::{Counter, Registry};
use tokio::sync::Notify;

use crate::output::{Output, PAUSE};

/// The most bytes that wait for the reader of the log: some thousand lines, beside what the pipe itself holds.
const WAITING_MAX: usize = 512 * 1024;

/// How long the end of the process waits for the reader of the log.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// Global, as the subscriber and the panic hook are: a process has one standard error.
static LOG: LazyLock<Log> = LazyLock::new(|| Log {
    output: Output::stderr(),
    waiting: Mutex::default(),
    left: Notify::new(),
    dropped: Counter::default(),
    began: metrics::now(),
});

/// Registers the number of lines that were dropped. Each service of a process shows the same.
pub fn register(registry: &Registry) -> metrics::Result<()> {
    registry.counter_of(
        "myevents_log_lines_dropped_total",
        "Log lines of the process that nobody read in time.",
        LOG.began,
        || Some(LOG.dropped.get() as f64),
    )
}

/// The last words of a program that ends with an error, in plain text.
pub fn last_words(text: &str) {
    LOG.write(format!("{text}\n").as_bytes());
    flush();
}

/// Gives the reader of the log a last moment, at the end of the process.
pub fn flush() {
    let began = Instant::now();
    while !LOG.write(b"") && began.elapsed() < END_TIMEOUT {
        thread::sleep(PAUSE);
    }
}

/// Writes what waits when there is room again. Without it, the last lines would wait until the next one comes.
pub(crate) async fn write_what_is_left() {
    loop {
        LOG.left.notified().await;
        tokio::time::sleep(PAUSE).await;
        LOG.write(b"");
    }
}

struct Log {
    output: Output,
    waiting: Mutex<Waiting>,
    /// Told when something is left.
    left: Notify,
    dropped: Counter,
    /// When it began to count, since 1970.
    began: Duration,
}

#[derive(Default)]
struct Waiting {
    /// Whole lines, but for the first, of which a part may be written.
    lines: Vec<u8>,
    /// What was written last is a part of a line.
    half: bool,
}

impl Log {
    /// Writes what waits, and then `line`; or keeps it, or drops it. Whether nothing waits.
    fn write(&self, line: &[u8]) -> bool {
        let mut waiting = self.waiting.lock().expect("nothing panics while it holds this");
        if waiting.lines.len() + line.len() > WAITING_MAX {
            self.write_on(&mut waiting);
        }
        if waiting.lines.is_empty() || waiting.lines.len() + line.len() <= WAITING_MAX {
            if waiting.half && waiting.lines.is_empty() && !line.is_empty() {
                waiting.lines.push(b'\n'); // the other half is lost
            }
            waiting.lines.extend_from_slice(line);
        } else {
            self.dropped.inc();
        }
        self.write_on(&mut waiting)
    }

    fn write_on(&self, Waiting { lines, half }: &mut Waiting) -> bool {
        let (written, all) = self.output.write(lines);
        *half = lines[..written].last().map_or(*half, |last| *last != b'\n');
        lines.drain(..written);
        let all = all.unwrap_or_else(|_| {
            // Nobody can read it, for example since the terminal is closed or the disk is full.
            let lost = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
            self.dropped.inc_by(lost as u64);
            lines.clear();
            true
        });
        if !all {
            self.left.notify_one();
        }
        all
    }
}

/// What `tracing-subscriber` writes to: each write is one line.
pub(crate) struct Line;

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        io::pipe,
        os::fd::{AsFd, OwnedFd},
    };

    use super::*;

    fn output(shared: impl Into<OwnedFd>) -> Output {
        let shared: &OwnedFd = Box::leak(Box::new(shared.into()));
        Output::of(shared.as_fd(), "")
    }

    #[test]
    fn after_half_a_line_that_could_not_be_ended_the_next_one_begins_anew() {
        let (reader, writer) = pipe().unwrap();
        let (waiting, left, dropped, began) = Default::default();
        let mut log = Log { output: output(writer), waiting, left, dropped, began };
        assert!(!log.write(&[vec![b'x'; 200_000], b"\n".into()].concat()), "a part of it is written");
        drop(reader);
        log.write(b"lost\n");
        log.write(b"lost\n");
        assert_eq!(log.dropped.get(), 3);

        let file = tempfile::NamedTempFile::new().unwrap();
        log.output = output(File::create(file.path()).unwrap()); // as if the disk had room again
        for line in ["one\n", "", "two\n"] {
            assert!(log.write(line.as_bytes()));
        }
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "\none\ntwo\n");
        assert_eq!(log.dropped.get(), 3);
    }
}
