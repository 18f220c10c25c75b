//! What the page shows of the system at work: a sample each 2 s, made of the `/metrics` of all processes, while somebody looks.
//!
//! - `replicas`: which processes there are; `scrape` asks them
//! - `reading`: what one of them says
//! - `ledger`: what a service has counted, whichever of its processes did it
//! - `windows`, `quantile`: how much of that was within the last seconds
//! - `sample`: all of it together; `ring` keeps the last ones
//! - `sampler`: takes them
//! - `lists`: the lists of events that browsers show

mod ledger;
pub(crate) mod lists;
mod quantile;
mod reading;
pub(crate) mod replicas;
pub(crate) mod ring;
mod sample;
pub(crate) mod sampler;
mod scrape;
mod windows;
