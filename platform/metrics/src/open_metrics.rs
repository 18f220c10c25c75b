//! OpenMetrics 1.0.0 (<https://prometheus.io/docs/specs/om/open_metrics_spec/>): the text form with exemplars, and on request with start
//! timestamps.

use crate::{
    exemplar::{Exemplar, LABEL},
    lines::{Lines, escape},
    model::{Family, Kind, Series, Value},
};

pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const TOTAL: &str = "_total";

/// `created`: with the lines that say since when each series counts. Prometheus takes them for series of their own, unless it was started
/// with `created-timestamp-zero-ingestion`.
pub(crate) fn encode(families: &[Family], created: bool) -> String {
    let mut lines = Lines::new(number);
    for family in families {
        let full = family.description.name.as_str();
        // A counter's samples end in `_total`, and its family's name does not. One without is no counter of OpenMetrics, but may be shown
        // as *unknown*, with its own name and without a start.
        let (name, kind) = match (family.description.kind, full.strip_suffix(TOTAL)) {
            (Kind::Counter, Some(name)) => (name, "counter"),
            (Kind::Counter, None) => (full, "unknown"),
            (Kind::Gauge, _) => (full, "gauge"),
            (Kind::Histogram, _) => (full, "histogram"),
            (Kind::Summary, _) => (full, "summary"),
        };
        lines.write(format_args!("# HELP {name} "));
        escape(&mut lines.text, &family.description.help, true);
        lines.write(format_args!("\n# TYPE {name} {kind}\n"));
        for series in &family.series {
            let mut line = |suffix: &str, more, value, exemplar: Option<&Exemplar>| {
                lines.sample((name, suffix), family, series, more, value);
                if let Some(Exemplar { trace_id, value, at }) = exemplar {
                    lines.write(format_args!(" # {{{LABEL}=\"{trace_id}\"}} {value} {}", at.as_secs_f64()));
                }
                lines.text.push('\n');
            };
            match &series.value {
                Value::Counter(value) => line(if kind == "counter" { TOTAL } else { "" }, None, *value, None),
                Value::Gauge(value) => line("", None, *value, None),
                Value::Histogram(histogram) => {
                    for (bound, count, exemplar) in histogram.cumulative() {
                        line("_bucket", Some(("le", bound)), count as f64, exemplar);
                    }
                    line("_count", None, histogram.count() as f64, None);
                    line("_sum", None, histogram.sum, None);
                }
                Value::Summary(summary) => {
                    for (quantile, value) in &summary.quantiles {
                        line("", Some(("quantile", *quantile)), *value, None);
                    }
                    line("_count", None, summary.count as f64, None);
                    line("_sum", None, summary.sum, None);
                }
            }
            if created && kind != "unknown" {
                start(&mut lines, name, family, series);
            }
        }
    }
    lines.text.push_str("# EOF\n");
    lines.text
}

/// Directly behind its series' samples: Prometheus looks for it there only.
fn start(lines: &mut Lines, name: &str, family: &Family, series: &Series) {
    if let Some(start) = series.start {
        lines.sample((name, "_created"), family, series, None, start.as_secs_f64());
        lines.text.push('\n');
    }
}

/// As Go writes it, and with a point: OpenMetrics wants one text for one number.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return "+Inf".into();
    }
    if (1e-4..1e6).contains(&value.abs()) || value == 0.0 {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').expect("it was written with an exponent");
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_has_the_text_that_prometheus_would_give_it() {
        let right = ["0.0", "0.0005", "1.0", "2.5", "16384.0", "1e+06", "1.048576e+06", "1e-05", "+Inf"];
        let values = [0.0, 0.0005, 1.0, 2.5, 16384.0, 1e6, 1_048_576.0, 1e-5, f64::INFINITY];
        assert_eq!(values.map(number), right);
    }
}
