//! The text format 0.0.4: what a reader sees with `curl`. It has no exemplars, start timestamps and native histograms; an exemplar in it would
//! fail the whole scrape.

use crate::{
    lines::{Lines, escape},
    model::{Family, Kind, Value},
};

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn encode(families: &[Family]) -> String {
    let mut lines = Lines::new(number);
    for family in families {
        let name = family.description.name.as_str();
        lines.write(format_args!("# HELP {name} "));
        escape(&mut lines.text, &family.description.help, false);
        let kind = match family.description.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        };
        lines.write(format_args!("\n# TYPE {name} {kind}\n"));
        for series in &family.series {
            let mut line = |suffix, more, value| {
                lines.sample((name, suffix), family, series, more, value);
                lines.text.push('\n');
            };
            match &series.value {
                Value::Counter(value) | Value::Gauge(value) => line("", None, *value),
                Value::Histogram(histogram) => {
                    for (bound, count, _) in histogram.cumulative() {
                        line("_bucket", Some(("le", bound)), count as f64);
                    }
                    line("_sum", None, histogram.sum);
                    line("_count", None, histogram.count() as f64);
                }
                Value::Summary(summary) => {
                    for (quantile, value) in &summary.quantiles {
                        line("", Some(("quantile", *quantile)), *value);
                    }
                    line("_sum", None, summary.sum);
                    line("_count", None, summary.count as f64);
                }
            }
        }
    }
    lines.text
}

/// As it always was here: Prometheus 2 keeps the text of a bound as it is, and another one would be another series.
fn number(value: f64) -> String {
    if value.is_infinite() { "+Inf".into() } else { value.to_string() }
}
