//! What a PromQL expression asks for: its selectors, and how each is aggregated.
//!
//! It is no parser of the language: it finds names, label matchers and the parentheses around them, which is all that a test of
//! dashboards and rules needs. Whether an expression is valid is Prometheus' business.

/// A metric with its label matchers, like `up{job="eventservice"}`, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The metric; of a histogram with its suffix. Empty where only matchers stand there.
    pub metric: String,
    /// Name, operator and value of each matcher.
    pub matchers: Vec<(String, String, String)>,
    /// The innermost aggregation around it.
    pub aggregation: Option<Aggregation>,
}

/// `sum by (job) (…)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aggregation {
    /// `sum`, `max`, …
    pub operator: String,
    /// The labels that are left.
    pub by: Vec<String>,
}

const OPERATORS: [&str; 11] =
    ["sum", "max", "min", "avg", "count", "group", "stddev", "topk", "bottomk", "quantile", "count_values"];
const WITH_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OTHER_WORDS: [&str; 5] = ["bool", "offset", "and", "or", "unless"];

impl Selector {
    /// As it would be written alone.
    pub fn text(&self) -> String {
        let matchers: Vec<_> =
            self.matchers.iter().map(|(name, how, value)| format!("{name}{how}\"{value}\"")).collect();
        format!("{}{{{}}}", self.metric, matchers.join(","))
    }
}

/// All selectors of an expression, in their order.
pub fn selectors(expression: &str) -> Vec<Selector> {
    let mut reader = Reader { rest: expression, ..Reader::default() };
    reader.read();
    let aggregations = reader.aggregations;
    let with = |(mut selector, at): (Selector, Option<usize>)| {
        selector.aggregation = at.map(|at| aggregations[at].clone());
        selector
    };
    reader.found.into_iter().map(with).collect()
}

/// All aggregations of an expression, in their order.
pub fn aggregations(expression: &str) -> Vec<Aggregation> {
    let mut reader = Reader { rest: expression, ..Reader::default() };
    reader.read();
    reader.aggregations
}

#[derive(Default)]
struct Reader<'e> {
    rest: &'e str,
    /// What each open parenthesis belongs to: an aggregation, or nothing of interest.
    open: Vec<Option<usize>>,
    /// The aggregation whose `by` may come next.
    last: Option<usize>,
    aggregations: Vec<Aggregation>,
    found: Vec<(Selector, Option<usize>)>,
}

impl Reader<'_> {
    fn read(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let Some(next) = self.rest.chars().next() else { return };
            match next {
                '(' => {
                    self.open.push(self.last.take());
                    self.skip(1);
                }
                ')' => {
                    self.last = self.open.pop().flatten();
                    self.skip(1);
                }
                '[' => self.skip_behind(']'),
                '{' => self.metric(String::new()), // `{__name__=~"…"}`
                '"' => {
                    self.skip(1);
                    self.skip_behind('"');
                }
                // A number, a duration, or one of Grafana's variables in its place.
                c if c.is_ascii_digit() || c == '$' => {
                    self.take(|c| c.is_ascii_alphanumeric() || c == '.' || c == '$' || c == '_');
                }
                c if c.is_ascii_alphabetic() || c == '_' => self.word(),
                c => self.skip(c.len_utf8()),
            }
        }
    }

    fn word(&mut self) {
        let word = self.take(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        self.rest = self.rest.trim_start();
        if WITH_LABELS.contains(&word.as_str()) {
            return self.labels(&word);
        }
        if OTHER_WORDS.contains(&word.as_str()) {
            return;
        }
        if OPERATORS.contains(&word.as_str()) {
            self.aggregations.push(Aggregation { operator: word, by: Vec::new() });
            self.last = Some(self.aggregations.len() - 1);
            return;
        }
        if self.rest.starts_with('(') {
            // A function keeps what is around it.
            self.last = self.open.last().copied().flatten();
            return;
        }
        self.metric(word);
    }

    fn metric(&mut self, metric: String) {
        let matchers = if self.rest.starts_with('{') { self.matchers() } else { Vec::new() };
        let around = self.open.iter().rev().find_map(|open| *open);
        self.found.push((Selector { metric, matchers, aggregation: None }, around));
    }

    /// The list behind `by` and its like. Only that of `by` matters here.
    fn labels(&mut self, word: &str) {
        if !self.rest.starts_with('(') {
            return;
        }
        self.skip(1);
        let list = self.take(|c| c != ')');
        self.skip(1);
        let names = list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if let (Some(at), "by") = (self.last, word) {
            self.aggregations[at].by = names.collect();
        }
    }

    /// `{a="b",c=~"d"}`; the values here hold no quotes.
    fn matchers(&mut self) -> Vec<(String, String, String)> {
        let mut matchers = Vec::new();
        self.skip(1);
        loop {
            self.take(|c| c == ',' || c.is_whitespace());
            if self.rest.is_empty() || self.rest.starts_with('}') {
                self.skip(1);
                return matchers;
            }
            let name = self.take(|c| c != '=' && c != '!').trim().to_owned();
            let how = self.take(|c| matches!(c, '=' | '!' | '~'));
            self.take(|c| c != '"');
            self.skip(1);
            let value = self.take(|c| c != '"');
            self.skip(1);
            matchers.push((name, how, value));
        }
    }

    fn take(&mut self, fits: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn skip_behind(&mut self, end: char) {
        self.rest = self.rest.split_once(end).map_or("", |(_, rest)| rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(expression: &str) -> Vec<String> {
        let show = |selector: Selector| {
            let around = selector.aggregation.clone().unwrap_or_default();
            format!("{} in {} by {}", selector.text(), around.operator, around.by.join(" "))
        };
        selectors(expression).into_iter().map(show).collect()
    }

    #[test]
    fn by_may_stand_before_and_behind() {
        let right = ["a{} in sum by x"];
        assert_eq!(found("sum by (x) (a)"), right);
        assert_eq!(found("sum(a) by (x)"), right);
        assert_eq!(found("topk(3, sum by (x) (rate(a[$__rate_interval])))"), right);
    }

    #[test]
    fn a_selector_may_have_no_name() {
        assert_eq!(
            found(r#"count by (__name__) ({job=~"a|b"}) / c"#),
            [r#"{job=~"a|b"} in count by __name__"#, "c{} in  by "]
        );
    }

    #[test]
    fn each_selector_has_the_aggregation_that_is_around_it() {
        assert_eq!(
            found(r#"clamp_min(max(a offset 30s) - max by (j) (b{c="d",e=~"f|g"}), 0) / on (x) h"#),
            [r#"a{} in max by "#, r#"b{c="d",e=~"f|g"} in max by j"#, "h{} in  by "],
        );
        assert_eq!(
            found("(time() - max by (job) (a)) * (max by (job) (b) > bool 0) or vector(0)"),
            ["a{} in max by job", "b{} in max by job"],
        );
        assert_eq!(
            found("sum by (x) (a[$__range] unless present_over_time(a[7d] offset $__range))"),
            ["a{} in sum by x", "a{} in sum by x"],
        );
        assert_eq!(
            found("histogram_quantile(0.95, sum by (le) (rate(a_bucket[1m]))) >= 0"),
            ["a_bucket{} in sum by le"],
        );
    }
}
