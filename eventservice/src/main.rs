//! The `eventservice` binary: the service on its own.

use std::process::ExitCode;

use eventservice::{app, config, listener::QUEUE};

fn main() -> ExitCode {
    service::standalone::run(QUEUE, config::read, app::build)
}
