//! The page to book on and to watch: in `myevents` itself, and as `myevents page` for services that run apart. For people who run
//! MyEvents, not for the public: it has no password.
//!
//! - [`options`]: the options
//! - `guard`: what keeps pages of others away; read it first
//! - `assets`: what the browser gets: the files of `web/`
//! - `forward`: which requests go on to which service; `upstream` is a service with its connections
//! - `play`: the button that starts a gentle load
//! - `ready`, `dead`, `traces`: what the ops ports tell, as far as the page shows it
//! - `watch`: the samples of the system at work; `stream` tells them to browsers
//!
//! It has one thread, named `page`, and asks the services over HTTP like anybody else, also those of its own process.

mod assets;
mod dead;
mod forward;
mod guard;
pub mod options;
mod play;
mod ready;
mod stream;
mod traces;
mod upstream;
mod watch;

use std::{
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    rc::Rc,
};

use actix_web::{HttpResponse, middleware::from_fn, web};
use process::threads::ThreadGroup;
use rest::urls::Urls;
use serde_json::json;
use service::healthcheck::url;
use tokio_util::sync::{CancellationToken, DropGuard};
use webserver::{
    origin::Names,
    routes::{nowhere, resource},
    small::{LIMITS, SmallServer},
};

use self::{
    forward::Services,
    guard::guard,
    options::{Config, Options},
    play::Play,
    upstream::Upstream,
    watch::{
        lists::Lists,
        replicas::Replicas,
        sampler::{Pace, Sampler},
    },
};

/// What it adds to the threads of a process.
pub const THREADS: [ThreadGroup; 1] = [("page: accepts and answers its requests, and asks the services", 1)];

/// A running page.
pub struct Page {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    server: SmallServer,
    /// Ends what would not end by itself, like streams.
    stop: DropGuard,
}

/// Runs the subcommand.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let (config, urls, log) = options.read()?;
    log.install();
    let stop = process::shutdown::on_signal()?;
    let page = Page::start(config.bind()?, config, urls)?;
    let address = url(page.address);
    tracing::info!(page = address, "ready: it has no password, so let nobody else reach it");
    stop.cancelled().await;
    page.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

impl Page {
    /// Starts it: for the services at `urls`.
    pub fn start(listener: TcpListener, config: Config, urls: Urls) -> std::io::Result<Self> {
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let server = SmallServer::start(LIMITS, listener, "page", move |app| configure(app, config, urls, stopping))?;
        Ok(Self { address: server.address, server, stop: stop.drop_guard() })
    }

    /// Ends what it sends, and stops.
    pub async fn stop(self) {
        drop(self.stop);
        self.server.stop().await;
    }
}

fn configure(app: &mut web::ServiceConfig, config: Config, urls: Urls, stop: CancellationToken) {
    let play = web::Data::new(Play::new(urls.clone(), config.play, stop.clone()));
    let services = web::Data::new(Services {
        events: Upstream::new("event service", urls.events.clone()),
        bookings: Upstream::new("booking service", urls.bookings.clone()),
    });
    let replicas = web::Data::new(Replicas::new(urls.ops.clone()));
    let (names, hosts) = (Names(config.hosts.clone()), Rc::new(config.hosts.clone()));
    let site = web::scope("")
        .wrap(from_fn(move |request, next| guard(hosts.clone(), request, next)))
        .app_data(web::Data::new(config))
        .app_data(web::Data::new(Sampler::start(replicas.clone(), Pace::default())))
        .app_data(web::Data::new(Lists::start(services.clone())))
        .app_data(web::Data::new(stop))
        .app_data(services)
        .app_data(replicas)
        .app_data(web::Data::new(ready::Said::default()))
        .app_data(play)
        .service(resource("/").get(assets::index).done())
        .service(resource("/trace/{id}").get(assets::index).done())
        .service(resource("/assets/{name:.*}").get(assets::asset).done())
        .service(resource("/livez").get(livez).done())
        .service(resource("/readyz").get(livez).done())
        .service(resource("/api/settings").get(settings).done())
        .service(resource("/api/ready").get(ready::ready).done())
        .service(resource("/api/dead").get(dead::list).done())
        .service(resource("/api/dead/redrive").post(dead::redrive).done())
        .service(resource("/api/play").get(play::show).post(play::press).done())
        .service(resource("/api/traces/{id}").get(traces::show).done())
        .service(resource("/api/stream").get(stream::stream).done())
        .configure(forward::configure)
        .default_service(nowhere("the page is at /"));
    app.app_data(names).service(site);
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("alive\n")
}

async fn settings(config: web::Data<Config>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "grafana_url": config.grafana,
        "prometheus_url": config.prometheus,
        "play": config.play,
    }))
}
