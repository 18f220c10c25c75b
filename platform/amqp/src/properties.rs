//! The properties of a message as bytes, cut to what `wire.rs` reads of them.
//!
//! What is long is left away. Of the broker's own notes (`x-death`), which it makes as long as the message's routing keys and
//! earlier deaths are, each keeps what is read.

use super::wire;

/// The longest headers that go on, all together, beside the broker's notes: those of our own dead letters are 2,450 bytes.
const HEADERS_MAX: usize = 2500;

/// The broker's notes that go on. One is at most 600 bytes.
const DEATHS_MAX: usize = 1200;

/// The longest properties that go on: with the frame around it that is less than any broker's `frame_max`.
const PROPERTIES_MAX: usize = 4000;

/// How deep arrays and tables may be.
const DEPTH_MAX: u32 = 4;

// Flags of a message's properties, by their bit.
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const PRIORITY: u16 = 1 << 11;
const MESSAGE_ID: u16 = 1 << 7;
const TIMESTAMP: u16 = 1 << 6;

/// The payload of a header frame with those of its properties that are read.
pub(super) fn properties(payload: &[u8]) -> Option<Vec<u8>> {
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
    let (mut some, mut notes) = (Vec::new(), Vec::new());
    while !all.is_empty() {
        let entry = all;
        let (name, value) = (short(&mut all)?, value(&mut all)?);
        let entry = &entry[..entry.len() - all.len()];
        if name == wire::BROKERS_NOTE.as_bytes() {
            notes = deaths(value).map(|deaths| field(name, &deaths)).unwrap_or_default();
        } else if wire::HEADERS.iter().any(|header| header.as_bytes() == name)
            && some.len() + entry.len() <= HEADERS_MAX
            && is_readable(value, DEPTH_MAX).is_some()
        {
            some.extend(entry);
        }
    }
    Some([some, notes].concat())
}

/// Of what the broker noted at each death, newest first, as many notes as fit.
fn deaths(value: &[u8]) -> Option<Vec<u8>> {
    let (mut notes, mut some) = (inside(value, b'A')?, Vec::new());
    while !notes.is_empty() {
        let note = death(self::value(&mut notes)?).unwrap_or_default();
        if some.len() + note.len() <= DEATHS_MAX {
            some.extend(note);
        }
    }
    Some(nested(b'A', &some))
}

/// What is read of one note: queue, reason, time, and the first of the routing keys.
fn death(note: &[u8]) -> Option<Vec<u8>> {
    let (mut fields, mut some) = (inside(note, b'F')?, Vec::new());
    while !fields.is_empty() {
        let (name, value) = (short(&mut fields)?, value(&mut fields)?);
        match (name, value[0]) {
            (b"queue" | b"reason", b'S') | (b"time", b'T') => some.extend(field(name, value)),
            (b"routing-keys", b'A') => {
                let first = self::value(&mut inside(value, b'A')?).filter(|first| first[0] == b'S');
                some.extend(field(name, &nested(b'A', first.unwrap_or_default())));
            }
            _ => {}
        }
    }
    Some(nested(b'F', &some))
}

/// The content of an array or a table.
fn inside(value: &[u8], kind: u8) -> Option<&[u8]> {
    long(&mut value.strip_prefix(&[kind])?)
}

fn nested(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind], &(content.len() as u32).to_be_bytes()[..], content].concat()
}

fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[name.len() as u8], name, value].concat()
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

pub(super) fn short<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = take(bytes, 1)?[0];
    take(bytes, length.into())
}

fn long<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = u32_of(take(bytes, 4)?);
    take(bytes, length as usize)
}

pub(super) fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    bytes.split_off(..count)
}

pub(super) fn u32_of(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &[u8]) -> Vec<u8> {
        nested(b'S', text)
    }

    #[test]
    fn of_the_brokers_notes_the_newest_go_on_with_name_and_cause_however_long_all_are() {
        let long_key = text(&[b'k'; 200]);
        let read = |queue: &[u8], keys: &[u8]| {
            let time = [&b"T"[..], &[0; 8]].concat();
            let keys = field(b"routing-keys", &nested(b'A', keys));
            [field(b"queue", &text(queue)), field(b"reason", &text(b"expired")), field(b"time", &time), keys].concat()
        };
        let all_keys = [text(b"noteWritten"), long_key.repeat(12)].concat();
        let newest = [field(b"count", b"l\0\0\0\0\0\0\0\x01"), read(b"notes", &all_keys)].concat();
        let older = nested(b'F', &read(b"theirs", &long_key.repeat(3))).repeat(20);
        let all = nested(b'A', &[text(b"no table"), nested(b'F', &newest), older].concat());
        let name = field(b"x-event-name", &text(&[b'n'; 2400]));
        let cause = field(b"x-dead-cause", &text(&[b'c'; 2400]));
        let headers = headers(&[name.clone(), cause, field(b"x-death", &all)].concat()).unwrap();
        let death = headers.strip_prefix(&name[..]).unwrap().strip_prefix(b"\x07x-death").unwrap();
        let right = nested(b'F', &read(b"notes", &text(b"noteWritten")));
        assert!(inside(death, b'A').unwrap().starts_with(&right), "{}", death.escape_ascii());
        assert!(death.len() <= DEATHS_MAX + 5 && headers.len() < PROPERTIES_MAX - 270, "{}", headers.len());
        assert!(is_readable(death, DEPTH_MAX).is_some());
    }
}
