//! What has no series while all is well, and what has none because its maker does not run here.

use e2e::promql::Selector;

/// Selectors that return data only in trouble, or in another system than this one. At most ten.
pub(crate) struct Listed {
    /// How they begin.
    pub(crate) selectors: &'static str,
    /// The test of `e2e/tests/drills` in which they return data.
    pub(crate) drill: &'static str,
    pub(crate) why: &'static str,
}

pub(crate) const LISTED: [Listed; 4] = [
    Listed {
        selectors: r#"ALERTS{alertstate="firing",team="myevents",severity"#,
        drill: "any",
        why: "nothing fires but Watchdog, which is neither critical nor a warning",
    },
    Listed {
        selectors: r#"ALERTS{team="myevents",alertname!="Watchdog"#,
        drill: "any",
        why: "nothing is pending or fires but Watchdog",
    },
    Listed {
        selectors: "myevents_data_free_bytes{",
        drill: "the data folder fills up",
        why: "the space for SQLite; here is MongoDB",
    },
    Listed {
        selectors: "myevents_store_",
        drill: "the data folder fills up",
        why: "commits of SQLite, and who waits for them; here is MongoDB",
    },
];

/// What nobody exports here.
pub(crate) struct NotHere {
    /// How their names begin.
    pub(crate) metrics: &'static str,
    /// Whatever has this `job` is not here, either; empty: none.
    pub(crate) job: &'static str,
    /// As soon as this returns data, its selectors must, too.
    pub(crate) unless: &'static str,
    /// Said in each run.
    pub(crate) why: &'static str,
}

pub(crate) const NOT_HERE: [NotHere; 4] = [
    NotHere {
        metrics: "mongodb_",
        job: "mongodb",
        unless: r#"up{job="mongodb"}"#,
        why: "the metrics of mongodb_exporter, which no package provides",
    },
    NotHere {
        metrics: "mongodb_rs_",
        job: "",
        unless: "mongodb_rs_members_state",
        why: "the members of a replica set, since Compose has a single MongoDB",
    },
    NotHere {
        metrics: "grafana_",
        job: "grafana",
        unless: r#"up{job="grafana"}"#,
        why: "Grafana's own metrics, since no package provides it",
    },
    NotHere {
        metrics: "rabbitmq_detailed_queue_info",
        job: "",
        unless: r#"rabbitmq_build_info{rabbitmq_version!~"[123][.].*|4[.]0[.].*"}"#,
        why: "who leads a queue (rabbitmq_detailed_queue_info), which RabbitMQ exports since 4.1",
    },
];

impl Listed {
    /// Whether the selector is one of them.
    pub(crate) fn is(&self, selector: &Selector) -> bool {
        selector.text().starts_with(self.selectors)
    }
}

impl NotHere {
    /// Whether the selector is one of them.
    pub(crate) fn is(&self, selector: &Selector) -> bool {
        let of_the_job =
            |(name, how, value): &(String, String, String)| name == "job" && how == "=" && value == self.job;
        selector.metric.starts_with(self.metrics) || selector.matchers.iter().any(of_the_job)
    }
}
