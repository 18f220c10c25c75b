//! Each dashboard against the schema of Grafana 13.2.3, which is made from its npm package `@grafana/schema` (Apache 2.0) with
//! ts-json-schema-generator and lies beside this file.
//!
//! It uses nine of JSON Schema's words, so those are all that is understood here; another word fails the test.

use e2e::dashboard::{all, exporters};
use serde_json::{Map, Value};

const SCHEMA: &str = include_str!("grafana-dashboard-13.2.3.schema.json");

/// The Prometheus data source puts these on an annotation, and reads them there; Grafana's schema leaves
/// them open: it describes no data source's own fields.
const OF_PROMETHEUS: [&str; 5] = ["expr", "step", "titleFormat", "textFormat", "useValueForTime"];

struct Schema {
    root: Value,
}

impl Schema {
    /// What is wrong with `value`, each with its place.
    fn problems(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        for (word, rule) in schema.as_object().unwrap() {
            match word.as_str() {
                "$ref" => self.problems(self.definition(rule), value, place, found),
                "type" if !is_of(value, rule) => found.push(format!("{place} is no {rule}")),
                "const" if value != rule => found.push(format!("{place} is not {rule}")),
                "enum" if !rule.as_array().unwrap().contains(value) => found.push(format!("{place} is none of {rule}")),
                "required" => {
                    let missing = rule
                        .as_array()
                        .unwrap()
                        .iter()
                        .filter(|name| value.is_object() && value.get(name.as_str().unwrap()).is_none());
                    found.extend(missing.map(|name| format!("{place} lacks {name}")));
                }
                "properties" => self.properties(rule, value, place, found),
                "additionalProperties" => self.additional(schema, rule, value, place, found),
                "items" => {
                    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.problems(rule, item, &format!("{place}[{at}]"), found);
                    }
                }
                "anyOf" if !rule.as_array().unwrap().iter().any(|one| self.fits(one, value, place)) => {
                    found.push(format!("{place} fits none of {rule}"));
                }
                "type" | "const" | "enum" | "anyOf" | "description" | "$schema" | "definitions" => {}
                other => panic!("the schema says {other}, which is not understood here"),
            }
        }
    }

    fn fits(&self, schema: &Value, value: &Value, place: &str) -> bool {
        let mut found = Vec::new();
        self.problems(schema, value, place, &mut found);
        found.is_empty()
    }

    fn definition(&self, reference: &Value) -> &Value {
        let name = reference.as_str().unwrap().strip_prefix("#/definitions/").unwrap();
        &self.root["definitions"][name.replace("%3C", "<").replace("%3E", ">")]
    }

    fn properties(&self, rule: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        for (name, schema) in rule.as_object().unwrap() {
            if let Some(inner) = value.get(name) {
                self.problems(schema, inner, &format!("{place}.{name}"), found);
            }
        }
    }

    fn additional(&self, schema: &Value, rule: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        let (none, known) = (Map::new(), schema["properties"].as_object());
        let known = known.unwrap_or(&none);
        for (name, inner) in value.as_object().into_iter().flatten().filter(|(name, _)| !known.contains_key(*name)) {
            let place = format!("{place}.{name}");
            match rule.as_bool() {
                Some(true) => {}
                Some(false) => found.push(format!("{place} is unknown")),
                None => self.problems(rule, inner, &place, found),
            }
        }
    }
}

fn is_of(value: &Value, rule: &Value) -> bool {
    let one = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("the schema has a type {other}, which is not understood here"),
    };
    rule.as_array().map_or_else(|| one(rule), |names| names.iter().any(one))
}

fn problems(dashboard: &Value) -> Vec<String> {
    let schema = Schema { root: serde_json::from_str(SCHEMA).unwrap() };
    let (mut dashboard, mut found) = (dashboard.clone(), Vec::new());
    for annotation in dashboard["annotations"]["list"].as_array_mut().unwrap() {
        annotation.as_object_mut().unwrap().retain(|name, _| !OF_PROMETHEUS.contains(&name.as_str()));
    }
    schema.problems(&schema.root, &dashboard, "dashboard", &mut found);
    found
}

#[test]
fn every_dashboard_fits_grafanas_schema() {
    for dashboard in all().into_iter().chain(exporters()) {
        assert_eq!(problems(&dashboard.json), Vec::<String>::new(), "{}", dashboard.file);
    }
}

/// Else the test above might hold nothing.
#[test]
fn what_does_not_fit_the_schema_is_found() {
    let spoil = |pointer: &str, value: Value| {
        let mut dashboard = all().remove(0).json;
        *dashboard.pointer_mut(pointer).unwrap() = value;
        problems(&dashboard)
    };
    for (pointer, value) in [
        ("/title", Value::Null),
        ("/links/0", serde_json::json!({"title": "only a title"})),
        ("/panels/1/gridPos", serde_json::json!({"h": "4", "w": 4, "x": 0, "y": 0})),
        ("/panels/1/fieldConfig/defaults/thresholds/steps/0", serde_json::json!({"color": "green"})),
        ("/panels/1/gridPos", serde_json::json!({"h": 4, "w": 4, "x": 0, "y": 0, "z": 0})),
    ] {
        assert!(!spoil(pointer, value).is_empty(), "{pointer}");
    }
}
