//! Signals to processes that a test has started.

use std::process::{Child, Command};

/// Sends one, like `TERM`, by the shell's own `kill`: not every machine has the program.
pub fn send(name: &str, child: &Child) {
    let kill = format!("kill -{name} {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
    assert!(sent.success(), "it was running");
}
