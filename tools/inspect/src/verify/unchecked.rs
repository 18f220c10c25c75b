//! Why a system could not be checked. Then the exit code is 2, and nothing is said about what it holds.

/// Why it could not be checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unchecked {
    /// The system did not come to rest.
    #[error("the system did not become quiet: {0}; stop what uses it, or give it longer with --patience")]
    Noisy(String),
    /// Something cannot be read.
    #[error("{0:#}")]
    Away(#[from] anyhow::Error),
}
