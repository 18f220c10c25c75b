//! A metric as the code registers it.

/// What it is, and what a scrape and a query may say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether a histogram is a native one, too.
    pub native: bool,
    /// The labels of its own, in alphabetical order.
    pub labels: Vec<String>,
    /// What it says in words.
    pub help: String,
    /// Where it is registered, from the root of the workspace.
    pub file: String,
}

/// The types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Observations, counted in buckets.
    Histogram,
    /// Observations as quantiles.
    Summary,
}

impl Kind {
    /// The word in the line `TYPE`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

impl Metric {
    /// Whether all replicas on one store show the same, so that a sum would double it. Its help says so.
    pub fn of_the_store(&self) -> bool {
        self.help.ends_with(" Of the store.")
    }

    /// The unit, from the name's end; nothing for what is counted in pieces.
    pub fn unit(&self) -> &'static str {
        let name = self.name.strip_suffix("_total").unwrap_or(&self.name);
        let units = [
            ("_timestamp_seconds", "timestamp"),
            ("_time_seconds", "timestamp"),
            ("_microseconds", "microseconds"),
            ("_seconds", "seconds"),
            ("_bytes", "bytes"),
            ("_ratio", "ratio"),
            ("_info", "info"),
        ];
        units.iter().find(|(end, _)| name.ends_with(end)).map_or("", |(_, unit)| unit)
    }

    /// Each name that a query may say, with the labels of these series.
    pub fn series(&self) -> Vec<(String, Vec<String>)> {
        let with = |end: &str, more: Option<&str>| {
            let labels = self.labels.iter().cloned().chain(more.map(str::to_owned));
            (format!("{}{end}", self.name), labels.collect())
        };
        let native = self.native.then(|| with("", None));
        let mut series = match self.kind {
            Kind::Counter | Kind::Gauge => vec![with("", None)],
            Kind::Histogram => vec![with("_bucket", Some("le")), with("_count", None), with("_sum", None)],
            Kind::Summary => vec![with("", Some("quantile")), with("_count", None), with("_sum", None)],
        };
        series.extend(native);
        series
    }
}
