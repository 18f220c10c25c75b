//! Where a running system is: the options of every job that asks one over HTTP.

use std::time::Duration;

use anyhow::{Context, bail};
use platform::config::{Checks, Given, given};
use reqwest::{Client, Method, StatusCode};
use serde::de::DeserializeOwned;

/// For one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The four ports of a system, where `myevents` has them unless told otherwise.
#[derive(clap::Args)]
pub struct UrlOptions {
    /// The event service's REST
    #[arg(long, env = "EVENTS_URL", default_value = "http://127.0.0.1:8181")]
    events_url: Option<String>,
    /// The booking service's REST
    #[arg(long, env = "BOOKINGS_URL", default_value = "http://127.0.0.1:8282")]
    bookings_url: Option<String>,
    #[command(flatten)]
    ops: OpsUrlOptions,
}

/// The two ops ports of a system.
#[derive(clap::Args)]
pub struct OpsUrlOptions {
    /// The event service's ops port
    #[arg(long, env = "EVENTS_OPS_URL", default_value = "http://127.0.0.1:9100")]
    events_ops_url: Option<String>,
    /// The booking service's ops port
    #[arg(long, env = "BOOKINGS_OPS_URL", default_value = "http://127.0.0.1:9101")]
    bookings_ops_url: Option<String>,
}

/// The addresses, without a slash at the end.
#[derive(Clone, Debug)]
pub struct Urls {
    /// The event service's REST.
    pub events: String,
    /// The booking service's REST.
    pub bookings: String,
    /// The ops ports.
    pub ops: OpsUrls,
}

/// The addresses of the ops ports, without a slash at the end.
#[derive(Clone, Debug)]
pub struct OpsUrls {
    /// The event service's.
    pub events: String,
    /// The booking service's.
    pub bookings: String,
}

impl UrlOptions {
    /// Checks them.
    pub fn read(&self, checks: &mut Checks) -> Urls {
        Urls {
            events: url(checks, given("EVENTS_URL", &self.events_url)),
            bookings: url(checks, given("BOOKINGS_URL", &self.bookings_url)),
            ops: self.ops.read(checks),
        }
    }
}

impl OpsUrlOptions {
    /// Checks them.
    pub fn read(&self, checks: &mut Checks) -> OpsUrls {
        OpsUrls {
            events: url(checks, given("EVENTS_OPS_URL", &self.events_ops_url)),
            bookings: url(checks, given("BOOKINGS_OPS_URL", &self.bookings_ops_url)),
        }
    }
}

fn url(checks: &mut Checks, option: Given<'_>) -> String {
    checks.value(option, String::new(), "an address like http://127.0.0.1:8181", |text| {
        let url = reqwest::Url::parse(text).ok()?;
        let fits = url.scheme() == "http" && url.has_host() && url.query().is_none();
        fits.then(|| url.as_str().trim_end_matches('/').to_owned())
    })
}

/// A client for them. Systems are on this machine or in its network, so no proxy is asked.
pub fn client() -> anyhow::Result<Client> {
    Ok(Client::builder().no_proxy().timeout(TIMEOUT).build()?)
}

/// The JSON that `url` answers with; `None` for a 404. Every other status is an error with what the service said.
pub async fn ask<T: DeserializeOwned>(client: &Client, method: Method, url: &str) -> anyhow::Result<Option<T>> {
    let response = client.request(method, url).send().await;
    // The cause names the address in words that the user did not type.
    let response = response.map_err(|cause| cause.without_url()).with_context(|| format!("{url} does not answer"))?;
    let status = response.status();
    let text = response.text().await.with_context(|| format!("{url} broke off"))?;
    match status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        _ => bail!("{url} answered {status}: {text}"),
    }
    serde_json::from_str(&text).map(Some).with_context(|| format!("{url} answered what is not understood"))
}
