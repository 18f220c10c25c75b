//! The `bookingservice` binary: the service on its own.

use std::process::ExitCode;

use bookingservice::{app, config, listener::QUEUE};

fn main() -> ExitCode {
    service::standalone::run(QUEUE, config::read, app::build)
}
