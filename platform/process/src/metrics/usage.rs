//! What a process says of itself: which build it is, how many services it runs, and what it uses, see `proc.rs`.

use metrics::{Registry, Result};

/// Registers what the process uses, where the system shows that: on Linux.
pub fn register(registry: &Registry) -> Result<()> {
    #[cfg(target_os = "linux")]
    super::proc::register(registry)?;
    #[cfg(not(target_os = "linux"))]
    let _ = registry;
    Ok(())
}

/// Registers the number of services in the process. Its threads, CPU time and memory are those of all of them together, so a limit
/// for one service must be multiplied by this number.
pub fn register_services(registry: &Registry, services: usize) -> Result<()> {
    let gauge =
        registry.gauge("myevents_services_in_process", "Services that run in this process and share what it uses.")?;
    gauge.set(services as f64);
    Ok(())
}

/// Registers `myevents_build_info`, which says in its labels which build this is. `version` is the program's own.
pub fn register_build(registry: &Registry, version: &str) -> Result<()> {
    let info = registry.gauge_vec(
        "myevents_build_info",
        "Always 1; the labels say which build this is.",
        &["version", "revision", "rustc", "target"],
    )?;
    let values = [version, env!("BUILD_REVISION"), env!("BUILD_RUSTC"), env!("BUILD_TARGET")];
    info.with_label_values(&values).set(1.0);
    Ok(())
}
