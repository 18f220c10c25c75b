//! What the driver's monitoring reports of each server. The error of a call that finds no server lists all that the driver knows;
//! here the same becomes a few words, and what to do. Read next: `failures.rs`.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use mongodb::{
    bson::Document,
    error::{Error, ErrorKind},
    event::{EventHandler, sdam::SdamEvent},
    options::{ClientOptions, Tls},
};

use crate::error::{MongoError, cut};

/// What is wrong with each server, if anything is.
#[derive(Clone)]
pub(super) struct Monitor {
    servers: Arc<Mutex<BTreeMap<String, Option<Trouble>>>>,
    replica_set: Option<String>,
    tls: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    text: String,
    /// Whether a person must do something.
    needs_a_person: bool,
}

impl Monitor {
    pub(super) fn new(options: &ClientOptions) -> Self {
        let tls = matches!(options.tls, Some(Tls::Enabled(_)));
        Self { servers: Arc::default(), replica_set: options.repl_set_name.clone(), tls }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others say nothing about a server's health")]
    pub(super) fn events(&self) -> EventHandler<SdamEvent> {
        let monitor = self.clone();
        EventHandler::callback(move |event| match event {
            SdamEvent::ServerHeartbeatFailed(event) => {
                let trouble = failed(&event.failure, monitor.tls);
                monitor.saw(event.server_address.to_string(), Some(trouble));
            }
            SdamEvent::ServerHeartbeatSucceeded(event) => {
                monitor.saw(event.server_address.to_string(), monitor.wrong_set(&event.reply));
            }
            SdamEvent::ServerClosed(event) => monitor.forget(&event.address.to_string()),
            _ => {}
        })
    }

    /// The driver dropped the server: it left the replica set, or never was in it. What needs a person is kept.
    fn forget(&self, server: &str) {
        let mut servers = self.servers.lock().expect("nothing panics while it holds this");
        servers
            .retain(|name, trouble| name != server || trouble.as_ref().is_some_and(|trouble| trouble.needs_a_person));
    }

    fn saw(&self, server: String, trouble: Option<Trouble>) {
        self.servers.lock().expect("nothing panics while it holds this").insert(server, trouble);
    }

    /// What is wrong. `None` if each server answers as it should.
    pub(super) fn trouble(&self) -> Option<MongoError> {
        let servers = self.servers.lock().expect("nothing panics while it holds this");
        let texts =
            servers.iter().filter_map(|(server, trouble)| Some(format!("{server}: {}", trouble.as_ref()?.text)));
        let text = texts.collect::<Vec<_>>().join("; ");
        if text.is_empty() {
            return None;
        }
        let needs_a_person = servers.values().all(|trouble| trouble.as_ref().is_some_and(|t| t.needs_a_person));
        Some(if needs_a_person { MongoError::Refused(text) } else { MongoError::Away(text) })
    }

    /// Whether the server is of another replica set. The driver drops such a server and never checks it again.
    fn wrong_set(&self, reply: &Document) -> Option<Trouble> {
        let wanted = self.replica_set.as_ref()?;
        if reply.get_bool("isreplicaset").unwrap_or(false) {
            return None; // it will be in a replica set, but is not configured yet
        }
        let belongs = match reply.get_str("setName") {
            Ok(name) if name == wanted => return None,
            Ok(name) => format!("belongs to the replica set {name:?}"),
            Err(_) => "belongs to no replica set".to_owned(),
        };
        let text = format!(
            "the server {belongs}, and MONGO_URL says replicaSet={wanted}: correct that and start the service again"
        );
        Some(Trouble { text, needs_a_person: true })
    }
}

fn failed(cause: &Error, tls: bool) -> Trouble {
    let ErrorKind::Io(cause) = cause.kind.as_ref() else {
        return Trouble { text: cut(&cause.kind.to_string()), needs_a_person: false };
    };
    let said = cause.to_string();
    // The standard library has no kind for a failed name lookup, so its text decides; no request for one was found in Rust's
    // issues (#36546 asks only for the system's error). This can go when there is a kind. A name may become known later, as in
    // Compose.
    let no_such_name = said.contains("failed to lookup address");
    // rustls's errors have the kind "invalid data". A server without TLS often closes the connection.
    let no_tls = tls && (cause.kind() == io::ErrorKind::InvalidData || said.contains("handshake"));
    let text = if no_such_name {
        "no such host name is known; is it right in MONGO_URL?".to_owned()
    } else if no_tls {
        format!(
            "no encrypted connection can be made ({}): MONGO_URL demands TLS, so the server must offer it, with a \
             certificate for this name by an authority that is known or in tlsCAFile",
            cut(&said)
        )
    } else if cause.kind() == io::ErrorKind::TimedOut {
        "no answer came in time".to_owned()
    } else {
        cut(&said)
    };
    Trouble { text, needs_a_person: no_tls }
}
