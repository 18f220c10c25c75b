//! Messages as somebody else may publish them: with each property and header that means something to a broker, and with some
//! that a client in Rust can neither write nor read.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use lapin::{
    BasicProperties, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable, ShortString},
};

/// The largest frame that RabbitMQ takes, unless it is told otherwise: 8 bytes more than what it agrees upon.
const FRAME_MAX: usize = 131_072 + 8;

/// Which is more than a stack of two megabytes holds.
const DEEP: usize = 25_000;

/// Publishes one of each kind to a queue, by the user and virtual host of the URL. Gives their bodies, which are no JSON.
pub async fn publish_each(url: &str, queue: &str) -> Vec<String> {
    let connection = lapin::Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let body = |kind: &str| format!("{{ {kind}, for {queue}");
    let mut bodies = Vec::new();
    for (kind, properties) in kinds(user(url).0, queue) {
        let (options, body) = (BasicPublishOptions::default(), body(kind));
        let published = channel.basic_publish("".into(), queue.into(), options, body.as_bytes(), properties).await;
        let confirm = published.unwrap().await.unwrap_or_else(|cause| panic!("{kind}: {cause}"));
        assert!(confirm.is_ack(), "{kind}");
        bodies.push(body);
    }
    let _ = connection.close(200, "".into()).await;
    for (kind, key, properties) in unreadable(queue) {
        publish_bytes(url, &key, &properties, body(kind).as_bytes());
        bodies.push(body(kind));
    }
    bodies
}

/// Properties by their kind.
fn kinds(user: &str, queue: &str) -> Vec<(&'static str, BasicProperties)> {
    let plain = BasicProperties::default;
    let mut nested = AMQPValue::Void;
    for _ in 0..40 {
        let table: FieldTable = BTreeMap::from([("in".into(), nested)]).into();
        nested = AMQPValue::FieldArray(vec![AMQPValue::FieldTable(table)].into());
    }
    let all = plain().with_priority(255).with_reply_to(queue.into()).with_cluster_id("theirs".into());
    let all = all.with_content_encoding("gzip".into()).with_content_type("text/plain".into());
    let all = all.with_app_id("theirs".into()).with_correlation_id("7".into()).with_timestamp(u64::MAX);
    let all = all.with_type("theirs".into()).with_message_id("i".repeat(255).into());
    let nowhere = || names(&["nowhere"]);
    vec![
        ("nothing", plain()),
        ("to expire", plain().with_expiration("3000".into()).with_delivery_mode(1)),
        ("of another user", plain().with_user_id(user.into())),
        ("all properties", all),
        ("copies", headers(&[("CC", nowhere()), ("x-delay", AMQPValue::LongInt(9999))])),
        ("blind copies", headers(&[("BCC", nowhere()), ("x-match", text("any"))])),
        ("deaths", headers(&[("x-first-death-queue", text(queue)), ("x-death", text("none"))])),
        ("long deaths", headers(&[("x-death", deaths(20))])),
        ("counted", headers(&[("x-delivery-count", AMQPValue::LongInt(19)), ("x-dead-attempts", nowhere())])),
        ("large", headers(&[("blob", text("x".repeat(130_900)))])),
        ("long trace", headers(&[("traceparent", text("0".repeat(100_000)))])),
        ("long name", headers(&[("x-event-name", text("n".repeat(70_000)))])),
        ("rather long name", headers(&[("x-event-name", text("n".repeat(2000)))])),
        ("long cause", headers(&[("x-dead-cause", text("c".repeat(100_000)))])),
        ("no text", headers(&[("x-event-name", text(*b"\0\xff\x1b[2J")), ("traceparent", text([255; 55]))])),
        ("other types", headers(&[("x-event-name", AMQPValue::Float(1.5)), ("x-redriven", text("yes"))])),
        ("nested", headers(&[("nested", nested)])),
    ]
}

/// As the broker notes so many deaths in other queues.
pub fn deaths(count: usize) -> AMQPValue {
    let note = |n: usize| {
        let (queue, keys) = (("queue".into(), text(format!("theirs-{n}"))), ("routing-keys".into(), names(&["k"; 20])));
        AMQPValue::FieldTable(BTreeMap::from([queue, keys, ("reason".into(), text("rejected"))]).into())
    };
    AMQPValue::FieldArray((0..count).map(note).collect::<Vec<_>>().into())
}

