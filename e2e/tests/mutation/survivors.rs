//! What no test can see.

/// Mutants as they are printed, sorted, and why they stay alive.
pub(crate) const SURVIVORS: &[(&str, &str)] = &[(
    "broker.yml, MyEventsQueueGrowing, line 42: > -> >=",
    "a queue that has exactly 1,000 messages for ten minutes does not grow",
)];
