//! The relay over RabbitMQ, beside a bare client that publishes the same messages and waits for the same confirms; and how
//! fast the event service reads them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use amqp::{AmqpBus, Broker, EXCHANGE};
use anyhow::{Context, ensure};
use async_trait::async_trait;
use eventservice::{
    listener::{Listener, QUEUE, READS},
    metrics::EventMetrics,
    store::sqlite::{SqliteStore, open},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use lapin::{
    BasicProperties, Channel,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueuePurgeOptions},
};
use messaging::{
    Bus, Entry, Handler, Message, Outcome, Subscription,
    metrics::{ConsumeMetrics, RelayMetrics},
    outbox::{Outbox, relay::Relay},
};
use metrics::Registry;
use process::checks::{Checks, option};
use sqlite::{outbox::SqliteOutbox, writer::StoreMetrics};
use tempfile::TempDir;
use testing::rabbitmq::{self, RabbitMq};

use crate::{
    median, now,
    store::Bare,
    table::{Goal, Table},
};

const TURNS: usize = 3;
/// Bookings are made for so long, and each is a message.
const TURN: Duration = Duration::from_millis(400);
/// How long each step of a measurement may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);
/// As many without a confirm as the relay has.
const WINDOW: usize = 64;

const NEEDS: &str = "needs RabbitMQ: apt install rabbitmq-server";

pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let Some(server) = rabbitmq::exclusive().await else {
        for row in ["relay over RabbitMQ", "the event service reads from RabbitMQ"] {
            table.not_run(row, NEEDS);
        }
        return Ok(());
    };
    let (url, bookings) = (server.virtual_host("bench-relay"), Bare::open().await?);
    let reader = Reader::new(&bookings).await?;
    reader.declare_queue(&url).await?;
    let channel = lapin::Connection::connect(&url, Default::default()).await?.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let bus = Arc::new(connect(&url).await?);
    let mut relay = relay(bookings.outbox.clone(), bus.clone())?;

    let (mut relayed, mut bare) = (Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        now(&format!("relay, turn {turn} of {TURNS}"));
        let entries = messages(&bookings).await?;
        let began = Instant::now();
        publish(&channel, &entries).await?;
        bare.push(per_second(entries.len(), began));
        let began = Instant::now();
        relay.drain().await;
        relayed.push(per_second(entries.len(), began));
        channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await?;
    }
    let (relayed, bare) = (median(&relayed), median(&bare));
    table.add("bare client of RabbitMQ, the same messages, 64 without a confirm", bare, "/s", None);
    table.add("relay over RabbitMQ", relayed, "/s", None);
    table.add("the relay to the bare client", relayed / bare, "", Some(Goal::AtLeast(0.5)));

    now("reading from RabbitMQ");
    let waiting = messages(&bookings).await?.len();
    relay.drain().await;
    bus.close().await;
    table.add("the event service reads from RabbitMQ", reader.read(&url, waiting).await?, "/s", None);
    end(&server);
    Ok(())
}

/// What ends now is counted as ours, not as noise.
pub(crate) fn end(server: &RabbitMq) {
    server.stop();
}

/// Fills the outbox, and says with what.
async fn messages(bookings: &Bare) -> anyhow::Result<Vec<Entry>> {
    bookings.book(TURN).await?;
    Ok(bookings.outbox.pending(1 << 30).await?)
}

fn per_second(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}

async fn connect(url: &str) -> anyhow::Result<AmqpBus> {
    let (mut checks, url, none) = (Checks::new(), Some(url.to_owned()), option("", &None));
    let broker = Broker::read(&mut checks, option("URL", &url), none, option("", &None)).context("a broker")?;
    let (bus, began) = (AmqpBus::start(broker, "bench", Default::default()), Instant::now());
    while let Err(cause) = bus.state() {
        ensure!(began.elapsed() < STEP_TIMEOUT, "{cause}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(bus)
}

fn relay(outbox: Arc<SqliteOutbox>, bus: Arc<AmqpBus>) -> anyhow::Result<Relay> {
    Ok(Relay::new(outbox, bus, Arc::default(), RelayMetrics::new(&Registry::new(), READS)?, Default::default()))
}

/// The same messages as the relay publishes, and as durable, but from memory.
async fn publish(channel: &Channel, entries: &[Entry]) -> anyhow::Result<()> {
    let one = async |Entry { message, mandatory }: &Entry| {
        let options = BasicPublishOptions { mandatory: *mandatory, ..Default::default() };
        let id = message.id.to_string();
        let properties = BasicProperties::default().with_delivery_mode(2).with_message_id(id.into());
        let name = message.name.as_str();
        let sent = channel.basic_publish(EXCHANGE.into(), name.into(), options, &message.body, properties).await?;
        let confirm = sent.await?;
        ensure!(confirm.is_ack() && confirm.take_message().is_none(), "a message was not taken");
        Ok(())
    };
    stream::iter(entries.iter().map(one)).buffered(WINDOW).try_collect().await
}

/// The listener of the event service on its store, which counts what it has handled.
struct Reader {
    listener: Listener,
    handled: AtomicUsize,
    _folder: TempDir,
}

impl Reader {
    /// It knows the events of those bookings.
    async fn new(bookings: &Bare) -> anyhow::Result<Arc<Self>> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let registry = Registry::new();
        let database = Arc::new(open(folder.path().into(), StoreMetrics::new(&registry)?)?);
        let outbox = Arc::new(SqliteOutbox::open(database.clone(), Arc::default()).await?);
        let store = Arc::new(SqliteStore::open(database, outbox, EventMetrics::new(&registry)?).await?);
        bookings.known_to(&*store).await?;
        Ok(Arc::new(Self { listener: Listener { store }, handled: AtomicUsize::new(0), _folder: folder }))
    }

    async fn subscribe(self: &Arc<Self>, bus: &AmqpBus) -> anyhow::Result<()> {
        let metrics = ConsumeMetrics::new(&Registry::new(), QUEUE, READS)?;
        bus.subscribe(Subscription {
            queue: QUEUE,
            names: READS,
            handler: self.clone(),
            metrics,
            stories: Default::default(),
            resync_request: None,
        })
        .await;
        Ok(())
    }

    /// It is declared by whoever reads it.
    async fn declare_queue(self: &Arc<Self>, url: &str) -> anyhow::Result<()> {
        let bus = connect(url).await?;
        self.subscribe(&bus).await?;
        let (probe, began) = (Entry::new(READS[0], true, b"{}".to_vec(), None), Instant::now());
        while bus.publish(std::slice::from_ref(&probe)).await != [Ok(())] {
            ensure!(began.elapsed() < STEP_TIMEOUT, "the queue is not declared");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        while self.handled.load(Ordering::Relaxed) == 0 {
            ensure!(began.elapsed() < STEP_TIMEOUT, "the queue is not read");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bus.close().await;
        Ok(())
    }

    /// Messages a second, from the connection on.
    async fn read(self: &Arc<Self>, url: &str, waiting: usize) -> anyhow::Result<f64> {
        let bus = connect(url).await?;
        let (before, began) = (self.handled.load(Ordering::Relaxed), Instant::now());
        self.subscribe(&bus).await?;
        while self.handled.load(Ordering::Relaxed) < before + waiting {
            ensure!(began.elapsed() < STEP_TIMEOUT, "the queue is not read to its end");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let per_second = per_second(waiting, began);
        bus.close().await;
        Ok(per_second)
    }
}

#[async_trait]
impl Handler for Reader {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        let outcomes = self.listener.handle(batch).await;
        self.handled.fetch_add(batch.len(), Ordering::Relaxed);
        outcomes
    }
}
