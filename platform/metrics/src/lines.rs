//! What both text forms have in common: a sample is a line of a name, labels and a value.

use std::fmt::Write;

use crate::model::{Family, Series};

/// The lines of one exposition.
pub(crate) struct Lines {
    pub(crate) text: String,
    /// How the bound of a bucket and a quantile are written.
    number: fn(f64) -> String,
}

impl Lines {
    pub(crate) fn new(number: fn(f64) -> String) -> Self {
        Self { text: String::new(), number }
    }

    /// Writes into the text.
    pub(crate) fn write(&mut self, what: std::fmt::Arguments<'_>) {
        self.text.write_fmt(what).expect("a String takes everything");
    }

    /// A sample, without the end of its line. `more` is a label whose value is a number: `le` or `quantile`.
    pub(crate) fn sample(
        &mut self,
        name: (&str, &str),
        family: &Family,
        series: &Series,
        more: Option<(&str, f64)>,
        value: f64,
    ) {
        self.text.push_str(name.0);
        self.text.push_str(name.1);
        let mut before = '{';
        for (label, text) in family.description.labels.iter().zip(series.labels.iter()) {
            self.text.push(before);
            before = ',';
            self.text.push_str(label);
            self.text.push_str("=\"");
            escape(&mut self.text, text, true);
            self.text.push('"');
        }
        if let Some((label, number)) = more {
            let number = (self.number)(number);
            self.write(format_args!("{before}{label}=\"{number}\""));
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        match value {
            f64::INFINITY => self.text.push_str(" +Inf"),
            f64::NEG_INFINITY => self.text.push_str(" -Inf"),
            value => self.write(format_args!(" {value}")),
        }
    }
}

/// Writes a text with its backslashes and line ends escaped, and its quotes where `quotes` says so.
pub(crate) fn escape(into: &mut String, text: &str, quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '"' if quotes => into.push_str("\\\""),
            other => into.push(other),
        }
    }
}