fn headers(all: &[(&str, AMQPValue)]) -> BasicProperties {
    let all = all.iter().map(|(name, value)| (ShortString::from(*name), value.clone()));
    BasicProperties::default().with_headers(all.collect::<BTreeMap<_, _>>().into())
}

fn text(text: impl Into<Vec<u8>>) -> AMQPValue {
    AMQPValue::LongString(text.into().into())
}

fn names(all: &[&str]) -> AMQPValue {
    AMQPValue::FieldArray(all.iter().map(|name| text(*name)).collect::<Vec<_>>().into())
}

/// Flags and properties as bytes, which this library could not write, or of which it could not read what comes of them; and the
/// routing key.
fn unreadable(queue: &str) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let key = || queue.as_bytes().to_vec();
    let headers = |name: &[u8], value: &[u8]| [b"\x20\x00", &long(&[&short(name), value].concat())[..]].concat();
    let empty = headers(b"blob", &[&b"S"[..], &long(b"")].concat()).len() + 2 + 2 + 8 + 8;
    let full = [&b"S"[..], &long(&vec![b'x'; FRAME_MAX - empty])].concat();
    let copy = [&b"A"[..], &long(&[&b"S"[..], &long(queue.as_bytes())].concat())].concat();
    vec![
        ("an id that is no text", key(), [&b"\x00\x80"[..], &short(b"\xff\xfe")].concat()),
        ("a header that is no text", key(), headers(b"\xff", b"V")),
        ("a key that is no text", b"\xff".to_vec(), headers(b"CC", &copy)),
        ("a full frame", key(), headers(b"blob", &full)),
        ("deep", key(), headers(b"deep", &deep(DEEP))),
        ("a deep death", key(), headers(b"x-death", &deep(400))),
    ]
}

fn deep(depth: usize) -> Vec<u8> {
    (0..depth).rev().flat_map(|inside| [&b"A"[..], &(5 * inside as u32).to_be_bytes()].concat()).collect()
}

/// A whole conversation at once, without a client: the broker takes each step from what has arrived.
fn publish_bytes(url: &str, key: &[u8], properties: &[u8], body: &[u8]) {
    let (name, password, address, host) = user(url);
    let login = [b"\0", name.as_bytes(), b"\0", password.as_bytes()].concat();
    let size = (body.len() as u64).to_be_bytes();
    let talk = [
        b"AMQP\0\0\x09\x01".to_vec(),
        frame(1, 0, &[b"\0\x0a\0\x0b\0\0\0\0", &short(b"PLAIN")[..], &long(&login), &short(b"en_US")]), // start-ok
        frame(1, 0, &[b"\0\x0a\0\x1f\0\x0a\0\x02\0\0\0\0"]),                                            // tune-ok
        frame(1, 0, &[b"\0\x0a\0\x28", &short(host.as_bytes()), b"\0\0"]), // connection.open
        frame(1, 1, &[b"\0\x14\0\x0a\0"]),                                 // channel.open
        frame(1, 1, &[b"\0\x3c\0\x28\0\0\0", &short(key), b"\0"]),         // basic.publish
        frame(2, 1, &[b"\0\x3c\0\0", &size, properties]),
        frame(3, 1, &[body]),
        frame(1, 0, &[b"\0\x0a\0\x32\0\xc8\0\0\0\0\0"]), // connection.close
    ];
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&talk.concat()).unwrap();
    let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
    while !said.ends_with(&frame(1, 0, &[b"\0\x0a\0\x33"])) {
        let count = stream.read(&mut bytes).unwrap();
        said.extend_from_slice(&bytes[..count]);
        assert!(count > 0, "it broke off: {}", String::from_utf8_lossy(&said));
    }
    let refused = said.windows(4).any(|method| method == b"\0\x14\0\x28"); // channel.close
    assert!(!refused, "{}", String::from_utf8_lossy(&said));
}

fn frame(kind: u8, channel: u16, payload: &[&[u8]]) -> Vec<u8> {
    [&[kind], &channel.to_be_bytes()[..], &long(&payload.concat()), &[0xce]].concat()
}

fn short(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// User, password, address and virtual host of a URL in which nothing is escaped.
fn user(url: &str) -> (&str, &str, &str, &str) {
    let rest = url.strip_prefix("amqp://").expect("it is not encrypted");
    let (login, rest) = rest.split_once('@').unwrap();
    let ((user, password), (address, host)) =
        (login.split_once(':').unwrap(), rest.split_once('/').unwrap_or((rest, "/")));
    (user, password, address, host)
}
