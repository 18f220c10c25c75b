//! The MongoDB protocol where it is hard: crashes and lost answers between its steps, replicas, a server that goes away.
//!
//! - `world`: replicas on one database, and what must be true there when every request is complete
//! - `crashes`, `lost_answers`: each step by itself
//! - `janitor`, `outbox`: the same for what runs beside the requests
//! - `storm`: all of it at once, with relay and view
//! - `older`: a database that an older version has written
//! - `replicas`, `holds`, `away`: who relays, how long the list of holds gets, a server that stops and starts
//! - `clocks`: replicas whose clocks are wrong

mod away;
mod clocks;
mod crashes;
mod holds;
mod janitor;
mod lost_answers;
mod older;
mod outbox;
mod replicas;
mod storm;
mod world;
