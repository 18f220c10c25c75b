//! Everything a client can get wrong, in one table: each line its exact 4xx, in the one form of all errors, with the
//! field named. The lines stand in the modules, by the part of the request that is wrong.

mod booking_bodies;
mod event_bodies;
mod headers;
mod location_bodies;
mod queries;
mod urls;

use e2e::{System, raw};

use crate::steps::seats;

/// Which service is asked.
#[derive(Clone, Copy)]
pub(crate) enum To {
    Events,
    Bookings,
}

/// How the body is sent.
pub(crate) enum Body {
    Whole(Vec<u8>),
    Chunked(Vec<u8>),
    /// These bytes end the head and follow it as they are.
    AsItIs(&'static str),
}

/// A line of the table.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) to: To,
    pub(crate) method: &'static str,
    /// `{event}` stands for an event that is there.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    pub(crate) status: u16,
    /// Named in `errors[]`; nothing where it is empty.
    pub(crate) field: String,
}

impl Case {
    /// A request without a body.
    pub(crate) fn get(what: &str, to: To, path: &str, status: u16, field: &str) -> Self {
        let (what, path, field) = (what.to_owned(), path.to_owned(), field.to_owned());
        Self { what, to, method: "GET", path, headers: Vec::new(), body: Body::Whole(Vec::new()), status, field }
    }

    /// A request with JSON, or something that says so.
    pub(crate) fn post(what: &str, to: To, path: &str, body: impl Into<Vec<u8>>, status: u16, field: &str) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self { method: "POST", headers, body: Body::Whole(body.into()), ..Self::get(what, to, path, status, field) }
    }

    pub(crate) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) fn chunked(self) -> Self {
        let body = match self.body {
            Body::Whole(bytes) => Body::Chunked(bytes),
            other @ (Body::Chunked(_) | Body::AsItIs(_)) => other,
        };
        Self { body, ..self }
    }

    fn bytes(&self, event: &str) -> Vec<u8> {
        let path = self.path.replace("{event}", event);
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match &self.body {
            Body::Whole(body) => raw::request(self.method, &path, &headers, body),
            Body::Chunked(body) => raw::chunked(self.method, &path, &headers, body, 1000),
            Body::AsItIs(text) => [raw::head(self.method, &path, &headers), text.as_bytes().to_vec()].concat(),
        }
    }
}

/// The kind of problem that a status stands for, where the client sent something wrong.
fn kind(status: u16) -> &'static str {
    match status {
        400 => "bad-request",
        404 => "not-found",
        405 => "method-not-allowed",
        413 => "body-too-large",
        415 => "unsupported-media-type",
        422 => "invalid-value",
        other => panic!("no line of the table has {other}"),
    }
}

fn table() -> Vec<Case> {
    let parts = [
        event_bodies::cases(),
        location_bodies::cases(),
        booking_bodies::cases(),
        urls::cases(),
        queries::cases(),
        headers::cases(),
    ];
    parts.into_iter().flatten().collect()
}

/// What is wrong with the answer to a line, if anything.
async fn complaint(system: &System, event: &str, case: &Case) -> Option<String> {
    let api = match case.to {
        To::Events => &system.events,
        To::Bookings => &system.bookings,
    };
    let what = format!("{} ({} {})", case.what, case.method, case.path);
    let Some(answer) = raw::send(api.address(), &case.bytes(event)).await else {
        return Some(format!("{what}: no answer"));
    };
    let wanted = format!("wanted {} {:?}", case.status, case.field);
    if answer.status != case.status || answer.header("content-type") != Some("application/problem+json") {
        return Some(format!("{what}: {wanted}, got {answer:?}"));
    }
    answer.problem(case.status, kind(case.status));
    let named = case.field.is_empty() || answer.fields() == [case.field.as_str()];
    (!named).then(|| format!("{what}: {wanted}, got {answer:?}"))
}

#[tokio::test]
async fn every_mistake_gets_its_own_4xx_that_names_the_field() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let table = table();
    assert!(table.len() >= 60, "{} lines", table.len());
    let mut complaints = Vec::new();
    for case in &table {
        complaints.extend(complaint(&system, &event, case).await);
    }
    assert!(complaints.is_empty(), "{} of {} lines:\n{}", complaints.len(), table.len(), complaints.join("\n"));
    let sold = crate::steps::stock(&system, &event).await;
    assert_eq!(sold["booked_seats"], 0, "none of them booked anything");
    for ops in [&system.events_ops, &system.bookings_ops] {
        assert!(ops.metrics().await.sum("myevents_http_panics_total", &[]) < 0.5, "none of them was a panic");
    }
}
