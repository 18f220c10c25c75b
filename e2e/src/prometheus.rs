//! What a running Prometheus answers to a query.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::{Api, Exposition, dashboard::list};

/// One series of an answer.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value now; of a native histogram how many observations it has.
    pub value: f64,
}

/// A running Prometheus, by its address.
pub struct Prometheus(pub Api);

impl Prometheus {
    /// The series of an instant query. A warning is a failure: it says that the query means something else than it seems to.
    pub async fn query(&self, expression: &str) -> Vec<Series> {
        self.try_query(expression).await.unwrap_or_else(|cause| panic!("{cause}"))
    }

    /// The same at a time, in seconds since 1970.
    pub async fn query_at(&self, expression: &str, time: f64) -> Vec<Series> {
        let found = self.ask(&format!("{}&time={time}", escaped(expression)), expression).await;
        found.unwrap_or_else(|cause| panic!("{cause}"))
    }

    /// As [`Prometheus::query`] where a failure is one of many.
    pub async fn try_query(&self, expression: &str) -> Result<Vec<Series>, String> {
        self.ask(&escaped(expression), expression).await
    }

    async fn ask(&self, asked: &str, expression: &str) -> Result<Vec<Series>, String> {
        let answer = self.0.get(&format!("/api/v1/query?query={asked}")).await;
        if answer.status != 200 {
            return Err(format!("{expression}: {answer:?}"));
        }
        let answer = answer.json();
        let said: Vec<&Value> = list(&answer["warnings"]).chain(list(&answer["infos"])).collect();
        if !said.is_empty() {
            return Err(format!("{expression}: {said:?}"));
        }
        let series = |one: &Value| Series {
            labels: serde_json::from_value(one["metric"].clone()).expect("labels are texts"),
            value: one["value"][1]
                .as_str()
                .or(one["histogram"][1]["count"].as_str())
                .and_then(|text| text.parse().ok())
                .expect("a value is a number"),
        };
        Ok(list(&answer["data"]["result"]).map(series).collect())
    }

    /// The values of each series of an expression like `x[1m]`, with their times in seconds since 1970.
    pub async fn values(&self, range: &str) -> Vec<Vec<(f64, f64)>> {
        let data = self.data("query", &[("query", range)]).await;
        let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).expect("a value is a number");
        let pair = |pair: &Value| (pair[0].as_f64().expect("a time is a number"), number(&pair[1]));
        list(&data["result"]).map(|series| list(&series["values"]).map(pair).collect()).collect()
    }

    /// What a part of its API says, for example `metadata`.
    pub async fn data(&self, part: &str, parameters: &[(&str, &str)]) -> Value {
        let parameters = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
        let path = format!("/api/v1/{part}?{}", parameters.collect::<Vec<_>>().join("&"));
        self.0.get(&path).await.expect(200).json()["data"].take()
    }

    /// The trace ids of the exemplars of the last hour that a graph of this expression would show.
    pub async fn exemplars(&self, expression: &str) -> BTreeSet<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
        let asked = [("query", expression), ("start", &format!("{}", now - 3600)), ("end", &format!("{now}"))];
        let data = self.data("query_exemplars", &asked).await;
        let series = list(&data).flat_map(|one| list(&one["exemplars"]));
        series.filter_map(|one| one["labels"]["trace_id"].as_str().map(str::to_owned)).collect()
    }

    /// The counters of such a service that went down within the last `range`. Two replicas that were taken for one target would make
    /// every counter jump up and down.
    pub async fn went_down(&self, metrics: &Exposition, job: &str, range: &str) -> Vec<String> {
        let mut down = Vec::new();
        for (name, family) in &metrics.families {
            let names = match family.kind.as_str() {
                "counter" => vec![name.clone()],
                "histogram" => ["count", "sum", "bucket"].map(|part| format!("{name}_{part}")).into(),
                _ => Vec::new(),
            };
            for name in names {
                let resets = format!("sum(resets({name}{{job=\"{job}\"}}[{range}])) > 0");
                if !self.query(&resets).await.is_empty() {
                    down.push(name);
                }
            }
        }
        down
    }
}

/// For a URL.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        let _ = write!(url, "%{byte:02X}"); // into a String it cannot fail
        url
    })
}
