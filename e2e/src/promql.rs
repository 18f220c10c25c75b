//! What a PromQL expression asks for: its selectors, and how each is aggregated.
//!
//! The crate `promql-parser` parses the expression; here its tree is walked once. [`crate::dashboard`] and [`crate::rules`] read the
//! expressions from their files.

use promql_parser::{
    label::Matcher,
    parser::{AggregateExpr, BinaryExpr, Expr, LabelModifier, VectorMatchCardinality, VectorSelector, parse},
    util::{ExprVisitor, escape_string, walk_expr},
};

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

impl Selector {
    /// Whether it selects from a metric: by its name, or by matchers of `__name__`.
    pub fn selects(&self, metric: &str) -> bool {
        if !self.metric.is_empty() {
            return self.metric == metric;
        }
        let Ok(Expr::VectorSelector(parsed)) = parse(&self.text()) else { panic!("{} selects nothing", self.text()) };
        let names: Vec<_> = parsed.matchers.matchers.iter().filter(|matcher| matcher.name == "__name__").collect();
        !names.is_empty() && names.iter().all(|matcher| matcher.is_match(metric))
    }

    /// As it would be written alone.
    pub fn text(&self) -> String {
        let matchers =
            self.matchers.iter().map(|(name, how, value)| format!("{name}{how}\"{}\"", escape_string(value)));
        format!("{}{{{}}}", self.metric, matchers.collect::<Vec<_>>().join(","))
    }
}

/// The labels by which two sides are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joins {
    /// `on (…)`, `ignoring (…)`
    pub on: Vec<String>,
    /// `group_left (…)`, `group_right (…)`: they come from the other side.
    pub carried: Vec<String>,
}

/// All selectors of an expression, in their order. Panics if it is not valid PromQL.
pub fn selectors(expression: &str) -> Vec<Selector> {
    walk(expression).selectors
}

/// All aggregations of an expression, in their order. Panics if it is not valid PromQL.
pub fn aggregations(expression: &str) -> Vec<Aggregation> {
    walk(expression).aggregations
}

/// All joins of an expression together. Panics if it is not valid PromQL.
pub fn joins(expression: &str) -> Joins {
    walk(expression).joins
}

fn walk(expression: &str) -> Walk {
    // Grafana's two variables for a duration are no PromQL. Those for a label's value stand in strings and stay.
    let durations = expression.replace("$__rate_interval", "1m").replace("$__range", "1h");
    // The parser is older than this modifier, which changes how a range begins and ends, but not what is asked for.
    let durations = durations.replace("] anchored", "]");
    let tree = parse(&durations).unwrap_or_else(|cause| panic!("{expression}\nis not valid PromQL: {cause}"));
    let mut walk = Walk::default();
    let Ok(_) = walk_expr(&mut walk, &tree);
    walk
}

#[derive(Default)]
struct Walk {
    /// The aggregations around the place where the walk is, the innermost last.
    around: Vec<Aggregation>,
    aggregations: Vec<Aggregation>,
    selectors: Vec<Selector>,
    joins: Joins,
}

impl ExprVisitor for Walk {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        if let Expr::Aggregate(aggregate) = expression {
            let aggregation = Aggregation::from(aggregate);
            self.aggregations.push(aggregation.clone());
            self.around.push(aggregation);
        }
        if let Expr::Binary(binary) = expression {
            self.join(binary);
        }
        if let Expr::VectorSelector(selector) = expression {
            self.add(selector);
        }
        if let Expr::MatrixSelector(matrix) = expression {
            self.add(&matrix.vs);
        }
        Ok(true)
    }

    fn post_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        if matches!(expression, Expr::Aggregate(_)) {
            self.around.pop();
        }
        Ok(true)
    }
}

impl Walk {
    fn add(&mut self, selector: &VectorSelector) {
        assert!(selector.matchers.or_matchers.is_empty(), "Prometheus knows no `or` between matchers: {selector}");
        let matcher = |one: &Matcher| (one.name.clone(), one.op.to_string(), one.value.clone());
        self.selectors.push(Selector {
            metric: selector.name.clone().unwrap_or_default(),
            matchers: selector.matchers.matchers.iter().map(matcher).collect(),
            aggregation: self.around.last().cloned(),
        });
    }
}

impl Walk {
    fn join(&mut self, binary: &BinaryExpr) {
        let Some(modifier) = &binary.modifier else { return };
        if let Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = &modifier.matching {
            self.joins.on.extend(labels.labels.iter().cloned());
        }
        if let VectorMatchCardinality::ManyToOne(labels) | VectorMatchCardinality::OneToMany(labels) = &modifier.card {
            self.joins.carried.extend(labels.labels.iter().cloned());
        }
    }
}

impl From<&AggregateExpr> for Aggregation {
    fn from(aggregate: &AggregateExpr) -> Self {
        let by = match &aggregate.modifier {
            Some(LabelModifier::Include(left)) => left.labels.clone(),
            Some(LabelModifier::Exclude(_)) | None => Vec::new(),
        };
        Self { operator: aggregate.op.to_string(), by }
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
    fn it_selects_by_name_or_by_matchers_of_the_name() {
        let selects = |expression: &str, metric| selectors(expression)[0].selects(metric);
        assert!(selects("a", "a") && !selects("a", "ab"));
        let both = r#"{__name__=~"a_(b|c)",job="x"}"#;
        assert!(selects(both, "a_b") && selects(both, "a_c") && !selects(both, "a_bc"));
        assert!(!selects(r#"{job="x"}"#, "a"));
    }

    #[test]
    fn joins_name_the_labels_of_both_sides() {
        let found = joins("sum by (n) (a * on (i, j) group_left (n) b) / ignoring (k) c");
        let names = |text: &str| text.split(' ').map(str::to_owned).collect();
        assert_eq!(found, Joins { on: names("k i j"), carried: names("n") });
    }

    #[test]
    fn what_is_no_promql_is_refused() {
        let cause = std::panic::catch_unwind(|| selectors("sum by (x (a)")).unwrap_err();
        assert!(cause.downcast_ref::<String>().is_some_and(|cause| cause.contains("is not valid PromQL")));
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
            found("sum by (x) (rate(a[$__range]) unless increase(b[$__range] anchored))"),
            ["a{} in sum by x", "b{} in sum by x"],
        );
        assert_eq!(
            found("histogram_quantile(0.95, sum by (le) (rate(a_bucket[1m]))) >= 0"),
            ["a_bucket{} in sum by le"],
        );
    }
}
