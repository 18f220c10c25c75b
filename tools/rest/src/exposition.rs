//! Reads the few numbers that are needed out of `/metrics`.
//!
//! What one process counts for itself is added up over the replicas of a service. What is stored is the same at all
//! of them, as soon as each has read the store again.

/// What the replicas of one service answered.
pub struct Replicas(pub Vec<Exposition>);

impl Replicas {
    /// A metric of the process: of all replicas together.
    pub fn sum(&self, name: &str) -> u64 {
        self.0.iter().filter_map(|one| one.sum(name)).fold(0, u64::saturating_add)
    }

    /// A metric of the store: the highest, as the others do not know it yet. `None` where there is none of that name.
    pub fn stored(&self, name: &str) -> Option<u64> {
        self.0.iter().filter_map(|one| one.sum(name)).max()
    }

    /// A metric of each replica.
    pub fn each(&self, name: &str) -> Vec<Option<u64>> {
        self.0.iter().map(|one| one.sum(name)).collect()
    }

    /// Every value of one label of a metric, perhaps more than once.
    pub fn labels<'t>(&'t self, name: &'t str, label: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.iter().flat_map(move |one| one.labels(name, label))
    }
}

/// The text that an ops port answered.
pub struct Exposition(pub String);

/// One series of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Series<'t> {
    /// The metric.
    pub name: &'t str,
    /// What tells it from others of the metric.
    pub labels: Labels<'t>,
    /// The value.
    pub value: f64,
}

/// The labels of a series, as they stand in the text: `{a="1",b="2"}`, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labels<'t>(&'t str);

impl<'t> Labels<'t> {
    /// The value of the label `name`, up to the first quote: what is asked for has none in it.
    pub fn get(self, name: &str) -> Option<&'t str> {
        let of_this_name = |at: &usize| {
            let is_whole = self.0[..*at].ends_with(['{', ',']);
            is_whole && self.0[at + name.len()..].starts_with("=\"")
        };
        let at = self.0.match_indices(name).map(|(at, _)| at).find(of_this_name)?;
        self.0[at + name.len() + 2..].split('"').next()
    }
}

impl Exposition {
    /// All series, in the order of the text.
    pub fn series(&self) -> impl Iterator<Item = Series<'_>> {
        self.0.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, rest) = line.split_at(line.find(['{', ' '])?);
            let (labels, value) = rest.rsplit_once(' ')?;
            Some(Series { name, labels: Labels(labels), value: value.parse().ok()? })
        })
    }

    /// A metric, of all its series together; `None` where there is none of that name.
    pub fn sum(&self, name: &str) -> Option<u64> {
        let values = self.series().filter(|series| series.name == name);
        values.map(|series| series.value.max(0.0) as u64).reduce(|sum, value| sum.saturating_add(value))
    }

    /// Every value of one label of a metric.
    pub fn labels<'t>(&'t self, name: &'t str, label: &'t str) -> impl Iterator<Item = &'t str> {
        self.series().filter(move |series| series.name == name).filter_map(move |series| series.labels.get(label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_read_with_its_series_and_labels_and_no_other_that_begins_alike() {
        let text =
            "# HELP a A.\n# TYPE a gauge\na 3\nab 4\nc{eventID=\"x\",eventName=\"a } \\\" 9\"} 5\nc{eventID=\"y\"} 6\n";
        let metrics = Exposition(text.into());
        assert_eq!(metrics.sum("a"), Some(3));
        assert_eq!(metrics.sum("c"), Some(11));
        assert_eq!(metrics.sum("d"), None);
        assert_eq!(metrics.labels("c", "eventID").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn a_label_is_found_by_its_whole_name() {
        let metrics = Exposition("a{xle=\"1\",le=\"+Inf\",file=\"2\"} 5e-05\n".into());
        let one = metrics.series().next().unwrap();
        assert_eq!((one.name, one.value), ("a", 5e-5));
        assert_eq!(
            (one.labels.get("le"), one.labels.get("e"), one.labels.get("file")),
            (Some("+Inf"), None, Some("2"))
        );
    }

    #[test]
    fn what_a_process_counts_is_added_up_and_what_is_stored_is_not() {
        let replicas =
            Replicas(vec![Exposition("a 3\nb{x=\"1\"} 1\n".into()), Exposition("a 5\nb{x=\"2\"} 1\n".into())]);
        assert_eq!((replicas.sum("a"), replicas.stored("a"), replicas.each("a")), (8, Some(5), vec![Some(3), Some(5)]));
        assert_eq!((replicas.sum("c"), replicas.stored("c")), (0, None));
        assert_eq!(replicas.labels("b", "x").collect::<Vec<_>>(), ["1", "2"]);
    }
}
