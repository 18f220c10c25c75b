//! What a failed read or write means for the caller.

/// Why the store did not do what it was asked to. The texts are for the log and for operators.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It was not even begun: too many others wait.
    #[error("too many requests wait for the disk")]
    Overloaded,
    /// It failed. A write may have happened or not.
    #[error("{0}")]
    Failed(String),
}
