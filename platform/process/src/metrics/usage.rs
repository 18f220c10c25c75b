//! The metrics of the process: which build it is, how many services it runs, and what it uses. The last have the names that
//! every Prometheus client uses, and are read from /proc at each scrape. A system without /proc has none of them.
//!
//! **Workaround for prometheus 0.14**, whose collector cuts CPU time to whole seconds, so that the rate of an idle service jumps
//! between 0 and 1.67 % (<https://github.com/tikv/rust-prometheus/issues/451>, open). Here it is a float. When that is fixed, its
//! collector can replace this one, but for the memory limit.

use procfs::process::{LimitValue, Process, Stat};
use prometheus::{
    Counter, Gauge, Registry, Result,
    core::{Collector, Desc},
    proto::{self, MetricFamily},
    register_int_gauge_vec_with_registry, register_int_gauge_with_registry,
};

/// Registers the collector, if there is a /proc to read.
pub fn register(registry: &Registry) -> Result<()> {
    if Process::myself().is_err() {
        return Ok(());
    }
    registry.register(Box::new(ProcessCollector::new()?))
}

/// Registers the number of services in the process. Its threads, CPU time and memory are those of all of them together, so a limit
/// for one service must be multiplied by this number.
pub fn register_services(registry: &Registry, services: usize) -> Result<()> {
    let gauge = register_int_gauge_with_registry!(
        "myevents_services_in_process",
        "Services that run in this process and share what it uses.",
        registry,
    )?;
    gauge.set(i64::try_from(services).unwrap_or(i64::MAX));
    Ok(())
}

/// Registers `myevents_build_info`, which says in its labels which build this is. `version` is the program's own.
pub fn register_build(registry: &Registry, version: &str) -> Result<()> {
    let info = register_int_gauge_vec_with_registry!(
        "myevents_build_info",
        "Always 1; the labels say which build this is.",
        &["version", "revision", "rustc", "target"],
        registry,
    )?;
    let labels = [version, env!("BUILD_REVISION"), env!("BUILD_RUSTC"), env!("BUILD_TARGET")];
    info.with_label_values(&labels).set(1);
    Ok(())
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
                let boot_time = procfs::boot_time_secs().ok()?;
                Some(boot_time as f64 + stat.starttime as f64 / procfs::ticks_per_second() as f64)
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
