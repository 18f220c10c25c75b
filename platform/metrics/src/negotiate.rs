//! Which form a scrape asks for by `Accept`, and whether it takes it compressed: as Prometheus' own clients decide it.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use crate::{model::Family, open_metrics, protobuf, text};

/// A form of an exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text format 0.0.4: for whoever asks for nothing that is known here.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus' own protobuf.
    Protobuf,
}

/// An answer to a scrape.
#[derive(Debug)]
pub struct Answer {
    /// The header `Content-Type`. Prometheus 3 refuses one that it does not know.
    pub content_type: &'static str,
    /// Whether the body is compressed: the header `Content-Encoding` is then `gzip`.
    pub gzip: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// The headers that the answer depends on, for the header `Vary`.
pub const VARY: &str = "Accept, Accept-Encoding";

/// Encodes what was gathered as the headers `Accept` and `Accept-Encoding` ask for it. `created`: OpenMetrics has lines that say since when
/// each series counts.
pub fn answer(families: &[Family], accept: &str, accept_encoding: &str, created: bool) -> Answer {
    let (content_type, body) = match Form::asked(accept) {
        Form::Text => (text::CONTENT_TYPE, text::encode(families).into_bytes()),
        Form::OpenMetrics => (open_metrics::CONTENT_TYPE, open_metrics::encode(families, created).into_bytes()),
        Form::Protobuf => (protobuf::CONTENT_TYPE, protobuf::encode(families)),
    };
    let gzip = takes_gzip(accept_encoding);
    Answer { content_type, gzip, body: if gzip { compressed(&body) } else { body } }
}

impl Form {
    /// The known form with the highest quality value, of several the first.
    pub fn asked(accept: &str) -> Self {
        let known = elements(accept).filter_map(|element| Some((Self::named(&element)?, element.quality)));
        let mut best = (Self::Text, 0.0);
        for (form, quality) in known {
            if quality > best.1 {
                best = (form, quality);
            }
        }
        best.0
    }

    fn named(element: &Element<'_>) -> Option<Self> {
        let is = |name: &str, value: &str| element.parameter(name).is_some_and(|found| found == value);
        let version = |value| element.parameter("version").is_none_or(|found| found == value);
        match element.name.to_ascii_lowercase().as_str() {
            "application/vnd.google.protobuf"
                if is("proto", "io.prometheus.client.MetricFamily") && is("encoding", "delimited") =>
            {
                Some(Self::Protobuf)
            }
            "application/openmetrics-text" if version("1.0.0") => Some(Self::OpenMetrics),
            "text/plain" if version("0.0.4") => Some(Self::Text),
            "text/*" | "*/*" => Some(Self::Text),
            _ => None,
        }
    }
}

/// Whether `Accept-Encoding` has gzip.
fn takes_gzip(accept_encoding: &str) -> bool {
    let of = |name: &str| elements(accept_encoding).find(|element| element.name.eq_ignore_ascii_case(name));
    of("gzip").or_else(|| of("*")).is_some_and(|element| element.quality > 0.0)
}

/// The quickest compression: a scrape is near, and the text is repetitive.
fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("a Vec takes everything")
}

/// One element of a list in a header: `name;parameter=value;q=0.5`.
struct Element<'h> {
    name: &'h str,
    parameters: &'h str,
    /// 0 to 1; 0 where it is no number.
    quality: f64,
}

fn elements(header: &str) -> impl Iterator<Item = Element<'_>> {
    header.split(',').map(|element| {
        let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
        let mut element = Element { name: name.trim(), parameters, quality: 1.0 };
        if let Some(quality) = element.parameter("q") {
            element.quality = quality.parse().ok().filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(0.0);
        }
        element
    })
}

impl<'h> Element<'h> {
    fn parameter(&self, name: &str) -> Option<&'h str> {
        let mut pairs = self.parameters.split(';').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?.1;
        Some(value.trim().trim_matches('"'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,\
        application/openmetrics-text;version=0.0.1;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,\
        text/plain;version=0.0.4;q=0.4,*/*;q=0.3";
    const PROMETHEUS_2: &str = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

    #[test]
    fn the_form_is_the_best_that_is_known_and_else_text() {
        let protobuf =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7";
        let first = format!("{protobuf},{}", PROMETHEUS_3.replace("q=0.7", "q=0.65"));
        let last = format!("{PROMETHEUS_2},{protobuf}");
        for (accept, form) in [
            ("", Form::Text),
            ("*/*", Form::Text),
            ("image/png", Form::Text),
            (";;,,q", Form::Text),
            (PROMETHEUS_3, Form::OpenMetrics),
            (PROMETHEUS_2, Form::OpenMetrics),
            (&first, Form::Protobuf),
            (&last, Form::OpenMetrics),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=0.2", Form::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Form::Text),
            ("application/openmetrics-text;q=0", Form::Text),
            ("application/openmetrics-text;q=high", Form::Text),
            ("application/openmetrics-text;q=0.4,text/plain;q=0.5", Form::Text),
            ("application/vnd.google.protobuf", Form::Text),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", Form::Text),
        ] {
            assert_eq!(Form::asked(accept), form, "{accept}");
        }
    }

    #[test]
    fn it_is_compressed_for_who_takes_it() {
        for (accepted, gzip) in
            [("", false), ("gzip", true), ("GZIP;q=0.1, br", true), ("gzip;q=0, *", false), ("*", true), ("br", false)]
        {
            assert_eq!(takes_gzip(accepted), gzip, "{accepted}");
        }
    }
}
