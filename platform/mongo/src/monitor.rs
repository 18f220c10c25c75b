//! What the driver sees of each server when it looks whether that is there. A call that finds no server is told so in one
//! long dump of all that the driver knows; here the same becomes a few words, and what to do.

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

/// What is wrong with each server that was looked at, if something is.
#[derive(Clone)]
pub(super) struct Monitor {
    servers: Arc<Mutex<BTreeMap<String, Option<Trouble>>>>,
    replica_set: Option<String>,
    tls: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    text: String,
    /// Whether it stays until somebody does something.
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

    /// It is no server of ours any more: it left the replica set, or never belonged to it, and that stays worth saying.
    fn forget(&self, server: &str) {
        let mut servers = self.servers.lock().expect("nothing panics while it holds this");
        if servers.get(server).is_some_and(|trouble| trouble.as_ref().is_none_or(|trouble| !trouble.needs_a_person)) {
            servers.remove(server);
        }
    }

    fn saw(&self, server: String, trouble: Option<Trouble>) {
        self.servers.lock().expect("nothing panics while it holds this").insert(server, trouble);
    }

    /// What is wrong; `None` where each server answers as it should.
    pub(super) fn trouble(&self) -> Option<MongoError> {
        let servers = self.servers.lock().expect("nothing panics while it holds this");
        let troubles = servers.iter().filter_map(|(server, trouble)| Some((server, trouble.as_ref()?)));
        let texts: Vec<_> = troubles.clone().map(|(server, trouble)| format!("{server}: {}", trouble.text)).collect();
        if texts.is_empty() {
            return None;
        }
        let needs_a_person =
            troubles.clone().count() == servers.len() && troubles.clone().all(|(_, t)| t.needs_a_person);
        let text = texts.join("; ");
        Some(if needs_a_person { MongoError::Refused(text) } else { MongoError::Away(text) })
    }

    /// The driver never looks again at a server of another replica set.
    fn wrong_set(&self, reply: &Document) -> Option<Trouble> {
        let wanted = self.replica_set.as_ref()?;
        if reply.get_bool("isreplicaset").unwrap_or(false) {
            return None; // it will be one, but has not been told yet of which
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

#[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add kinds, and all others are the same here")]
fn failed(cause: &Error, tls: bool) -> Trouble {
    match cause.kind.as_ref() {
        ErrorKind::Io(cause) => io_failed(cause, tls),
        other => Trouble { text: cut(&other.to_string()), needs_a_person: false },
    }
}

fn io_failed(cause: &io::Error, tls: bool) -> Trouble {
    let said = cause.to_string();
    // The standard library has no kind for it; a name may also become known later, as in Compose.
    let no_such_name = said.contains("failed to lookup address");
    // rustls's own errors are "invalid data"; a server without TLS often just hangs up.
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
