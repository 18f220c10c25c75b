//! What the process uses: CPU, memory, descriptors, threads. These metrics have the names that every Prometheus client uses, and are
//! read from /proc at each scrape. Only Linux has it as it is read here: elsewhere they are left out.
//!
//! **Workaround for prometheus 0.14**, whose collector cuts CPU time to whole seconds, so that the rate of an idle service jumps
//! between 0 and 1.67 % (<https://github.com/tikv/rust-prometheus/issues/451>, open). Here it is a float. When that is fixed, its
//! collector can replace this one, but for the memory limit.

use std::sync::OnceLock;

use procfs::process::{LimitValue, Process, Stat};
use prometheus::{
    Counter, Gauge, Registry, Result,
    core::{Collector, Desc},
    proto::{self, MetricFamily},
};

/// Registers the collector, if there is a /proc to read.
pub(super) fn register(registry: &Registry) -> Result<()> {
    if Process::myself().is_err() {
        return Ok(());
    }
    registry.register(Box::new(ProcessCollector::new()?))
}

struct ProcessCollector {
    cpu: Counter,
    gauges: Vec<(Gauge, Read)>,
}

/// Finds a gauge's value; `None` if this machine does not show it.
type Read = fn(&Process, &Stat) -> Option<f64>;

impl ProcessCollector {
    fn new() -> Result<Self> {
        let gauges: [(&str, &str, Read); 8] = [
            ("process_resident_memory_bytes", "Resident memory, in bytes.", |_, stat| {
                Some(stat.rss as f64 * procfs::page_size() as f64)
            }),
            ("process_virtual_memory_bytes", "Virtual memory, in bytes.", |_, stat| Some(stat.vsize as f64)),
            ("process_virtual_memory_max_bytes", "The most virtual memory there may be, in bytes.", |me, _| {
                limit(me.limits().ok()?.max_address_space.soft_limit)
            }),
            ("process_open_fds", "Open file descriptors.", |me, _| Some(me.fd_count().ok()? as f64)),
            ("process_max_fds", "The most file descriptors that may be open.", |me, _| {
                limit(me.limits().ok()?.max_open_files.soft_limit)
            }),
            ("process_start_time_seconds", "When the process started, in seconds since 1970.", |_, stat| {
                started(stat.starttime, || procfs::boot_time_secs().ok())
            }),
            ("process_threads", "Threads of the process.", |_, stat| Some(stat.num_threads as f64)),
            (
                "myevents_memory_limit_bytes",
                "The memory the process may use: its cgroup's limit, else the machine's memory, in bytes.",
                |me, _| memory_limit(me),
            ),
        ];
        let gauges = gauges.into_iter().map(|(name, help, read)| Ok((Gauge::new(name, help)?, read)));
        let cpu = Counter::new("process_cpu_seconds_total", "User and system CPU time spent, in seconds.")?;
        Ok(Self { cpu, gauges: gauges.collect::<Result<_>>()? })
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = self.gauges.iter().flat_map(|(gauge, _)| gauge.desc());
        self.cpu.desc().into_iter().chain(gauges).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let process = Process::myself().and_then(|me| Ok((me.stat()?, me)));
        let Ok((stat, me)) = process else { return Vec::new() };
        let mut families = self.cpu.collect();
        // What was read is put into the collected form, since a `Counter` can only be increased.
        let mut cpu = proto::Counter::default();
        cpu.set_value((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64);
        families[0].mut_metric()[0].set_counter(cpu);
        for (gauge, read) in &self.gauges {
            if let Some(value) = read(&me, &stat) {
                gauge.set(value);
                families.extend(gauge.collect());
            }
        }
        families
    }
}

/// When the process started, so many ticks after the boot. The kernel moves the time of the boot whenever the clock is corrected, and
/// that would look like a restart. So it is asked once, and here rather than for each registry: two services in one process started
/// together.
fn started(ticks: u64, boot_time: impl FnOnce() -> Option<u64>) -> Option<f64> {
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
        let before = started(100, || Some(1_900_000_000));
        assert_eq!(before, started(100, || Some(1_900_000_007)));
    }
}
