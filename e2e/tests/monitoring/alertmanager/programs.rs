//! The Alertmanagers and amtools of this machine: Debian's old one is the lower bound of what must work, and the one that
//! `.ci/monitoring-tools` builds is what Compose runs.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use e2e::{dashboard::workspace, not_run};

/// All there are of such names: on the PATH, and of today. None, and a word, where the PATH has none.
fn all(names: &[&str]) -> Vec<PathBuf> {
    let runs = |program: &PathBuf| {
        let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let Some(installed) = names.iter().map(PathBuf::from).find(runs) else {
        not_run(&format!("{} (install Alertmanager: `apt install prometheus-alertmanager`)", names[0]));
        return vec![];
    };
    let todays = names.iter().map(|name| workspace().join("target/tools/bin").join(name)).filter(runs);
    [installed].into_iter().chain(todays).collect()
}

pub(crate) fn amtools() -> Vec<PathBuf> {
    all(&["amtool"])
}

/// Debian calls it by another name.
pub(crate) fn alertmanagers() -> Vec<PathBuf> {
    all(&["alertmanager", "prometheus-alertmanager"])
}
