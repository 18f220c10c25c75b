//! What the broker sends, cut to what lapin can read and this crate does read.
//!
//! Any client can publish a message whose properties end lapin's connection, at each delivery and at each look at the dead
//! letters: a text that is no UTF-8, tables so deep that they overflow its thread's stack, or headers that fill a frame, to which
//! the broker adds its own. The broker checks none of that. So of a message's properties only those go on that `wire.rs` reads, if
//! they are short. No report was found in lapin's issues. This can go when lapin reads whatever RabbitMQ takes. Read next:
//! `properties.rs`.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::io::{AsyncRead, AsyncWrite};
use lapin::tcp::AsyncTcpStream;
use tokio::net::TcpStream;
use tokio_util::compat::Compat;

use super::properties::{properties, short, take, u32_of};

/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// What is before the payload of a frame: its type, channel and length. Behind it there is one byte.
const HEAD: usize = 7;

/// Of what somebody else says who is not a broker.
const SAYS_MAX: usize = 40;

/// The longest frame that is waited for: more than any broker is told to send.
const LENGTH_MAX: usize = 16 << 20;

/// A connection to the broker, by TLS or not.
pub(super) struct Incoming {
    stream: AsyncTcpStream<Compat<TcpStream>>,
    chunk: Vec<u8>,
    /// Not a whole frame yet.
    received: Vec<u8>,
    /// Whole frames, of which some bytes were given to lapin.
    checked: Vec<u8>,
    given: usize,
}

impl Incoming {
    pub(super) fn new(stream: AsyncTcpStream<Compat<TcpStream>>) -> Self {
        Self { stream, chunk: vec![0; CHUNK], received: Vec::new(), checked: Vec::new(), given: 0 }
    }
}

impl AsyncRead for Incoming {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        while this.given == this.checked.len() {
            this.checked.clear();
            this.given = 0;
            let count = ready!(Pin::new(&mut this.stream).poll_read(context, &mut this.chunk))?;
            if count == 0 && this.received.is_empty() {
                return Poll::Ready(Ok(0));
            }
            this.received.extend_from_slice(&this.chunk[..count]);
            if count == 0 {
                this.checked.append(&mut this.received); // it broke off
            } else {
                check(&mut this.received, &mut this.checked)?;
            }
        }
        let waiting = &this.checked[this.given..];
        let count = waiting.len().min(buffer.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        this.given += count;
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Incoming {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

/// Moves the whole frames from one to the other. Fails where no frame begins: this is no broker.
fn check(received: &mut Vec<u8>, checked: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = &received[..];
    while let Some((head, after)) = rest.split_at_checked(HEAD)
        && let Some((payload, after)) = after.split_at_checked(u32_of(&head[3..]) as usize)
        && let Some((end, after)) = after.split_at_checked(1)
    {
        let readable = match head[0] {
            1 => keys(payload),
            2 => properties(payload),
            _ => None,
        };
        let payload = readable.as_deref().unwrap_or(payload);
        checked.extend_from_slice(&head[..3]);
        checked.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        checked.extend_from_slice(payload);
        checked.extend_from_slice(end);
        rest = after;
    }
    let is_frame = rest.first().is_none_or(|kind| matches!(kind, 1 | 2 | 3 | 8));
    if !is_frame || rest.get(3..HEAD).is_some_and(|length| u32_of(length) as usize > LENGTH_MAX) {
        let says = rest[..rest.len().min(SAYS_MAX)].escape_ascii();
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it does not speak AMQP 0-9-1, it says \"{says}\""),
        ));
    }
    let done = received.len() - rest.len();
    received.drain(..done);
    Ok(())
}

/// `basic.deliver` and `basic.get-ok` with a routing key that is a text, if it is none.
fn keys(payload: &[u8]) -> Option<Vec<u8>> {
    let mut rest = payload;
    match take(&mut rest, 4)? {
        [0, 60, 0, 60] => {
            short(&mut rest)?; // the consumer
        }
        [0, 60, 0, 71] => {}
        _ => return None,
    }
    take(&mut rest, 8 + 1)?; // the delivery
    let start = payload.len() - rest.len();
    let texts = [short(&mut rest)?, short(&mut rest)?]; // the exchange and the routing key
    if texts.iter().all(|text| str::from_utf8(text).is_ok()) {
        return None;
    }
    let mut changed = payload.to_vec();
    let (length, end) = (start + 1 + texts[0].len(), payload.len() - rest.len());
    let ascii = |bytes: &mut [u8]| bytes.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
    ascii(&mut changed[start + 1..length]);
    ascii(&mut changed[length + 1..end]);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        [&[kind, 0, 1][..], &(payload.len() as u32).to_be_bytes(), payload, &[0xce]].concat()
    }

    #[test]
    fn frames_go_on_in_order_however_they_arrive_and_of_properties_what_is_read() {
        let size = 7_u64.to_be_bytes();
        let header = |properties: &[u8]| frame(2, &[&[0, 60, 0, 0], &size[..], properties].concat());
        // Content type, two headers, an id; then one header and the id.
        let table = b"\0\0\0\x15\x0ax-redrivent\x01\x06theirsV";
        let (mut theirs, mut ours) = (b"\xa0\x80\x01j".to_vec(), b"\x20\x80\0\0\0\x0d\x0ax-redrivent\x01".to_vec());
        theirs.extend([&table[..], b"\x02id"].concat());
        ours.extend(b"\x02id");
        let (start, end) = (frame(8, b""), frame(3, b"content"));
        let arriving = [&start[..], &header(&theirs), &end, &header(b"\xff"), &frame(1, b"AMQP")].concat();
        let right = [&start[..], &header(&ours), &end, &header(b"\0\0"), &frame(1, b"AMQP")].concat();
        for piece in [1, 7, 30, arriving.len()] {
            let (mut received, mut checked) = (Vec::new(), Vec::new());
            for bytes in arriving.chunks(piece) {
                received.extend_from_slice(bytes);
                check(&mut received, &mut checked).unwrap();
            }
            assert_eq!((&checked, &received), (&right, &vec![]), "{piece} bytes at once");
        }
    }

    #[test]
    fn who_is_no_broker_is_named_at_once() {
        let endless = [&b"\x03\0\x01\xff\xff\xff\xff"[..], &[b'x'; 100]].concat();
        for (says, told) in [(&b"SSH-2.0-OpenSSH_9.9\r\n"[..], r#""SSH-2.0-OpenSSH_9.9\r\n""#), (&endless, r"\xff\xff")]
        {
            let error = check(&mut says.to_vec(), &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains(told) && error.len() < 250, "{error}");
        }
    }
}
