//! What a container finds in its folders: the files of ConfigMaps and Secrets, at the paths where they are mounted.

use std::collections::BTreeMap;

use e2e::dashboard::list;
use serde_json::Value;

use crate::kustomize::{named, of_kind, text};

/// The content by path. That of a Secret is as the Secret has it, in base64.
pub(crate) fn of_container(objects: &[Value], pod: &Value, container: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for mount in list(&container["volumeMounts"]) {
        let mut volumes = list(&pod["volumes"]);
        let Some(volume) = volumes.find(|volume| volume["name"] == mount["name"]) else { continue }; // a claim of its own
        let path = text(mount, "/mountPath");
        for (file, content) in of_volume(objects, volume) {
            match mount["subPath"].as_str() {
                None => found.insert(format!("{path}/{file}"), content),
                Some(only) if only == file => found.insert(path.to_owned(), content),
                Some(_) => None,
            };
        }
    }
    found
}

fn of_volume(objects: &[Value], volume: &Value) -> Vec<(String, String)> {
    let sources = list(&volume["projected"]["sources"]).chain([volume]);
    let one = |source: &Value| -> Vec<(String, String)> {
        let (from, data) = if source["configMap"].is_object() {
            (&source["configMap"], &named(objects, "ConfigMap", text(source, "/configMap/name"))["data"])
        } else if source["secret"].is_object() {
            // In production the Secret is made by hand: its files are there, and nobody here knows what is in them.
            let name = &source["secret"]["secretName"];
            let secret = of_kind(objects, "Secret").find(|secret| secret["metadata"]["name"] == *name);
            (&source["secret"], secret.map_or(&Value::Null, |secret| &secret["data"]))
        } else {
            return vec![];
        };
        let content = |key: &str| {
            let found = data[key].as_str();
            assert!(found.is_some() || data.is_null(), "no key {key}: {source}");
            found.unwrap_or_default().to_owned()
        };
        if from["items"].is_array() {
            let items = list(&from["items"]);
            items.map(|item| (text(item, "/path").to_owned(), content(text(item, "/key")))).collect()
        } else {
            data.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), content(key))).collect()
        }
    };
    sources.flat_map(one).collect()
}
