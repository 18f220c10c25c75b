//! `myevents_build_info`: a gauge that is always 1 and says in its labels which build this is.

use prometheus::{Registry, Result, register_int_gauge_vec_with_registry};

/// Registers it. `version` is the service's own.
pub fn register(registry: &Registry, version: &str) -> Result<()> {
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
