//! What the stories of a process cost, measured: a process of its own does nothing else.

use std::fs;

use trace::{Stories, Traced, stories::Answer};
use uuid::Uuid;

/// As `stories.rs` promises.
const BYTES_MAX: usize = 8_000_000;

/// The memory of this process that is in use, as Linux tells it.
fn resident() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok().map(|kb: usize| kb * 1024)
}

#[test]
fn stories_stay_as_small_as_they_are_said_to_be_however_many_requests_come() {
    let Some(before) = resident() else {
        eprintln!("not run: only Linux says how much memory a process uses");
        return;
    };
    let stories = Stories::default();
    let request = |_| {
        let traced = Traced::received(&stories, "POST", None, "");
        let origin = traced.origin(None).unwrap();
        origin.writes(Uuid::now_v7());
        origin.writes(Uuid::now_v7());
        origin.made(Uuid::now_v7());
        let route = Some("/events/{id}/bookings/of/a/long/route".to_owned());
        traced.answered(Answer { route, status: 201, path: "/", request_id: "" });
    };
    (0..100_000).for_each(request);
    let used = resident().unwrap() - before;
    assert!(used < BYTES_MAX, "{used} bytes");
}
