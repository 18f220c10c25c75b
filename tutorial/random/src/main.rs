//! The shortest program with metrics here, to be copied from: it calls three services that do not exist, and shows Prometheus how long
//! that takes. Its twin is the example `random` of Prometheus' client for Go.
//!
//! - [`options`]: the flags
//! - [`rpc`]: the metrics, and the calls that they count

mod options;
mod rpc;

use std::process::ExitCode;

use actix_web::{HttpRequest, HttpResponse, web};
use clap::Parser;
use metrics::Registry;
use process::{log_lines::last_words, metrics::usage, shutdown, threads};
use webserver::{routes, scrape, small};

fn main() -> ExitCode {
    threads::run(run()).unwrap_or_else(|error| {
        last_words(&format!("random: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn run() -> anyhow::Result<ExitCode> {
    let (config, log) = options::Options::parse().read()?;
    log.install();
    let stop = shutdown::on_signal()?;

    // Not global, but passed on: two programs in one process, or two tests, do not share counters.
    let registry = Registry::new();
    usage::register(&registry)?;
    usage::register_build(&registry, env!("CARGO_PKG_VERSION"))?;
    let rpc = rpc::RpcMetrics::new(&registry, &config)?;

    let server = small::SmallServer::start(small::LIMITS, config.listen.bind()?, "http", move |app| {
        app.app_data(web::Data::new(registry))
            .service(routes::resource("/metrics").get(metrics).done())
            .default_service(routes::nowhere("there is /metrics"));
    })?;
    tracing::info!(address = %server.address, "ready");
    stop.run_until_cancelled(rpc.call_for_ever(&config)).await;
    server.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Answers in the form that the scrape asks for: text, OpenMetrics or protobuf.
async fn metrics(registry: web::Data<Registry>, request: HttpRequest) -> HttpResponse {
    let [accept, accept_encoding] = scrape::wanted(&request);
    // Without `_created` in OpenMetrics, which is stored as a series of its own by default: protobuf has the start timestamps.
    scrape::answered(metrics::answer(&registry.gather(), &accept, &accept_encoding, false))
}
