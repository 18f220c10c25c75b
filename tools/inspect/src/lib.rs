//! What a system holds, running or stopped: `myevents verify` and `myevents dead`.
//!
//! - [`verify`]: whether what is stored agrees with itself, and with what clients were told; read it first
//! - [`dead`]: the messages that a service gave up on, and the way back to their queue
//! - [`data_folder`]: the files of a stopped system
//!
//! A service's tables are read by its own `store/audit.rs`, which hands out plain facts.

pub mod data_folder;
pub mod dead;
pub mod verify;
