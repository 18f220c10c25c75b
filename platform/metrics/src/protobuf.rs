//! Prometheus' own form: messages of `io.prometheus.client.MetricFamily`, each behind its length.
//!
//! Source: <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>. Written out here with the fields
//! that are sent, instead of being generated: that would need the compiler `protoc`.

use std::time::Duration;

use prost::Message;

use crate::{
    exemplar::{self, Exemplar},
    model::{self, Kind, Value},
    native::{self, Native},
};

pub(crate) const CONTENT_TYPE: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

pub(crate) fn encode(families: &[model::Family]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for family in families {
        MetricFamily::from(family).encode_length_delimited(&mut bytes).expect("a Vec takes everything");
    }
    bytes
}

#[derive(Message)]
struct MetricFamily {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    help: String,
    /// Optional, so that it is sent where it is 0: a counter's.
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

#[derive(Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Gauge>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Counter>,
    #[prost(message, optional, tag = "4")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Message)]
struct Gauge {
    #[prost(double, tag = "1")]
    value: f64,
}

#[derive(Message)]
struct Counter {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(message, optional, tag = "3")]
    start: Option<Timestamp>,
}

#[derive(Message)]
struct Summary {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    quantile: Vec<Quantile>,
}

#[derive(Message)]
struct Quantile {
    #[prost(double, tag = "1")]
    quantile: f64,
    #[prost(double, tag = "2")]
    value: f64,
}

#[derive(Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
    #[prost(message, optional, tag = "15")]
    start: Option<Timestamp>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    zero_count: Option<u64>,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    positive_delta: Vec<i64>,
}

#[derive(Message)]
struct Bucket {
    #[prost(uint64, tag = "1")]
    cumulative_count: u64,
    #[prost(double, tag = "2")]
    upper_bound: f64,
    #[prost(message, optional, tag = "3")]
    exemplar: Option<ProtoExemplar>,
}

/// Buckets of a native histogram that follow each other.
#[derive(Message)]
struct BucketSpan {
    /// How many buckets are empty before it, after the one before; of the first one the number of its first bucket.
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

#[derive(Message)]
struct ProtoExemplar {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(message, optional, tag = "3")]
    timestamp: Option<Timestamp>,
}

#[derive(Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl From<&model::Family> for MetricFamily {
    fn from(family: &model::Family) -> Self {
        let description = &family.description;
        let kind = match description.kind {
            Kind::Counter => 0,
            Kind::Gauge => 1,
            Kind::Summary => 2,
            Kind::Histogram => 4,
        };
        let metric = family.series.iter().map(|series| Metric::new(&description.labels, series)).collect();
        Self { name: description.name.clone(), help: description.help.clone(), kind: Some(kind), metric }
    }
}

impl Metric {
    fn new(names: &[String], series: &model::Series) -> Self {
        let label = |(name, value): (&String, &String)| LabelPair { name: name.clone(), value: value.clone() };
        let start = series.start.map(Timestamp::from);
        let mut metric = Self { label: names.iter().zip(series.labels.iter()).map(label).collect(), ..Self::default() };
        match &series.value {
            Value::Counter(value) => metric.counter = Some(Counter { value: *value, start }),
            Value::Gauge(value) => metric.gauge = Some(Gauge { value: *value }),
            Value::Histogram(histogram) => metric.histogram = Some(Histogram::new(histogram, start)),
            Value::Summary(model::SummaryValue { count, sum, quantiles }) => {
                let quantile =
                    quantiles.iter().map(|(quantile, value)| Quantile { quantile: *quantile, value: *value });
                metric.summary = Some(Summary { count: *count, sum: *sum, quantile: quantile.collect() });
            }
        }
        metric
    }
}

impl Histogram {
    fn new(histogram: &model::HistogramValue, start: Option<Timestamp>) -> Self {
        let bucket = |(upper_bound, cumulative_count, exemplar): (f64, u64, Option<&Exemplar>)| Bucket {
            cumulative_count,
            upper_bound,
            exemplar: exemplar.map(ProtoExemplar::from),
        };
        let (count, sum) = (histogram.count(), histogram.sum);
        let mut sent =
            Self { count, sum, bucket: histogram.cumulative().map(bucket).collect(), start, ..Self::default() };
        if let Some(native) = &histogram.native {
            (sent.schema, sent.zero_count) = (Some(native.schema()), Some(native.zero()));
            // It also tells Prometheus that this is one, where nothing was observed yet.
            sent.zero_threshold = Some(native::ZERO_THRESHOLD);
            (sent.positive_span, sent.positive_delta) = spans(native);
        }
        sent
    }
}

/// The buckets as runs of neighbours, and each count as its difference from the one before.
fn spans(native: &Native) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas): (Vec<BucketSpan>, Vec<i64>) = Default::default();
    let (mut next, mut before) = (0, 0);
    for (number, count) in native.buckets() {
        match spans.last_mut() {
            Some(span) if number == next => span.length += 1,
            _ => spans.push(BucketSpan { offset: number - next, length: 1 }),
        }
        deltas.push(count.cast_signed() - before);
        (next, before) = (number + 1, count.cast_signed());
    }
    (spans, deltas)
}

impl From<&Exemplar> for ProtoExemplar {
    fn from(exemplar: &Exemplar) -> Self {
        let label = LabelPair { name: exemplar::LABEL.into(), value: exemplar.trace_id.to_string() };
        Self { label: vec![label], value: exemplar.value, timestamp: Some(exemplar.at.into()) }
    }
}

impl From<Duration> for Timestamp {
    fn from(since_1970: Duration) -> Self {
        Self { seconds: since_1970.as_secs().cast_signed(), nanos: since_1970.subsec_nanos().cast_signed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_span_and_counts_are_differences() {
        let mut native = Native::default();
        for exponent in [-9.0, -8.0, -8.0, -8.0, 16.0] {
            native.observe(f64::exp2(exponent / 8.0));
        }
        let (spans, deltas) = spans(&native);
        let spans: Vec<_> = spans.iter().map(|span| (span.offset, span.length)).collect();
        assert_eq!((spans, deltas), (vec![(-9, 2), (23, 1)], vec![1, 2, -2]));
    }
}
