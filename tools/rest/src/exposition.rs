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

impl Exposition {
    /// A metric, of all its series together; `None` where there is none of that name.
    pub fn sum(&self, name: &str) -> Option<u64> {
        let values = self.series(name).filter_map(|(_, value)| value.parse::<f64>().ok());
        values.map(|value| value.max(0.0) as u64).reduce(|sum, value| sum.saturating_add(value))
    }

    /// Every value of one label of a metric.
    pub fn labels<'t>(&'t self, name: &'t str, label: &str) -> impl Iterator<Item = &'t str> {
        let begin = format!("{label}=\"");
        self.series(name).filter_map(move |(labels, _)| {
            // Ids are asked for, and in those nothing is escaped.
            let value = &labels[labels.find(&begin)? + begin.len()..];
            value.split('"').next()
        })
    }

    /// The series of a metric: the labels, and the value.
    fn series<'t>(&'t self, name: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            (labels.is_empty() || labels.starts_with('{')).then_some((labels, value))
        })
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
    fn what_a_process_counts_is_added_up_and_what_is_stored_is_not() {
        let replicas =
            Replicas(vec![Exposition("a 3\nb{x=\"1\"} 1\n".into()), Exposition("a 5\nb{x=\"2\"} 1\n".into())]);
        assert_eq!((replicas.sum("a"), replicas.stored("a"), replicas.each("a")), (8, Some(5), vec![Some(3), Some(5)]));
        assert_eq!((replicas.sum("c"), replicas.stored("c")), (0, None));
        assert_eq!(replicas.labels("b", "x").collect::<Vec<_>>(), ["1", "2"]);
    }
}
