//! How a load goes, for a program that started it: told while it works, in place of the bar on a terminal.

use serde::Serialize;

/// Since the load began, the selling of the first seats included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seen {
    /// Requests that were sent.
    pub requests: u64,
    /// Requests that were sent and had no answer.
    pub unanswered: u64,
    /// Answers that should not have been.
    pub unexpected: u64,
    /// Half of the requests had their answer within so many seconds; `None` where there was none.
    pub p50: Option<f64>,
    /// 99 of 100.
    pub p99: Option<f64>,
}
