//! `myevents_build_info`: a gauge that is always 1 and says in its labels which build this is.

use prometheus::{IntGaugeVec, Opts, Registry, Result};

/// Registers it. `version` is the service's own.
pub fn register(registry: &Registry, version: &str) -> Result<()> {
    let info = IntGaugeVec::new(
        Opts::new("myevents_build_info", "Always 1; the labels say which build this is."),
        &["version", "revision", "rustc", "target"],
    )?;
    let labels = [version, env!("BUILD_REVISION"), env!("BUILD_RUSTC"), env!("BUILD_TARGET")];
    info.with_label_values(&labels).set(1);
    registry.register(Box::new(info))
}
