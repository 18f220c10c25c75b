//! Standard output and standard error, written without ever waiting for the reader: a pipe that nobody reads must not stop a service.
//!
//! "Do not wait" is a flag of the open file, and that belongs to all programs that share it, such as the shell at the same terminal.
//! So it is not set there. A pipe or a terminal is opened once more by its name under /proc, a socket has a flag for each call, a file
//! on disk never waits, and of anything else, or where that fails, the kernel is asked first whether a write would wait. Used by
//! `log_lines.rs`.

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
    /// A file on disk, through the shared position: opened twice, it would be written at two places at once. Each write is one whole,
    /// so that several programs can append to one file without tearing each other's lines.
    File,
    /// Asked before each write. Another program's write in between could make it wait.
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

    pub(crate) fn of(shared: BorrowedFd<'static>, name: &str) -> Self {
        let way = match fstat(shared).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Fifo | FileType::CharacterDevice) => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
                open(name, flags, Mode::empty()).map_or(Way::Asked, Way::Own)
            }
            Ok(FileType::Socket) => Way::Socket,
            Ok(FileType::RegularFile) => Way::File,
            _ => Way::Asked,
        };
        Self { shared, way }
    }

    /// Writes what can be written at once: how many bytes that was, and whether it was all.
    pub fn write(&self, bytes: &[u8]) -> (usize, io::Result<bool>) {
        let mut written = 0;
        while written < bytes.len() {
            match self.some(&bytes[written..]) {
                Ok(more) => written += more,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return (written, Ok(false)),
                Err(cause) => return (written, Err(cause.into())),
            }
        }
        (written, Ok(true))
    }

    /// Writes all of it. While the reader keeps it waiting, the thread does other work.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        loop {
            let (written, all) = self.write(bytes);
            if all? {
                return Ok(());
            }
            bytes = &bytes[written..];
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn some(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        match &self.way {
            Way::Own(own) => rustix::io::write(own, bytes),
            Way::Socket => send(self.shared, bytes, SendFlags::DONTWAIT),
            Way::File => rustix::io::write(self.shared, bytes),
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
        let (mut written, all) = output.write(&text);
        assert!(!all.unwrap() && written > 0, "a part of it is written");
        assert!(!fcntl_getfl(output.shared).unwrap().contains(OFlags::NONBLOCK), "others share the open file");

        let mut read = vec![0; text.len()];
        let reader = thread::spawn(move || reader.read_exact(&mut read).map(|()| read).unwrap());
        while written < text.len() {
            thread::sleep(PAUSE);
            let (more, all) = output.write(&text[written..]);
            written += more;
            assert_eq!(all.unwrap(), written == text.len());
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
            assert!(output.write(line.as_bytes()).1.unwrap());
            other.write_all(b"two\n").unwrap();
        }
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "one\ntwo\nthree\ntwo\n");
    }

    #[test]
    fn two_that_append_to_one_file_tear_no_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = ["a", "b"].map(|letter| format!("{}\n", letter.repeat(10 * SMALL)));
        thread::scope(|scope| {
            for line in &lines {
                let output = output(OpenOptions::new().append(true).open(file.path()).unwrap(), true);
                scope.spawn(move || (0..500).for_each(|_| assert!(output.write(line.as_bytes()).1.unwrap())));
            }
        });
        let text = fs::read_to_string(file.path()).unwrap();
        assert_eq!(text.len(), 1000 * lines[0].len());
        assert!(text.split_inclusive('\n').all(|line| lines.iter().any(|whole| whole == line)), "each is whole");
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        for known_by_name in [true, false] {
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            output(writer, known_by_name).write(b"lost\n").1.unwrap_err();
        }
    }
}
