//! Graceful shutdown: SIGINT and SIGTERM cancel one token. Everything that runs has a clone of it and stops when it is cancelled.
//!
//! A second signal ends the process at once, for a user who presses Ctrl-C twice.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that the first SIGINT or SIGTERM cancels. Needs a running runtime.
pub fn on_signal() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let first = token.clone();
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tracing::info!("stopping; a second signal ends it at once");
        first.cancel();
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        std::process::exit(130); // 128 + SIGINT, as shells expect
    });
    Ok(token)
}
