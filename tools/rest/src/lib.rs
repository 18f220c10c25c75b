//! How the tools ask a running system: the REST of both services, and their ops ports. Read [`client`] first.
//!
//! - [`client`]: one question at a time, and what its JSON says
//! - [`connection`]: the connection under it, which `load` uses as it is, since that must be fast
//! - [`urls`]: where the services are, and the options that say so
//! - [`dead_letters`]: what the ops ports answer at `/dead`
//! - [`shapes`]: what the services answer, as far as the tools need it
//! - [`exposition`]: what an ops port answers at `/metrics`

pub mod client;
pub mod connection;
pub mod dead_letters;
pub mod exposition;
pub mod shapes;
pub mod urls;

pub use self::{
    client::{RestClient, RestError},
    connection::{Answer, Connection, Failure, Request},
    urls::Target,
};
