//! Each fail point: the process dies there, is started again, and the client asks again under the same key.
//!
//! The names are found in the sources, so a new fail point is a new case without anybody thinking of it. Places that
//! several steps pass (the commit, the relay) are tried at several of those passes.

use std::{collections::BTreeSet, path::Path, time::Duration};

use e2e::{
    Api, samples,
    server::{Plan, Server},
};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::tools::{assert_clean, verify, verify_folder};

/// Passes of one run of the scenario that are tried.
const PASSES: usize = 5;

fn names() -> BTreeSet<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut names = BTreeSet::new();
    let mut folders: Vec<_> = ["platform", "eventservice", "bookingservice"].map(|name| workspace.join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if !entry
                .components()
                .any(|part| ["mongo", "amqp", "tests"].iter().any(|left_out| part.as_os_str() == *left_out))
            {
                let source = std::fs::read_to_string(&entry).unwrap();
                let calls = source.split("fail_point(\"").skip(1).filter_map(|rest| rest.split('"').next());
                names.extend(calls.map(str::to_owned));
            }
        }
    }
    names
}

#[tokio::test]
async fn killed_between_any_two_steps_nothing_is_lost_doubled_or_left_behind() {
    let names = names();
    assert!(names.len() >= 15, "{names:?}");
    let mut never_passed = Vec::new();
    for name in &names {
        let mut passes = 0;
        while passes < PASSES && scenario(&format!("{name}:{}", passes + 1)).await {
            passes += 1;
        }
        if passes == 0 {
            never_passed.push(name);
        }
    }
    assert!(never_passed.is_empty(), "the scenario does not come to {never_passed:?}");
}

/// A server, and how it is started again.
struct Case {
    folder: tempfile::TempDir,
    server: Server,
    armed: String,
    died: bool,
}

/// Books, books another, cancels the first, with the process dying at `armed`. False where it did not come to that.
async fn scenario(armed: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { env: vec![("FAIL_POINT", armed.to_owned())], ..Plan::default() };
    let server = Server::start(folder.path(), &plan).expect("it comes to the start page");
    let mut case = Case { folder, server, armed: armed.to_owned(), died: false };

    let event = case.event().await;
    let bookings = format!("/events/{event}/bookings");
    let first = case.insist(|s| post(s.bookings(), &bookings, Some("first"), json!({"seats": 2}))).await;
    let second = case.insist(|s| post(s.bookings(), &bookings, Some("second"), json!({"seats": 3}))).await;
    let cancel = format!("/bookings/{}", first["id"].as_str().unwrap());
    let cancelled = case.insist(|s| s.bookings().request(Method::DELETE, &cancel)).await;
    assert_eq!((&second["seats"], &cancelled["status"]), (&json!(3), &json!("cancelled")), "{armed}");

    // The view catches up, also where the process dies only now, while it handles the message.
    let mut tries = 0;
    while !case.shows(&event).await {
        tries += 1;
        assert!(tries < 2000, "{armed}: the view does not catch up");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let again = case.insist(|s| post(s.bookings(), &bookings, Some("second"), json!({"seats": 3}))).await;
    assert_eq!(again, second, "{armed}");
    let output = verify(&case.server, &[]);
    if !case.died && case.server.signal() == Some(9) {
        // It died while `verify` ran: verify again, on what it left.
        case.revive();
        assert_clean(&verify(&case.server, &[]));
    } else {
        assert_clean(&output);
    }
    let died = case.died;
    case.server.kill();
    if died {
        assert_clean(&verify_folder(case.folder.path()));
    }
    died
}

fn post(api: Api, path: &str, key: Option<&str>, body: Value) -> reqwest::RequestBuilder {
    let request = api.request(Method::POST, path).json(&body);
    match key {
        Some(key) => request.header("Idempotency-Key", key),
        None => request,
    }
}

impl Case {
    /// Starts it again, without the fail point, if it has died.
    fn revive(&mut self) {
        if let Some(signal) = self.server.signal() {
            assert_eq!((signal, self.died), (9, false), "{} died of something else", self.armed);
            self.died = true;
            self.server = Server::start(self.folder.path(), &Plan::default()).expect("it starts on what was left");
        }
    }

    /// Whether the event service shows what is booked.
    async fn shows(&mut self, event: &str) -> bool {
        self.revive();
        let request = self.server.events().request(Method::GET, &format!("/events/{event}"));
        let Ok(response) = request.send().await else { return false };
        let shown = body(response).await;
        shown["booked_seats"] == 3 && shown["seats_left"] == 7
    }

    /// Sends it until it is answered, as a client under a key would.
    async fn insist(&mut self, request: impl Fn(&Server) -> reqwest::RequestBuilder) -> Value {
        for _ in 0..500 {
            self.revive();
            match request(&self.server).send().await {
                Ok(response) if response.status().is_success() => return body(response).await,
                Ok(response) if response.status() == 404 => {} // the event is on its way
                Ok(response) => panic!("{}: {}", self.armed, body(response).await),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{}: no answer", self.armed)
    }

    /// An event; creating it has no key, so what a lost answer left is looked for by its name.
    async fn event(&mut self) -> String {
        let name = samples::unique("fail point");
        for _ in 0..500 {
            self.revive();
            let found = self.insist(|s| s.events().request(Method::GET, "/events")).await;
            if let Some(event) = found["items"].as_array().unwrap().iter().find(|event| event["name"] == *name) {
                return event["id"].as_str().unwrap().to_owned();
            }
            let _ = post(self.server.events(), "/events", None, samples::event(&name, 10)).send().await;
        }
        panic!("{}: no event", self.armed)
    }
}

async fn body(response: Response) -> Value {
    response.json().await.unwrap_or_default()
}
