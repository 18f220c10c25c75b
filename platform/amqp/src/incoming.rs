//! What the broker sends, cut to what lapin can read and this crate does read.
//!
//! Any client can publish a message whose properties end lapin's connection, at each delivery and at each look at the dead
//! letters: a text that is no UTF-8, tables so deep that they overflow its thread's stack, or headers that fill a frame, to which
//! the broker adds its own. The broker checks none of that. So of a message's properties only those go on that `wire.rs` reads, if
//! they are short. No report was found in lapin's issues. This can go when lapin reads whatever RabbitMQ takes.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::io::{AsyncRead, AsyncWrite};
use lapin::tcp::AsyncTcpStream;
use tokio::net::TcpStream;
use tokio_util::compat::Compat;

use super::wire;

/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// What is before the payload of a frame: its type, channel and length. Behind it there is one byte.
const HEAD: usize = 7;

/// The longest value of a header that goes on: a cause of death is the longest of ours.
const VALUE_MAX: usize = 2100;

/// The longest properties that go on: with the frame around it that is less than any broker's `frame_max`.
const PROPERTIES_MAX: usize = 4000;

/// How deep arrays and tables may be: those of the broker's own `x-death` are three deep.
const DEPTH_MAX: u32 = 4;

// Flags of a message's properties, by their bit.
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const PRIORITY: u16 = 1 << 11;
const MESSAGE_ID: u16 = 1 << 7;
const TIMESTAMP: u16 = 1 << 6;

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
                check(&mut this.received, &mut this.checked);
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

/// Moves the whole frames from one to the other.
fn check(received: &mut Vec<u8>, checked: &mut Vec<u8>) {
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
    let done = received.len() - rest.len();
    received.drain(..done);
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

/// The payload of a header frame with those of its properties that are read.
fn properties(payload: &[u8]) -> Option<Vec<u8>> {
    let (fixed, mut rest) = payload.split_at_checked(2 + 2 + 8)?;
    let some = read(&mut rest).filter(|some| some.len() <= PROPERTIES_MAX);
    Some([fixed, &some.unwrap_or_else(|| vec![0, 0])].concat())
}

/// Flags and properties. `None` if they cannot be understood.
fn read(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let flags = u16::from_be_bytes(take(bytes, 2)?.try_into().ok()?);
    let (mut kept, mut some) = (0, Vec::new());
    for flag in (2..16).rev().map(|bit| 1 << bit).filter(|flag| flags & flag != 0) {
        match flag {
            HEADERS => {
                let headers = headers(long(bytes)?)?;
                some.extend((headers.len() as u32).to_be_bytes());
                some.extend(headers);
                kept |= flag;
            }
            DELIVERY_MODE | PRIORITY => drop(take(bytes, 1)?),
            TIMESTAMP => {
                some.extend(take(bytes, 8)?);
                kept |= flag;
            }
            _ => {
                let text = short(bytes)?;
                if flag == MESSAGE_ID && str::from_utf8(text).is_ok() {
                    some.push(text.len() as u8);
                    some.extend(text);
                    kept |= flag;
                }
            }
        }
    }
    Some([&kept.to_be_bytes(), &some[..]].concat())
}

fn headers(mut all: &[u8]) -> Option<Vec<u8>> {
    let mut some = Vec::new();
    while !all.is_empty() {
        let entry = all;
        let (name, value) = (short(&mut all)?, value(&mut all)?);
        let is_read = wire::HEADERS.iter().any(|header| header.as_bytes() == name);
        if is_read && value.len() <= VALUE_MAX && is_readable(value, DEPTH_MAX).is_some() {
            some.extend(&entry[..entry.len() - all.len()]);
        }
    }
    Some(some)
}

/// Whether lapin can read a value. `None` if not.
fn is_readable(value: &[u8], depth: u32) -> Option<()> {
    let (kind, mut content) = value.split_first()?;
    if !matches!(kind, b'A' | b'F') {
        return Some(());
    }
    let (mut items, depth) = (long(&mut content)?, depth.checked_sub(1)?);
    while !items.is_empty() {
        if *kind == b'F' {
            str::from_utf8(short(&mut items)?).ok()?;
        }
        is_readable(self::value(&mut items)?, depth)?;
    }
    Some(())
}

/// A value with its type, of those types that RabbitMQ has (<https://www.rabbitmq.com/amqp-0-9-1-errata>).
fn value<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let whole = *bytes;
    match take(bytes, 1)?[0] {
        b'V' => {}
        b't' | b'b' | b'B' => drop(take(bytes, 1)?),
        b's' | b'u' => drop(take(bytes, 2)?),
        b'I' | b'i' | b'f' => drop(take(bytes, 4)?),
        b'D' => drop(take(bytes, 5)?),
        b'l' | b'L' | b'd' | b'T' => drop(take(bytes, 8)?),
        b'S' | b'x' | b'A' | b'F' => drop(long(bytes)?),
        _ => return None,
    }
    Some(&whole[..whole.len() - bytes.len()])
}

fn short<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = take(bytes, 1)?[0];
    take(bytes, length.into())
}

fn long<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = u32_of(take(bytes, 4)?);
    take(bytes, length as usize)
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    bytes.split_off(..count)
}

fn u32_of(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
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
                check(&mut received, &mut checked);
            }
            assert_eq!((&checked, &received), (&right, &vec![]), "{piece} bytes at once");
        }
    }
}
