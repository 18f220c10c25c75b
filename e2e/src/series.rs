//! One line of the text format: a name, labels and a value.

use std::collections::BTreeMap;

/// A series and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// With the suffix that a histogram's samples have.
    pub name: String,
    /// Unescaped.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// Whether it has all these labels.
    pub fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(name, value)| self.labels.get(*name).is_some_and(|found| found == value))
    }
}

/// Reads a line.
pub fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err("no metric name".into());
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().map_err(|_| "the value is no number (no timestamp is expected)")?,
    };
    Ok(Sample { name: name.into(), labels, value })
}

/// Reads `a="b",c="d"}` and gives back what is behind it.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    loop {
        let (name, tail) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name, false) {
            return Err(format!("no label name: {name}"));
        }
        let (value, tail) = quoted(tail)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label {name} is there twice"));
        }
        match tail.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok((labels, tail.strip_prefix('}').ok_or("the labels do not end")?)),
        }
    }
}

/// Reads up to the closing quote. Only `\\`, `\"` and `\n` are escapes.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                other => return Err(format!("an escape that is none: {other:?}")),
            },
            char => value.push(char),
        }
    }
    Err("a label value does not end".into())
}

fn is_name(text: &str, colons: bool) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':');
    !text.is_empty() && text.bytes().all(fits) && !text.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::read;

    #[test]
    fn escapes_and_chinese_text_are_read() {
        let sample = sample(r#"a:b_total{x="q\"b\\n\n",eventName="音乐会"} 1.5e3"#).unwrap();
        assert_eq!(sample.labels["x"], "q\"b\\n\n");
        assert_eq!(sample.labels["eventName"], "音乐会");
        assert!((sample.value - 1500.0).abs() < 1e-9);
    }

    #[test]
    fn what_breaks_the_format_is_refused() {
        for line in ["a", "a{} 1", "a{x=\"1} 1", "a{x=\"\\t\"} 1", "a{x=\"1\",x=\"2\"} 1", "a 1 2", "1a 1", "a  1"] {
            assert!(sample(line).is_err(), "{line}");
        }
        let head = "# HELP a text\n# TYPE a counter\n";
        assert!(read(&format!("{head}a 1\n")).is_ok());
        for text in ["a 1\n", &format!("{head}a 1"), &format!("{head}a 1\na 1\n"), &format!("{head}{head}a 1\n")] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_histogram_whose_buckets_shrink_is_refused() {
        let head = "# HELP a text\n# TYPE a histogram\n";
        let text =
            |first| format!("{head}a_bucket{{le=\"1\"}} {first}\na_bucket{{le=\"+Inf\"}} 2\na_sum 1\na_count 2\n");
        assert!(read(&text(2)).is_ok());
        assert!(read(&text(3)).is_err());
    }
}
