//! The part of a service that is the same for all: both ports, the metrics of process and HTTP, and the servers. `app.rs` of each
//! service adds its own.

use std::{io, net::TcpListener, sync::Arc};

use actix_web::web;
use apidocs::page::documented;
use messaging::{DeadLetters, outbox::relay::Relay};
use mongo::error::ClientError;
use process::{
    fail_point,
    health::Health,
    log_lines,
    metrics::{Metrics, runtime::Runtimes, usage},
};
use sqlite::{StoreError, open::OpenError};
use utoipa::openapi::OpenApi;
use webserver::{http_metrics::HttpMetrics, listen::ListenError, server::Rest};

use crate::{backend::Resources, ops_server::Ops, service::Service, settings::Settings};

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is in use.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The MongoDB client cannot be made.
    #[error(transparent)]
    Mongo(#[from] ClientError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Store(#[from] StoreError),
    /// Two metrics have one name, or a name is not valid: a bug.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] metrics::Error),
    /// A server does not start.
    #[error("a server does not start")]
    Io(#[from] io::Error),
}

/// Both ports, bound, and the metrics that every service has.
pub struct Foundation {
    settings: Settings,
    rest: TcpListener,
    ops: TcpListener,
    runtimes: Runtimes,
    http: Arc<HttpMetrics>,
    version: &'static str,
    /// The service adds its own metrics here.
    pub metrics: Metrics,
}

impl Foundation {
    /// Binds both ports, before any file is made: a start that fails for a port in use leaves nothing behind.
    pub fn bind(settings: Settings, version: &'static str, api: &OpenApi) -> Result<Self, StartError> {
        let (rest, ops) = (settings.rest.bind()?, settings.ops.bind()?);
        fail_point::arm();
        let mut metrics = Metrics::new(settings.metrics);
        usage::register(&metrics.registry)?;
        usage::register_services(&metrics.registry, settings.servers)?;
        usage::register_build(&metrics.registry, version)?;
        log_lines::register(&metrics.registry)?;
        let runtimes = Runtimes::new(&mut metrics)?;
        runtimes.join("main");
        let http = Arc::new(HttpMetrics::new(&metrics.registry, &documented(api), metrics.config.micro)?);
        Ok(Self { settings, rest, ops, runtimes, http, version, metrics })
    }

    /// Builds the servers.
    pub fn build<F>(
        self,
        name: &'static str,
        health: Health,
        dead: Arc<dyn DeadLetters>,
        relay: Relay,
        resources: Resources,
        configure: F,
    ) -> Result<Service, StartError>
    where
        F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let (rest_address, ops_address) = (self.rest.local_addr()?, self.ops.local_addr()?);
        let Settings {
            rest_workers: workers, servers, shutdown_delay, keep_alive_timeout: keep_alive, stories, ..
        } = self.settings;
        let (runtimes, stopping) = (self.runtimes.clone(), health.stopping.clone());
        let (listener, metrics) = (self.rest, self.http);
        let told = stories.clone();
        let rest = Rest { listener, workers, servers, keep_alive, metrics, stories: told, runtimes, stopping };
        let rest = rest.serve(configure)?;
        let (metrics, dead, stories, runtimes) = (self.metrics, Some(dead), Some(stories), self.runtimes);
        let ops = Ops { metrics, health, dead, stories, runtimes, version: self.version }.serve(self.ops, name)?;
        Ok(Service {
            name,
            shutdown_delay,
            rest_address,
            ops_address,
            database: resources.file,
            rest,
            ops,
            relay,
            background: resources.background,
        })
    }
}
