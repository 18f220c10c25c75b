//! One address, with the requests that the tests send there.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::Value;

use crate::{Answer, Exposition, exposition};

const IDLE: Duration = Duration::from_secs(2);

/// A REST or ops port. Cloning it shares the connections.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    base: String,
}

impl Api {
    /// `base` is like `http://127.0.0.1:8181`.
    pub fn new(base: &str) -> Self {
        // Redirects are looked at, not followed; and no proxy stands between us and 127.0.0.1. A connection that has been
        // idle is not used again: the service may close it at that very moment.
        let client = Client::builder().redirect(Policy::none()).no_proxy().pool_idle_timeout(IDLE).build();
        let client = client.expect("a client without TLS can always be built");
        Self { client, base: base.trim_end_matches('/').to_owned() }
    }

    /// Where to connect for raw bytes.
    pub fn address(&self) -> SocketAddr {
        use std::net::ToSocketAddrs;
        let authority = self.base.trim_start_matches("http://");
        let mut found = authority.to_socket_addrs().unwrap_or_else(|cause| panic!("{authority}: {cause}"));
        found.next().unwrap_or_else(|| panic!("{authority} has no address"))
    }

    /// The beginning of a request that needs headers or a body of its own; end it with [`send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// `POST` of JSON under an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// What `/metrics` says, read strictly.
    pub async fn metrics(&self) -> Exposition {
        let text = self.get("/metrics").await.expect(200).text();
        exposition::read(&text).unwrap_or_else(|cause| panic!("/metrics is no text format: {cause}"))
    }
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap_or_else(|cause| panic!("no answer: {cause:?}"));
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.unwrap_or_else(|cause| panic!("the answer breaks off: {cause:?}")).to_vec();
    Answer { status, headers, body }
}
