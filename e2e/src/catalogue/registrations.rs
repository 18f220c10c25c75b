//! Reads the sources for the calls that register a metric: `registry.counter_vec("name", "help", &["label"])`. So a metric is known
//! without running what exports it.
//!
//! Name, help and labels stand at the call as literals. What is written otherwise is refused here.

use syn::{
    Expr, ExprLit, ExprMethodCall, Lit,
    visit::{Visit, visit_expr_method_call},
};

use super::metric::{Kind, Metric};
use crate::sources::{sources, without_tests};

/// The methods of the registry that register, and whether they take labels.
const METHODS: [(&str, Kind, bool); 9] = [
    ("counter", Kind::Counter, false),
    ("counter_of", Kind::Counter, false),
    ("counter_vec", Kind::Counter, true),
    ("gauge", Kind::Gauge, false),
    ("gauge_of", Kind::Gauge, false),
    ("gauge_vec", Kind::Gauge, true),
    ("histogram", Kind::Histogram, false),
    ("histogram_vec", Kind::Histogram, true),
    ("summary_vec", Kind::Summary, true),
];

/// Where the calls are not of a program: the registry itself, and what tests are made of.
const OTHERS: [&str; 3] = ["platform/metrics/", "e2e/", "testing/"];

/// All metrics of all programs, in the order of their files.
pub(super) fn read() -> Vec<Metric> {
    let of_programs = |file: &String| file.contains("/src/") && !OTHERS.iter().any(|others| file.starts_with(others));
    let files = sources().into_iter().filter(|(file, _)| of_programs(file));
    files
        .flat_map(|(file, source)| of(&file, without_tests(&source)).unwrap_or_else(|cause| panic!("{cause}")))
        .collect()
}

/// The metrics that a file registers.
fn of(file: &str, source: &str) -> Result<Vec<Metric>, String> {
    let parsed = syn::parse_file(source).map_err(|cause| format!("{file}: {cause}"))?;
    let mut calls = Calls { file, found: Ok(Vec::new()) };
    calls.visit_file(&parsed);
    calls.found
}

struct Calls<'f> {
    file: &'f str,
    found: Result<Vec<Metric>, String>,
}

impl<'f> Visit<'f> for Calls<'f> {
    fn visit_expr_method_call(&mut self, call: &'f ExprMethodCall) {
        let method = METHODS.iter().find(|(name, ..)| call.method == name);
        if let (Some((method, kind, with_labels)), true, Ok(found)) = (method, call.args.len() >= 2, &mut self.found) {
            match metric(self.file, *kind, *with_labels, call) {
                Some(metric) => found.push(metric),
                None => {
                    let wrong = "name, help and labels of a metric are literals at the call";
                    self.found = Err(format!("{}, {method}: {wrong}", self.file));
                }
            }
        }
        visit_expr_method_call(self, call);
    }
}

fn metric(file: &str, kind: Kind, with_labels: bool, call: &ExprMethodCall) -> Option<Metric> {
    let arguments: Vec<_> = call.args.iter().collect();
    let mut labels = if with_labels { texts(arguments.get(2)?)? } else { Vec::new() };
    labels.sort();
    let native = arguments.iter().any(|one| matches!(one, Expr::MethodCall(call) if call.method == "and_native"));
    Some(Metric { name: text(arguments[0])?, kind, native, labels, help: text(arguments[1])?, file: file.to_owned() })
}

/// `"text"`
fn text(expression: &Expr) -> Option<String> {
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = expression { Some(text.value()) } else { None }
}

/// `&["text", "text"]`
fn texts(expression: &Expr) -> Option<Vec<String>> {
    let Expr::Reference(reference) = expression else { return None };
    let Expr::Array(array) = &*reference.expr else { return None };
    array.elems.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_read_with_its_labels_in_order() {
        let code = r#"fn f() { let x = X { a: registry.histogram_vec("a_seconds", "A\nb.", &["y", "x"], B.and_native())? }; }"#;
        let right = Metric {
            name: "a_seconds".into(),
            kind: Kind::Histogram,
            native: true,
            labels: vec!["x".into(), "y".into()],
            help: "A\nb.".into(),
            file: "a.rs".into(),
        };
        assert_eq!(of("a.rs", code), Ok(vec![right]));
    }

    #[test]
    fn what_is_no_literal_is_refused_and_other_methods_are_not_read() {
        for code in ["r.counter(name, \"A.\")", "r.gauge(\"a\", help)", "r.gauge_vec(\"a\", \"A.\", LABELS)"] {
            let refused = of("a.rs", &format!("fn f() {{ {code}; }}"));
            assert!(refused.as_ref().is_err_and(|cause| cause.contains("literals at the call")), "{refused:?}");
        }
        assert_eq!(of("a.rs", "fn f() { a.histogram(); a.inc(1, 2); }"), Ok(Vec::new()));
    }
}
