//! The system that a browser looks at.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex},
};

use e2e::{
    Api, binary, eventually, ports,
    samples::event,
    server::{Plan, Server},
    start_page::Addresses,
};
use tempfile::TempDir;

use crate::STARTS;

/// Both services and the page, in one process.
pub(crate) struct Place {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
}

impl Place {
    /// On free ports.
    pub(crate) fn start() -> Self {
        Self::with(&Plan::default())
    }

    /// On ports to which it can come back.
    pub(crate) fn to_be_killed() -> Self {
        let next = || format!("http://127.0.0.1:{}", port());
        let addresses =
            Addresses { events: next(), bookings: next(), events_ops: next(), bookings_ops: next(), page: next() };
        Self::with(&Plan { addresses: Some(addresses), ..Plan::default() })
    }

    fn with(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), plan).unwrap_or_else(|status| panic!("it ended: {status}"));
        Self { server, folder }
    }

    /// Starts it again where it was, on what it left on disk.
    pub(crate) fn start_again(&mut self) {
        let plan = Plan { addresses: Some(self.server.addresses.clone()), ..Plan::default() };
        self.server = Server::start(self.folder.path(), &plan).unwrap_or_else(|status| panic!("it ended: {status}"));
    }

    /// Where the page is.
    pub(crate) fn page(&self) -> &str {
        assert!(!self.server.addresses.page.is_empty(), "the start page has no address of the page");
        &self.server.addresses.page
    }

    /// Creates an event; its id, once the booking service sells it.
    pub(crate) async fn event(&self, name: &str, capacity: u64) -> String {
        let id = self.server.events().post("/events", &event(name, capacity)).await.expect(201).id();
        let bookings = self.server.bookings();
        let path = format!("/events/{id}");
        eventually(STARTS, "it is sold", async || (bookings.get(&path).await.status == 200).then_some(())).await;
        id
    }

    /// Books seats as another client does; the booking's id.
    pub(crate) async fn book(&self, event: &str, seats: u64) -> String {
        let body = serde_json::json!({"seats": seats});
        self.server.bookings().post(&format!("/events/{event}/bookings"), &body).await.expect(201).id()
    }

    /// How many seats the booking service has sold.
    pub(crate) async fn sold(&self, event: &str) -> u64 {
        let answer = self.server.bookings().get(&format!("/events/{event}")).await.expect(200);
        e2e::answer::number(&answer.json(), "booked_seats")
    }
}

/// One that nobody else here gets.
fn port() -> u32 {
    static FREE: LazyLock<Mutex<Box<dyn Iterator<Item = u32> + Send>>> =
        LazyLock::new(|| Mutex::new(Box::new(ports::reserved())));
    FREE.lock().unwrap().next().expect("so many are free")
}

/// `myevents page`: the page of services that run elsewhere. It ends when this is dropped.
pub(crate) struct PageApart {
    child: Child,
    pub(crate) url: String,
}

impl PageApart {
    /// For the services of `place`, but with bookings at another address.
    pub(crate) async fn start(place: &Place, bookings: &str, folder: &Path) -> Self {
        let at = &place.server.addresses;
        let address = format!("127.0.0.1:{}", port());
        let mut command = Command::new(binary::myevents());
        command.args(["page", "--page-addr", &address, "--events-url", &at.events, "--bookings-url", bookings]);
        command.args(["--events-ops-url", &at.events_ops, "--bookings-ops-url", &at.bookings_ops]).env_clear();
        let log = std::fs::File::create(folder.join("page.log")).unwrap();
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let page = Self { child, url: format!("http://{address}") };
        eventually(STARTS, "the page answers", async || {
            tokio::net::TcpStream::connect(&address).await.ok()?;
            (Api::new(&page.url).get("/livez").await.status == 200).then_some(())
        })
        .await;
        page
    }
}

impl Drop for PageApart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
