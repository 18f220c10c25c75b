//! What the process uses: CPU, memory, descriptors, threads. These metrics have the names that every Prometheus client uses, and are
//! read from /proc at each scrape. Only Linux has it as it is read here: elsewhere they are left out.
//!
//! CPU time is not cut to whole seconds, as some clients do: the rate of an idle service would jump between 0 and 1.67 %.

use std::{sync::OnceLock, time::Duration};

use metrics::{Registry, Result};
use procfs::process::{LimitValue, Process, Stat};

/// Registers what there is to read in /proc, if there is one.
pub(super) fn register(registry: &Registry) -> Result<()> {
    let Ok(stat) = Process::myself().and_then(|me| me.stat()) else { return Ok(()) };
    registry.gauge_of(
        "process_resident_memory_bytes",
        "Resident memory, in bytes.",
        read(|_, stat| Some(stat.rss as f64 * procfs::page_size() as f64)),
    )?;
    registry.gauge_of(
        "process_virtual_memory_bytes",
        "Virtual memory, in bytes.",
        read(|_, stat| Some(stat.vsize as f64)),
    )?;
    registry.gauge_of(
        "process_virtual_memory_max_bytes",
        "The most virtual memory there may be, in bytes.",
        read(|me, _| limit(me.limits().ok()?.max_address_space.soft_limit)),
    )?;
    registry.gauge_of("process_open_fds", "Open file descriptors.", read(|me, _| Some(me.fd_count().ok()? as f64)))?;
    registry.gauge_of(
        "process_max_fds",
        "The most file descriptors that may be open.",
        read(|me, _| limit(me.limits().ok()?.max_open_files.soft_limit)),
    )?;
    registry.gauge_of(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        read(|_, stat| started(stat)),
    )?;
    registry.gauge_of("process_threads", "Threads of the process.", read(|_, stat| Some(stat.num_threads as f64)))?;
    registry.gauge_of(
        "myevents_memory_limit_bytes",
        "The memory the process may use: its cgroup's limit, else the machine's memory, in bytes.",
        read(|me, _| memory_limit(me)),
    )?;
    let start = Duration::from_secs_f64(started(&stat).unwrap_or_default());
    registry.counter_of("process_cpu_seconds_total", "User and system CPU time spent, in seconds.", start, || {
        let stat = Process::myself().ok()?.stat().ok()?;
        Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
    })
}

/// Asks for a gauge's value; `None` if this machine does not show it.
fn read(find: fn(&Process, &Stat) -> Option<f64>) -> impl Fn() -> Option<f64> {
    move || {
        let me = Process::myself().ok()?;
        find(&me, &me.stat().ok()?)
    }
}

fn started(stat: &Stat) -> Option<f64> {
    at_ticks(stat.starttime, || procfs::boot_time_secs().ok())
}

/// When the process started, so many ticks after the boot. The kernel moves the time of the boot whenever the clock is corrected, and
/// that would look like a restart. So it is asked once, and here rather than for each registry: two services in one process started
/// together.
fn at_ticks(ticks: u64, boot_time: impl FnOnce() -> Option<u64>) -> Option<f64> {
    static STARTED: OnceLock<Option<f64>> = OnceLock::new();
    *STARTED.get_or_init(|| Some(boot_time()? as f64 + ticks as f64 / procfs::ticks_per_second() as f64))
}

fn limit(value: LimitValue) -> Option<f64> {
    match value {
        LimitValue::Unlimited => Some(-1.0), // as Go's client writes it
        LimitValue::Value(value) => Some(value as f64),
    }
}

/// The smallest `memory.max` (cgroup 2) on the way up, else the machine's memory.
fn memory_limit(me: &Process) -> Option<f64> {
    use procfs::Current;
    let machine = procfs::Meminfo::current().ok().map(|memory| memory.mem_total);
    let groups = me.cgroups().ok();
    let group = groups.iter().flat_map(|groups| groups.0.iter()).find(|group| group.hierarchy == 0);
    let path = group.map_or("/", |group| group.pathname.as_str());
    let folders = std::path::Path::new(path).ancestors().map(|folder| folder.display().to_string());
    let limits = folders.filter_map(|folder| {
        std::fs::read_to_string(format!("/sys/fs/cgroup{folder}/memory.max")).ok()?.trim().parse().ok()
    });
    Some(limits.chain(machine).min()? as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_the_process_does_not_move_with_a_corrected_clock() {
        let before = at_ticks(100, || Some(1_900_000_000));
        assert_eq!(before, at_ticks(100, || Some(1_900_000_007)));
    }
}
