//! The metrics of the process, with the names that every Prometheus client uses, read from /proc at each scrape. A system
//! without /proc has none of them.
//!
//! **Workaround for prometheus 0.14**, whose collector cuts CPU time to whole seconds, so that the rate of an idle service jumps
//! between 0 and 1.67 % (<https://github.com/tikv/rust-prometheus/issues/451>, open). Here it is a float. When that is fixed, its
//! collector can replace this one, but for the memory limit.

use prometheus::{
    Gauge, Registry, Result,
    core::{Collector, Desc},
    proto::{Counter, LabelPair, Metric, MetricFamily, MetricType},
    register_int_gauge_with_registry,
};

/// Registers the collector, if there is a /proc to read.
pub fn register(registry: &Registry) -> Result<()> {
    if procfs::process::Process::myself().is_err() {
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

struct ProcessCollector {
    cpu: Desc,
    gauges: Vec<(Gauge, Read)>,
}

/// Finds a gauge's value in a sample; `None` if this machine does not show it.
type Read = fn(&Sample) -> Option<f64>;

/// What was read from /proc at one time.
struct Sample {
    stat: procfs::process::Stat,
    limits: Option<procfs::process::Limits>,
    open_fds: Option<usize>,
    boot_time: Option<u64>,
    memory_limit: Option<u64>,
}

const CPU: (&str, &str) = ("process_cpu_seconds_total", "User and system CPU time spent, in seconds.");

impl ProcessCollector {
    fn new() -> Result<Self> {
        let gauges: [(&str, &str, Read); 8] = [
            ("process_resident_memory_bytes", "Resident memory, in bytes.", |s| {
                Some(s.stat.rss as f64 * procfs::page_size() as f64)
            }),
            ("process_virtual_memory_bytes", "Virtual memory, in bytes.", |s| Some(s.stat.vsize as f64)),
            ("process_virtual_memory_max_bytes", "The most virtual memory there may be, in bytes.", |s| {
                limit(s.limits.as_ref()?.max_address_space.soft_limit)
            }),
            ("process_open_fds", "Open file descriptors.", |s| s.open_fds.map(|n| n as f64)),
            ("process_max_fds", "The most file descriptors that may be open.", |s| {
                limit(s.limits.as_ref()?.max_open_files.soft_limit)
            }),
            ("process_start_time_seconds", "When the process started, in seconds since 1970.", |s| {
                Some(s.boot_time? as f64 + s.stat.starttime as f64 / procfs::ticks_per_second() as f64)
            }),
            ("process_threads", "Threads of the process.", |s| Some(s.stat.num_threads as f64)),
            (
                "myevents_memory_limit_bytes",
                "The memory the process may use: its cgroup's limit, else the machine's memory, in bytes.",
                |s| s.memory_limit.map(|bytes| bytes as f64),
            ),
        ];
        let gauges = gauges.into_iter().map(|(name, help, read)| Ok((Gauge::new(name, help)?, read)));
        let cpu = Desc::new(CPU.0.into(), CPU.1.into(), Vec::new(), Default::default())?;
        Ok(Self { cpu, gauges: gauges.collect::<Result<_>>()? })
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = self.gauges.iter().flat_map(|(gauge, _)| gauge.desc());
        std::iter::once(&self.cpu).chain(gauges).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(sample) = Sample::take() else { return Vec::new() };
        let ticks = (sample.stat.utime + sample.stat.stime) as f64;
        let mut families = vec![counter(CPU.0, CPU.1, ticks / procfs::ticks_per_second() as f64)];
        for (gauge, read) in &self.gauges {
            if let Some(value) = read(&sample) {
                gauge.set(value);
                families.extend(gauge.collect());
            }
        }
        families
    }
}

/// A counter with a value that was read. The crate's own `Counter` can only be increased.
fn counter(name: &str, help: &str, value: f64) -> MetricFamily {
    let mut counter = Counter::default();
    counter.set_value(value);
    let mut metric = Metric::from_label(Vec::<LabelPair>::new());
    metric.set_counter(counter);
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(MetricType::COUNTER);
    family.set_metric(vec![metric]);
    family
}

impl Sample {
    fn take() -> procfs::ProcResult<Self> {
        let me = procfs::process::Process::myself()?;
        Ok(Self {
            stat: me.stat()?,
            limits: me.limits().ok(),
            open_fds: me.fd_count().ok(),
            boot_time: procfs::boot_time_secs().ok(),
            memory_limit: memory_limit(&me),
        })
    }
}

fn limit(value: procfs::process::LimitValue) -> Option<f64> {
    match value {
        procfs::process::LimitValue::Unlimited => Some(-1.0), // as Go's client writes it
        procfs::process::LimitValue::Value(value) => Some(value as f64),
    }
}

/// The smallest `memory.max` (cgroup 2) on the way up, else the machine's memory.
fn memory_limit(me: &procfs::process::Process) -> Option<u64> {
    use procfs::Current;
    let machine = procfs::Meminfo::current().ok().map(|memory| memory.mem_total);
    let groups = me.cgroups().ok();
    let group = groups.iter().flat_map(|groups| groups.0.iter()).find(|group| group.hierarchy == 0);
    let path = group.map_or("/", |group| group.pathname.as_str());
    let folders = std::path::Path::new(path).ancestors().map(|folder| folder.display().to_string());
    let limits = folders.filter_map(|folder| {
        std::fs::read_to_string(format!("/sys/fs/cgroup{folder}/memory.max")).ok()?.trim().parse().ok()
    });
    limits.chain(machine).min()
}
