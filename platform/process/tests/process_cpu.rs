//! A test binary of its own: CPU time is the whole process's, and other tests would burn some of it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use metrics::Registry;

fn cpu_seconds(registry: &Registry) -> f64 {
    registry.value("process_cpu_seconds_total").unwrap()
}

/// Time on the CPU, not on the clock: the machine may be busy with other things.
fn cpu_time_of_this_thread() -> Duration {
    let ns = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(ns.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn cpu_seconds_are_floats_a_third_of_a_second_shows_as_one() {
    let registry = Registry::new();
    process::metrics::usage::register(&registry).unwrap();
    let before = cpu_seconds(&registry);
    let began = cpu_time_of_this_thread();
    while cpu_time_of_this_thread() - began < Duration::from_millis(300) {
        std::hint::black_box((0..10_000u64).sum::<u64>());
    }
    let burnt = cpu_seconds(&registry) - before;
    assert!((0.2..0.5).contains(&burnt), "{burnt}");
}
