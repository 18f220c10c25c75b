//! Things to create. Names are unique, so that the tests also run against a system that others use.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

/// When the sample events begin and end.
pub const START: &str = "2100-05-01T18:00:00.000Z";
/// See [`START`].
pub const END: &str = "2100-05-01T22:00:00.000Z";
/// A well-formed id that nothing has.
pub const NOBODY: &str = "01936c4e-7d00-7000-8000-00000000dead";

/// `text` with something behind it that no other test and no earlier run has.
pub fn unique(text: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0); // the tests of a binary share a process
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_nanos();
    format!("{text} {now:x}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The body of an event with `capacity` seats.
pub fn event(name: &str, capacity: u64) -> Value {
    json!({"name": name, "start_date": START, "end_date": END, "capacity": capacity})
}

/// The body of an event that never sells out.
pub fn unlimited(name: &str) -> Value {
    json!({"name": name, "start_date": START, "end_date": END})
}

/// The body of a location with one hall.
pub fn location(name: &str) -> Value {
    json!({
        "name": name, "address": "1 Harbour Street", "country": "Iceland",
        "open_time": "18:00", "close_time": "02:00", "halls": [{"name": "Silfurberg", "capacity": 750}],
    })
}
