//! A strict reader of the Prometheus text format 0.0.4: what Prometheus would let pass as untidy is an error here.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>. Each family has its `HELP` and `TYPE` once and
//! before its samples, families do not mix, no series is there twice, and a histogram's buckets grow up to its count.

use std::collections::{BTreeMap, BTreeSet};

use crate::series::{Sample, sample};

/// All families, by name.
#[derive(Debug, Default)]
pub struct Exposition {
    /// What `/metrics` said.
    pub families: BTreeMap<String, Family>,
}

/// A metric with all its series.
#[derive(Debug, Default)]
pub struct Family {
    /// `counter`, `gauge`, `histogram` or `summary`.
    pub kind: String,
    /// What it says in words.
    pub help: String,
    /// Its series; of a histogram each bucket, the sum and the count, of a summary each quantile and both.
    pub samples: Vec<Sample>,
}

impl Exposition {
    /// All samples of this name (`x`, `x_bucket`, `x_count`) that have these labels, whatever others they have.
    pub fn samples<'e>(&'e self, name: &'e str, labels: &'e [(&'e str, &'e str)]) -> impl Iterator<Item = &'e Sample> {
        let all = self.families.values().flat_map(|family| &family.samples);
        all.filter(move |sample| sample.name == name && sample.has(labels))
    }

    /// Their sum; 0 where there are none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples(name, labels).map(|sample| sample.value).sum()
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        self.families.values().map(|family| family.samples.len()).sum()
    }

    /// How much a sum grew since `before`.
    pub fn grew(&self, before: &Self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.sum(name, labels) - before.sum(name, labels)
    }
}

/// Reads a whole exposition.
pub fn read(text: &str) -> Result<Exposition, String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line does not end".into());
    }
    let mut all = Exposition::default();
    let (mut help, mut now): (Option<(&str, &str)>, Option<String>) = (None, None);
    for line in text.lines() {
        let wrong = |what: &str| format!("{what}: {line}");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = Some(rest.split_once(' ').ok_or_else(|| wrong("no help text"))?);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| wrong("no type"))?;
            let (documented, help) = help.take().ok_or_else(|| wrong("TYPE without HELP"))?;
            let known = ["counter", "gauge", "histogram", "summary"].contains(&kind);
            if documented != name || !known {
                return Err(wrong("HELP and TYPE do not fit"));
            }
            let family = Family { kind: kind.into(), help: help.into(), samples: Vec::new() };
            if all.families.insert(name.into(), family).is_some() {
                return Err(wrong("the family is there twice"));
            }
            now = Some(name.into());
        } else {
            let sample = sample(line).map_err(|cause| wrong(&cause))?;
            let name = now.as_ref().ok_or_else(|| wrong("a sample without a family"))?;
            let family = all.families.get_mut(name).ok_or_else(|| wrong("a sample without a family"))?;
            belongs(name, family, &sample).map_err(|cause| wrong(&cause))?;
            family.samples.push(sample);
        }
    }
    for (name, family) in &all.families {
        whole(family).map_err(|cause| format!("{name}: {cause}"))?;
    }
    Ok(all)
}

fn belongs(name: &str, family: &Family, sample: &Sample) -> Result<(), String> {
    let suffix = sample.name.strip_prefix(name).ok_or("a sample of another family")?;
    let right = match family.kind.as_str() {
        "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
        "summary" => ["", "_sum", "_count"].contains(&suffix),
        _ => suffix.is_empty(),
    };
    let (bucket, quantile) = (suffix == "_bucket", suffix.is_empty() && family.kind == "summary");
    if !right || bucket != sample.labels.contains_key("le") || quantile != sample.labels.contains_key("quantile") {
        return Err("a name or label that does not fit the type".into());
    }
    // A quantile is NaN while nothing was observed.
    let counts = family.kind != "gauge" && !quantile;
    if counts && (sample.value.is_nan() || sample.value < 0.0) {
        return Err("less than zero".into());
    }
    Ok(())
}

fn whole(family: &Family) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for sample in &family.samples {
        if !seen.insert((&sample.name, &sample.labels)) {
            return Err(format!("a series is there twice: {sample:?}"));
        }
    }
    if family.kind == "histogram" { buckets_grow(family) } else { Ok(()) }
}

fn buckets_grow(family: &Family) -> Result<(), String> {
    let mut last: BTreeMap<Vec<(&str, &str)>, (f64, f64)> = BTreeMap::new();
    for sample in &family.samples {
        let key: Vec<_> = sample.labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).filter(|l| l.0 != "le").collect();
        if sample.name.ends_with("_bucket") {
            let le: f64 = sample.labels["le"].parse().map_err(|_| format!("le is no number: {sample:?}"))?;
            let (bound, count) = last.get(&key).copied().unwrap_or((f64::NEG_INFINITY, 0.0));
            if le <= bound || sample.value < count {
                return Err(format!("the buckets do not grow: {sample:?}"));
            }
            last.insert(key, (le, sample.value));
        } else if sample.name.ends_with("_count") && last.get(&key) != Some(&(f64::INFINITY, sample.value)) {
            return Err(format!("the last bucket is not the count: {sample:?}"));
        }
    }
    Ok(())
}
