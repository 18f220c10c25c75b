//! Standard output and standard error, written without ever waiting for the reader: a pipe that nobody reads must not stop a service.
//!
//! "Do not wait" is a flag of the open file, and that belongs to all programs that share it, such as the shell at the same terminal.
//! So it is not set there. A pipe or a terminal is opened once more by its name under /proc, a socket has a flag for each call, and
//! of anything else, or where that fails, the kernel is asked first whether a write would wait. Used by `telemetry.rs`.

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::BorrowedFd,
    fs::{FileType, Mode, OFlags, fstat, open},
    io::Errno,
    net::{SendFlags, send},
};

/// How soon a write is tried again.
pub const PAUSE: Duration = Duration::from_millis(10);

/// What every pipe that has room takes without waiting (POSIX, `PIPE_BUF`).
const SMALL: usize = 512;

/// One of the two.
pub struct Output {
    shared: BorrowedFd<'static>,
    way: Way,
}

enum Way {
    /// The same pipe or terminal, opened by this process alone.
    Own(OwnedFd),
    Socket,
    /// Asked before each write. Another program's write in between could make it wait. A file on disk never does.
    Asked,
}

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self::of(rustix::stdio::stdout(), "/proc/self/fd/1")
    }

    /// Standard error.
    pub fn stderr() -> Self {
        Self::of(rustix::stdio::stderr(), "/proc/self/fd/2")
    }

    fn of(shared: BorrowedFd<'static>, name: &str) -> Self {
        let way = match fstat(shared).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Fifo | FileType::CharacterDevice) => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
                open(name, flags, Mode::empty()).map_or(Way::Asked, Way::Own)
            }
            Ok(FileType::Socket) => Way::Socket,
            _ => Way::Asked, // a file on disk would be written at two places at once if it was opened twice
        };
        Self { shared, way }
    }

    /// Writes what can be written at once, and takes that off the front. Whether it was all.
    pub fn write(&self, waiting: &mut Vec<u8>) -> io::Result<bool> {
        let mut written = 0;
        let end = loop {
            let rest = &waiting[written..];
            if rest.is_empty() {
                break Ok(true);
            }
            match self.some(rest) {
                Ok(bytes) => written += bytes,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break Ok(false),
                Err(cause) => break Err(cause.into()),
            }
        };
        waiting.drain(..written);
        end
    }

    /// Writes all of it. While the reader keeps it waiting, the thread does other work.
    pub async fn write_all(&self, mut bytes: Vec<u8>) -> io::Result<()> {
        while !self.write(&mut bytes)? {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    fn some(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        match &self.way {
            Way::Own(own) => rustix::io::write(own, bytes),
            Way::Socket => send(self.shared, bytes, SendFlags::DONTWAIT),
            Way::Asked => {
                let mut asked = [PollFd::from_borrowed_fd(self.shared, PollFlags::OUT)];
                if poll(&mut asked, Some(&Timespec::default()))? == 0 {
                    return Err(Errno::AGAIN);
                }
                rustix::io::write(self.shared, &bytes[..bytes.len().min(SMALL)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, OpenOptions},
        io::{Read, Write, pipe},
        os::{
            fd::{AsFd, AsRawFd},
            unix::net::UnixStream,
        },
        thread,
    };

    use rustix::fs::fcntl_getfl;

    use super::*;

    /// It stays open, like standard error.
    fn output(shared: impl Into<OwnedFd>, known_by_name: bool) -> Output {
        let shared: &OwnedFd = Box::leak(Box::new(shared.into()));
        let name = if known_by_name { format!("/proc/self/fd/{}", shared.as_raw_fd()) } else { String::new() };
        Output::of(shared.as_fd(), &name)
    }

    fn waits_for_no_reader(output: &Output, mut reader: impl Read + Send + 'static) {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let mut waiting = text.clone();
        assert!(!output.write(&mut waiting).unwrap() && waiting.len() < text.len(), "a part of it is written");
        assert!(!fcntl_getfl(output.shared).unwrap().contains(OFlags::NONBLOCK), "others share the open file");

        let mut read = vec![0; text.len()];
        let reader = thread::spawn(move || reader.read_exact(&mut read).map(|()| read).unwrap());
        while !output.write(&mut waiting).unwrap() {
            thread::sleep(PAUSE);
        }
        assert!(reader.join().unwrap() == text, "all of it, in its order");
    }

    #[test]
    fn a_pipe_waits_for_no_reader_and_loses_nothing() {
        for known_by_name in [true, false] {
            let (reader, writer) = pipe().unwrap();
            waits_for_no_reader(&output(writer, known_by_name), reader);
        }
    }

    #[test]
    fn a_socket_waits_for_no_reader_and_loses_nothing() {
        let (reader, writer) = UnixStream::pair().unwrap();
        waits_for_no_reader(&output(writer, true), reader);
    }

    #[test]
    fn a_file_that_others_write_to_is_not_overwritten() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut other = OpenOptions::new().write(true).open(file.path()).unwrap(); // not to append: `2>&1 >file`
        let output = output(other.try_clone().unwrap(), true);
        for line in ["one\n", "three\n"] {
            assert!(output.write(&mut line.as_bytes().to_vec()).unwrap());
            other.write_all(b"two\n").unwrap();
        }
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "one\ntwo\nthree\ntwo\n");
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        for known_by_name in [true, false] {
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            output(writer, known_by_name).write(&mut b"lost\n".to_vec()).unwrap_err();
        }
    }
}
