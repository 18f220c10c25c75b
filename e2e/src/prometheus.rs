//! What a running Prometheus answers to a query.

use std::{collections::BTreeMap, fmt::Write};

use e2e::{Api, dashboard::list};
use serde_json::Value;

use crate::stack::Stack;

/// One series of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// Prometheus behind its published port.
pub(crate) struct Prometheus(Api);

impl Prometheus {
    pub(crate) fn new(stack: &Stack) -> Self {
        Self(stack.api("prometheus", 9090))
    }

    /// The series of an instant query.
    pub(crate) async fn query(&self, expression: &str) -> Vec<Series> {
        let answer = self.0.get(&format!("/api/v1/query?query={}", escaped(expression))).await;
        assert_eq!(answer.status, 200, "{expression}: {answer:?}");
        let answer = answer.json();
        let said: Vec<&Value> = list(&answer["warnings"]).chain(list(&answer["infos"])).collect();
        assert!(said.is_empty(), "{expression}: {said:?}");
        let series = |one: &Value| Series {
            labels: serde_json::from_value(one["metric"].clone()).unwrap(),
            value: one["value"][1].as_str().unwrap().parse().unwrap(),
        };
        list(&answer["data"]["result"]).map(series).collect()
    }
}

/// For a URL.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        write!(url, "%{byte:02X}").unwrap();
        url
    })
}
