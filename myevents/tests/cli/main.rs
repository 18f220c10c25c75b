//! The `myevents` program as its users meet it: started, booked at, killed, refused and stopped.
//!
//! - `start`: the start page, its command, the samples
//! - `restart`: what is there after `kill -9`
//! - `load`: the load generator, against a running system
//! - `refused`: what the program does not start with, and what it says then
//! - `stalled`: nobody reads what it writes
//! - `stop`, `stop_delay`: signals
//! - `terminal`: what `load` draws where there is somebody to see it
//! - `verify`: that it finds each damage, and nothing where there is none
//! - `dead`: the messages that were given up, and their way back
//! - `push`: the result of a load at a Pushgateway
//! - `alerts`: the bridge and the inbox
//! - `page`: the page, in the process and apart
//! - `healthcheck`: what a container's health check calls
//! - `trace`: one request, told by all processes
//! - `helpers`: the program as a value, and waiting; `program`: what stands beside the services

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod alerts;
mod dead;
mod healthcheck;
mod helpers;
mod load;
mod page;
mod program;
mod push;
mod refused;
mod restart;
mod stalled;
mod start;
mod stop;
mod stop_delay;
mod terminal;
mod trace;
mod verify;
