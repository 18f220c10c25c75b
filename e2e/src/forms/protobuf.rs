//! Prometheus' protobuf, read byte by byte.
//!
//! Source of the numbers: <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>; of the bytes:
//! <https://protobuf.dev/programming-guides/encoding/>.

use std::collections::BTreeMap;

use crate::forms::{Said, series};

/// A field's number and what is in it.
type Field<'b> = (u64, Content<'b>);

#[derive(Clone, Copy)]
enum Content<'b> {
    Number(u64),
    Double(f64),
    Bytes(&'b [u8]),
}

/// A message's fields, in their order.
struct Message<'b>(Vec<Field<'b>>);

/// What it says.
///
/// # Panics
///
/// If it is no series of delimited `MetricFamily`.
pub fn read(mut bytes: &[u8]) -> Said {
    let mut said = Said::default();
    while !bytes.is_empty() {
        let length = number(&mut bytes) as usize;
        assert!(length <= bytes.len(), "a family ends early");
        let (family, rest) = bytes.split_at(length);
        bytes = rest;
        add_family(&mut said, &Message::read(family));
    }
    said
}

fn add_family(said: &mut Said, family: &Message<'_>) {
    let (name, help) = (family.text(1), family.text(2));
    assert!(!name.is_empty() && !help.is_empty(), "a family without a name or help: {name}");
    let kind = ["counter", "gauge", "summary", "untyped", "histogram"][family.number(3).expect("a type") as usize];
    assert!(said.kinds.insert(name.clone(), kind.to_owned()).is_none(), "{name} is there twice");
    for metric in family.messages(4) {
        let labels: BTreeMap<_, _> = metric.messages(1).map(|label| (label.text(1), label.text(2))).collect();
        let of = |field| metric.messages(field).next().unwrap_or_else(|| panic!("{name} is no {kind}"));
        match kind {
            "gauge" => said.add(&name, labels, of(2).double(1)),
            "counter" => {
                start(said, &name, &labels, of(3).messages(3).next());
                said.add(&name, labels, of(3).double(1));
            }
            "summary" => add_summary(said, &name, &labels, &of(4)),
            _ => add_histogram(said, &name, &labels, &of(7)),
        }
    }
}

fn add_summary(said: &mut Said, name: &str, labels: &BTreeMap<String, String>, summary: &Message<'_>) {
    said.add(&format!("{name}_count"), labels.clone(), summary.number(1).unwrap_or_default() as f64);
    said.add(&format!("{name}_sum"), labels.clone(), summary.double(2));
    for quantile in summary.messages(3) {
        said.add(name, with(labels, "quantile", quantile.double(1)), quantile.double(2));
    }
    assert!(summary.messages(4).next().is_none(), "{name}: a summary's start would make its quantiles dip");
}

fn add_histogram(said: &mut Said, name: &str, labels: &BTreeMap<String, String>, histogram: &Message<'_>) {
    said.add(&format!("{name}_count"), labels.clone(), histogram.number(1).unwrap_or_default() as f64);
    said.add(&format!("{name}_sum"), labels.clone(), histogram.double(2));
    for bucket in histogram.messages(3) {
        let (name, labels) = (format!("{name}_bucket"), with(labels, "le", bucket.double(2)));
        if let Some(exemplar) = bucket.messages(3).next() {
            let label = exemplar.messages(1).next().expect("an exemplar has a label");
            assert_eq!(label.text(1), "trace_id");
            assert!(exemplar.messages(3).next().is_some(), "{name}: without a time Prometheus may drop it");
            said.exemplars.insert(series(&name, labels.clone()), (exemplar.double(2), label.text(2)));
        }
        said.add(&name, labels, bucket.number(1).unwrap_or_default() as f64);
    }
    start(said, name, labels, histogram.messages(15).next());
    if let Some(schema) = histogram.number(5) {
        // Each bucket's count is said as its difference from the one before it.
        let deltas = histogram.all(13).map(|content| signed(content.number()));
        let counts = deltas.scan(0, |count, delta| {
            *count += delta;
            Some(*count)
        });
        let zeros = histogram.number(7).unwrap_or_default().cast_signed();
        said.native.insert(series(name, labels.clone()), ((counts.sum::<i64>() + zeros) as f64, signed(schema)));
    }
}

fn start(said: &mut Said, name: &str, labels: &BTreeMap<String, String>, timestamp: Option<Message<'_>>) {
    let timestamp = timestamp.unwrap_or_else(|| panic!("{name}{labels:?} has no start"));
    let [seconds, nanos] = [1, 2].map(|field| timestamp.number(field).unwrap_or_default() as f64);
    said.starts.insert(series(name, labels.clone()), seconds + nanos / 1e9);
}

fn with(labels: &BTreeMap<String, String>, name: &str, value: f64) -> BTreeMap<String, String> {
    let mut labels = labels.clone();
    labels.insert(name.to_owned(), value.to_string());
    labels
}

impl<'b> Message<'b> {
    fn read(mut bytes: &'b [u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = number(&mut bytes);
            let content = match key & 7 {
                0 => Content::Number(number(&mut bytes)),
                1 => Content::Double(f64::from_le_bytes(take(&mut bytes, 8).try_into().expect("it is as long"))),
                2 => {
                    let length = number(&mut bytes) as usize;
                    Content::Bytes(take(&mut bytes, length))
                }
                kind => panic!("nothing here has the wire type {kind}"),
            };
            fields.push((key >> 3, content));
        }
        Self(fields)
    }

    fn all(&self, field: u64) -> impl Iterator<Item = Content<'b>> {
        self.0.iter().filter(move |(number, _)| *number == field).map(|(_, content)| *content)
    }

    fn number(&self, field: u64) -> Option<u64> {
        self.all(field).next().map(Content::number)
    }

    /// 0 where it is left out.
    fn double(&self, field: u64) -> f64 {
        match self.all(field).next() {
            None => 0.0,
            Some(Content::Double(value)) => value,
            Some(_) => panic!("field {field} is no double"),
        }
    }

    fn text(&self, field: u64) -> String {
        let bytes = self.all(field).next().map(Content::bytes).unwrap_or_default();
        String::from_utf8(bytes.to_vec()).expect("Prometheus refuses what is no UTF-8")
    }

    fn messages(&self, field: u64) -> impl Iterator<Item = Message<'b>> {
        self.all(field).map(|content| Self::read(content.bytes()))
    }
}

impl<'b> Content<'b> {
    fn number(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Double(_) | Self::Bytes(_) => panic!("a number was expected"),
        }
    }

    fn bytes(self) -> &'b [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Double(_) | Self::Number(_) => panic!("bytes were expected"),
        }
    }
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> &'b [u8] {
    let (taken, rest) = bytes.split_at_checked(length).expect("a field ends early");
    *bytes = rest;
    taken
}

/// Seven bits in each byte, the lowest first; the eighth says that another one follows.
fn number(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return number;
        }
        shift += 7;
    }
}

/// `sint32` and `sint64`: 0, -1, 1, -2, 2 and so on.
fn signed(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}
