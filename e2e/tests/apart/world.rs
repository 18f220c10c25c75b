//! A broker, a database, and replicas of both services on them.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use e2e::{SOON, eventually, ports, samples};
use tempfile::TempDir;
use testing::{
    mongo_server::{self, MongoServer},
    rabbitmq::{self, RabbitMq},
};
use tokio::sync::RwLockWriteGuard;

use crate::replica::{Plan, Replica};

/// A debug build that waits for servers which have just started.
const READY: Duration = Duration::from_secs(20);

/// Where the services find what they need.
pub(crate) struct Servers {
    pub(crate) broker: RwLockWriteGuard<'static, RabbitMq>,
    /// With a virtual host of its own. The services take what stands here, so a test may lead them another way.
    pub(crate) amqp: String,
    pub(crate) vhost: String,
}

impl Servers {
    /// The broker, ours alone; `None` where there is none, and the test returns.
    pub(crate) async fn take() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0); // the tests share the broker
        let broker = rabbitmq::exclusive().await?;
        let vhost = format!("apart-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let amqp = broker.virtual_host(&vhost);
        Some(Self { broker, amqp, vhost })
    }

    /// A connection to look into queues, and to put something there.
    pub(crate) async fn connect(&self) -> lapin::Channel {
        let direct = format!("{}/{}", rabbitmq::url(), self.vhost);
        let connection = lapin::Connection::connect(&direct, Default::default()).await.unwrap();
        connection.create_channel().await.unwrap()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.broker.eval(&format!(r#"rabbit_vhost:delete(<<"{}">>, <<"test">>)"#, self.vhost));
        }
    }
}

/// The environment of a service: the broker, and a database of this name, or a file where there is none.
pub(crate) fn env(amqp: &str, mongo: Option<String>) -> Vec<(&'static str, String)> {
    let mut env = vec![("AMQP_BROKER_URL", amqp.to_owned())];
    env.extend(mongo.map(|url| ("MONGO_URL", url)));
    env
}

/// A whole system.
pub(crate) struct World {
    pub(crate) events: Vec<Replica>,
    pub(crate) bookings: Vec<Replica>,
    /// After the processes: what they need goes last.
    pub(crate) servers: Servers,
    /// Of their logs and files.
    #[expect(dead_code, reason = "it goes with the world")]
    pub(crate) folder: TempDir,
}

impl World {
    /// So many replicas of each service, on free ports.
    pub(crate) async fn start(replicas: usize) -> Option<Self> {
        let (servers, mongo) = (Servers::take().await?, mongo_server::shared()?);
        Some(Self::on(servers, mongo, replicas, || (0, 0)).await)
    }

    /// The same, on ports to which they come back.
    pub(crate) async fn start_to_kill(replicas: usize) -> Option<Self> {
        Self::start_on(Servers::take().await?, replicas).await
    }

    /// The same, with a way to the broker that the test has chosen.
    pub(crate) async fn start_on(servers: Servers, replicas: usize) -> Option<Self> {
        let mongo = mongo_server::shared()?;
        let mut ports = ports::reserved();
        let next = move || (ports.next().expect("so many are free"), ports.next().expect("so many are free"));
        Some(Self::on(servers, mongo, replicas, next).await)
    }

    async fn on(servers: Servers, mongo: &MongoServer, count: usize, mut ports: impl FnMut() -> (u32, u32)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = samples::unique("apart").replace(' ', "-");
        let mut replicas = |service: &'static str| {
            let url = mongo.url(&format!("{run}-{service}"));
            let start = |number| {
                let plan = Plan { service, env: env(&servers.amqp, Some(url.clone())), ports: ports() };
                Replica::start(&folder.path().join(format!("{service}-{number}")), plan)
            };
            (0..count).map(start).collect()
        };
        let (events, bookings) = (replicas("eventservice"), replicas("bookingservice"));
        let world = Self { events, bookings, servers, folder };
        world.ready().await;
        world
    }

    pub(crate) fn replicas(&self) -> impl Iterator<Item = &Replica> {
        self.events.iter().chain(&self.bookings)
    }

    /// Waits until every replica is ready and has its broker.
    pub(crate) async fn ready(&self) {
        for replica in self.replicas() {
            eventually(READY, "it is ready and connected", async || connected(replica).await.then_some(())).await;
        }
    }

    /// An event that all booking services know.
    pub(crate) async fn event(&self, name: &str, capacity: u64) -> String {
        let event = self.events[0].rest.post("/events", &samples::event(name, capacity)).await.expect(201).id();
        self.on_sale(&event).await;
        event
    }

    /// Waits until it can be booked.
    pub(crate) async fn on_sale(&self, event: &str) {
        let path = format!("/events/{event}");
        eventually(SOON, "the booking service knows the event", async || {
            (self.bookings[0].rest.get(&path).await.status == 200).then_some(())
        })
        .await;
    }
}

/// Whether it is ready, and its broker is there.
pub(crate) async fn connected(replica: &Replica) -> bool {
    let answer = replica.ops.get("/readyz").await;
    answer.status == 200 && answer.json()["checks"]["broker"]["ok"] == true
}
