//! `prometheus/alertmanager`: read by amtool, and delivered by real Alertmanagers to receivers of the tests' own.
//!
//! - [`files`]: what stands in the configuration, and each row of its table of routes
//! - [`delivery`]: who is notified of what, how it reads, and what is muted
//! - [`programs`]: the Alertmanagers that there are; [`running`]: one of them, with short waits
//! - [`receivers`]: the ends of all its ways, [`mail`]: a mail as it arrives

mod delivery;
mod files;
mod mail;
pub(crate) mod programs;
mod receivers;
mod running;
