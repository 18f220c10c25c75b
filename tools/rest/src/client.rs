//! The REST client of the tools: one question at a time, and what its JSON says.
//!
//! A service may run in several replicas on one database. Each of them answers for what is stored, so the client stays with one,
//! and goes on to the next where that one does not answer. An ops port is asked by the same client.

use std::time::Duration;

use hyper::StatusCode;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    connection::{Answer, Connection, Failure, Request},
    shapes::{OnSale, Page},
    urls::Target,
};

/// How many items of a list are asked for at once; the services give no more.
const PAGE: u32 = 100;

/// How soon it is asked again for an event that it does not know yet.
const ON_SALE_INTERVAL: Duration = Duration::from_millis(10);

/// Asks one service.
pub struct RestClient {
    connection: Connection,
}

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// Nothing came back.
    #[error("{url} does not answer")]
    Silent {
        /// What was asked.
        url: String,
        /// Why.
        #[source]
        cause: Failure,
    },
    /// The status is not the expected one.
    #[error("{url} answered {status}: {text}")]
    Refused {
        /// What was asked.
        url: String,
        /// The status.
        status: StatusCode,
        /// What the service said.
        text: String,
    },
    /// The status is right, and the body is not.
    #[error("{url} answered what is not understood")]
    NotUnderstood {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
    /// A list or a page of metrics that must be there is not.
    #[error("there is nothing at {url}")]
    Nothing {
        /// What was asked.
        url: String,
    },
}

impl RestClient {
    /// Asks the replicas at `targets`, of which there is one at least. Each request may take as long as `timeout`.
    pub fn new(targets: Vec<Target>, timeout: Duration) -> Self {
        Self { connection: Connection::new(targets, 0, timeout) }
    }

    /// The URL of the replica that is asked next.
    pub fn url(&self) -> &str {
        &self.connection.target().url
    }

    /// Turns to the first replica that answers; where none does it stays with the first, so that errors name that one.
    pub async fn find_replica(&mut self) {
        for _ in 0..self.connection.replicas() {
            if self.connection.exchange(&Request::get("/events/none".to_owned())).await.is_ok() {
                return;
            }
        }
    }

    /// `GET`: the JSON of a 200, `None` for a 404.
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<Option<T>, RestError> {
        self.send(&Request::get(path.to_owned()), StatusCode::OK).await
    }

    /// The JSON of an answer with the status `expected`, `None` for a 404.
    pub async fn send<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        expected: StatusCode,
    ) -> Result<Option<T>, RestError> {
        let Some(text) = self.text(request, expected).await? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|cause| RestError::NotUnderstood { url: self.asked(request), cause })
    }

    /// The body of an answer with the status `expected`, `None` for a 404.
    pub async fn text(&mut self, request: &Request, expected: StatusCode) -> Result<Option<String>, RestError> {
        let url = self.asked(request); // before it turns to another replica
        let exchanged = self.connection.exchange(request).await;
        let Answer { status, body, .. } = exchanged.map_err(|cause| RestError::Silent { url: url.clone(), cause })?;
        let text = String::from_utf8_lossy(&body).into_owned();
        match status {
            _ if status == expected => Ok(Some(text)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(RestError::Refused { url, status, text }),
        }
    }

    /// Asks the booking service for an event until it knows it, which takes a moment after the event was created. `None` where it
    /// does not know it at the deadline.
    pub async fn on_sale(&mut self, id: Uuid, deadline: Instant) -> Result<Option<OnSale>, RestError> {
        loop {
            let found = self.get(&format!("/events/{id}")).await?;
            if found.is_some() || Instant::now() >= deadline {
                return Ok(found);
            }
            sleep(ON_SALE_INTERVAL).await;
        }
    }

    /// `POST` of JSON, which makes something: the JSON of the 201.
    pub async fn create<T: DeserializeOwned>(&mut self, path: &str, body: String) -> Result<T, RestError> {
        let request = Request::post(path.to_owned(), body);
        let made = self.send(&request, StatusCode::CREATED).await?;
        made.ok_or_else(|| RestError::Nothing { url: self.asked(&request) })
    }

    /// Hands each item of a list to `take`, page by page, at most so many pages. `filter` is empty, or begins with `&`.
    pub async fn pages<T: DeserializeOwned>(
        &mut self,
        path: &str,
        filter: &str,
        most: usize,
        mut take: impl FnMut(T),
    ) -> Result<(), RestError> {
        let mut after = String::new();
        for _ in 0..most {
            let page: Option<Page<T>> = self.get(&format!("{path}?limit={PAGE}{filter}{after}")).await?;
            let page = page.ok_or_else(|| RestError::Nothing { url: format!("{}{path}", self.url()) })?;
            page.items.into_iter().for_each(&mut take);
            let Some(next) = page.next else { break };
            after = format!("&after={next}");
        }
        Ok(())
    }

    fn asked(&self, request: &Request) -> String {
        format!("{}{}", self.url(), request.path)
    }
}
