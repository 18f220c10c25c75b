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
    options::{ClientOptions, ServerAddress, Tls},
};

use crate::error::{MongoError, cut};

/// What is wrong with each server, if anything is.
#[derive(Clone)]
pub(super) struct Monitor {
    servers: Arc<Mutex<BTreeMap<String, Option<Trouble>>>>,
    /// The servers that are not in MONGO_URL, and who says that they are in a replica set.
    advertised: Arc<Mutex<BTreeMap<String, Advertiser>>>,
    /// The servers in MONGO_URL.
    named: Vec<String>,
    replica_set: Option<String>,
    tls: bool,
}

/// A server, and the replica set whose members it lists.
#[derive(Clone, Debug)]
struct Advertiser {
    server: String,
    replica_set: String,
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
        let (named, replica_set) = (options.hosts.iter().map(ToString::to_string).collect(), &options.repl_set_name);
        let replica_set = replica_set.clone();
        Self { servers: Arc::default(), advertised: Arc::default(), named, replica_set, tls }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others say nothing about a server's health")]
    pub(super) fn events(&self) -> EventHandler<SdamEvent> {
        let monitor = self.clone();
        EventHandler::callback(move |event| match event {
            SdamEvent::ServerHeartbeatFailed(event) => {
                let server = event.server_address.to_string();
                let trouble = failed(&event.failure, monitor.tls, monitor.named.contains(&server));
                monitor.saw(server, Some(trouble));
            }
            SdamEvent::ServerHeartbeatSucceeded(event) => {
                let server = event.server_address.to_string();
                monitor.note_members(&server, &event.reply);
                monitor.saw(server, not_initiated(&event.reply).or_else(|| monitor.wrong_set(&event.reply)));
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

    /// Notes whose names a server says. The driver asks these, and may drop the server that MONGO_URL names.
    fn note_members(&self, server: &str, reply: &Document) {
        let Ok(replica_set) = reply.get_str("setName") else { return };
        let lists = ["hosts", "passives", "arbiters"].into_iter().filter_map(|list| reply.get_array(list).ok());
        let members = lists.flatten().filter_map(|member| ServerAddress::parse(member.as_str()?).ok());
        let mut advertised = self.advertised.lock().expect("nothing panics while it holds this");
        for member in members.map(|member| member.to_string()).filter(|member| !self.named.contains(member)) {
            let by = Advertiser { server: server.to_owned(), replica_set: replica_set.to_owned() };
            advertised.entry(member).or_insert(by);
        }
    }

    /// Where the names of these servers come from, if one of them is not in MONGO_URL.
    fn origin(&self, troubled: &[&String]) -> Option<String> {
        let advertised = self.advertised.lock().expect("nothing panics while it holds this");
        let Advertiser { server, replica_set } = troubled.iter().find_map(|server| advertised.get(*server))?;
        Some(format!(
            "the server at {server} says that its replica set {replica_set:?} has this member; if this machine cannot \
             reach it by that name, add directConnection=true to MONGO_URL, which uses one server alone, the primary; or \
             add the name to the hosts file; or change it by rs.reconfig()"
        ))
    }

    /// What is wrong. `None` if each server answers as it should.
    pub(super) fn trouble(&self) -> Option<MongoError> {
        let servers = self.servers.lock().expect("nothing panics while it holds this");
        let troubled = servers.iter().filter_map(|(server, trouble)| Some((server, trouble.as_ref()?)));
        let (troubled, mut texts): (Vec<_>, Vec<_>) =
            troubled.map(|(server, trouble)| (server, format!("{server}: {}", trouble.text))).unzip();
        if texts.is_empty() {
            return None;
        }
        texts.extend(self.origin(&troubled));
        let text = texts.join("; ");
        let needs_a_person = servers.values().all(|trouble| trouble.as_ref().is_some_and(|t| t.needs_a_person));
        Some(if needs_a_person { MongoError::Refused(text) } else { MongoError::Away(text) })
    }

    /// Whether the server is of another replica set. The driver drops such a server and never checks it again.
    fn wrong_set(&self, reply: &Document) -> Option<Trouble> {
        let wanted = self.replica_set.as_ref()?;
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

/// Whether the server will be in a replica set, but does not know in which yet.
fn not_initiated(reply: &Document) -> Option<Trouble> {
    let text = "the server waits for its replica set to be initiated, by rs.initiate()".to_owned();
    reply.get_bool("isreplicaset").is_ok_and(|it| it).then_some(Trouble { text, needs_a_person: false })
}

fn failed(cause: &Error, tls: bool, is_named: bool) -> Trouble {
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
    let text = if no_such_name && is_named {
        "no such host name is known; is it right in MONGO_URL?".to_owned()
    } else if no_such_name {
        "no such host name is known".to_owned()
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
