//! The services as processes of their own: how soon the view follows over RabbitMQ, and what bookings cost on MongoDB,
//! beside the bare update of one document that they cannot do without.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use amqp::AmqpBus;
use anyhow::{Context, ensure};
use mongodb::{
    Client, Collection,
    bson::{Document, doc},
};
use rest::Target;
use testing::{
    mongo_server,
    rabbitmq::{self, RabbitMq},
    services::Services,
};
use tokio::task::JoinSet;

use crate::{
    median, now,
    relay::end,
    system::book,
    table::{Goal, Table},
    view,
};

const TURNS: usize = 3;
const TURN: Duration = Duration::from_millis(1500);
const CLIENTS: u32 = 64;
const EVENTS: u32 = 20;

/// How often the hold list is looked at.
const LOOK: Duration = Duration::from_millis(20);

const VIEW: &str = "201 to the view over RabbitMQ, 100 bookings a second, p50";
const BOOKINGS: &str = "bookings on MongoDB, 64 connections";
const LIST: &str = "longest hold list, 64 connections on one event";

pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let Some(broker) = rabbitmq::exclusive().await else {
        for row in [VIEW, BOOKINGS, LIST] {
            table.not_run(row, "needs RabbitMQ: apt install rabbitmq-server");
        }
        return Ok(());
    };
    now("from a 201 to the view, over RabbitMQ");
    let services = Services::start(program, &broker.virtual_host("bench-view"), None).await;
    let (events, bookings) = (target(&services.events.rest)?, target(&services.bookings.rest)?);
    book(events, bookings, 16, EVENTS, Duration::from_millis(100)).await?;
    view::of(&services.events.rest, &services.bookings.rest, VIEW, None, table).await?;
    drop(services);
    on_mongodb(&broker, table).await?;
    end(&broker);
    Ok(())
}

async fn on_mongodb(broker: &RabbitMq, table: &mut Table) -> anyhow::Result<()> {
    let Some(mongo) = mongo_server::own() else {
        for row in [BOOKINGS, LIST] {
            table.not_run(row, "needs MongoDB: mongod or Docker, or Java and Maven for an in-memory stand-in");
        }
        return Ok(());
    };
    let url = |service: &str| mongo.url(service);
    let services = Services::start(program, &broker.virtual_host("bench-mongo"), Some(&url)).await;
    let places = || anyhow::Ok((target(&services.events.rest)?, target(&services.bookings.rest)?));
    let (events, bookings) = places()?;
    book(events, bookings, CLIENTS, EVENTS, TURN).await?; // Java is slow at first
    let (mut bare, mut booked) = (Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        now(&format!("bookings on MongoDB, turn {turn} of {TURNS}"));
        bare.push(updates(&mongo.url("bare")).await?);
        let (events, bookings) = places()?;
        booked.push(book(events, bookings, CLIENTS, EVENTS, TURN).await?.requests_per_second);
    }
    let (bare, booked) = (median(&bare), median(&booked));
    table.add(format!("bare update of one document on MongoDB ({mongo}), 64 callers"), bare, "/s", None);
    table.add(format!("bookings on MongoDB ({mongo}), {CLIENTS} connections"), booked, "/s", None);
    table.add("… to the bare update", booked / bare, "", None);
    now("the longest hold list");
    table.add(LIST, longest_list(&services, &mongo.url("bookingservice")).await?, "", Some(Goal::Below(200.0)));
    Ok(())
}

/// Both services can be this very program: `main` asks how it was called.
fn program(service: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(std::env::current_exe().expect("a running program has a path"));
    command.arg0(service);
    command
}

/// The service of this name, as its own `main` runs it; `None` where this program was not called so.
pub(crate) async fn serve(name: &str) -> Option<anyhow::Result<()>> {
    use service::options::Command::Serve;
    Some(match name {
        "eventservice" => {
            async {
                let Serve(config) = eventservice::config::read()? else { unreachable!("it has no arguments") };
                config.log.install();
                let (stop, broker) = (process::shutdown::on_signal()?, config.broker.context("a broker")?);
                let bus = std::sync::Arc::new(AmqpBus::start(broker, "eventservice", Default::default()));
                Ok(eventservice::app::build(config.settings, bus, stop.clone()).await?.run_until(stop).await?)
            }
            .await
        }
        "bookingservice" => {
            async {
                let Serve(config) = bookingservice::config::read()? else { unreachable!("it has no arguments") };
                config.log.install();
                let (stop, broker) = (process::shutdown::on_signal()?, config.broker.context("a broker")?);
                let bus = std::sync::Arc::new(AmqpBus::start(broker, "bookingservice", Default::default()));
                Ok(bookingservice::app::build(config.settings, bus, stop.clone()).await?.run_until(stop).await?)
            }
            .await
        }
        _ => return None,
    })
}

fn target(url: &str) -> anyhow::Result<Target> {
    Target::parse(url).context("it is an address")
}

/// Updates a second of a few documents by as many callers, with the write concern of the client's default.
async fn updates(url: &str) -> anyhow::Result<f64> {
    let client = Client::with_uri_str(url).await?;
    let table: Collection<Document> = client.database("bare").collection("events");
    for id in 0..EVENTS {
        table.update_one(doc! { "_id": id }, doc! { "$set": { "n": 0 } }).upsert(true).await?;
    }
    let (began, mut callers) = (Instant::now(), JoinSet::new());
    for number in 0..CLIENTS {
        let table = table.clone();
        callers.spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < TURN {
                table.update_one(doc! { "_id": number % EVENTS }, doc! { "$inc": { "n": 1 } }).await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(of_one) = callers.join_next().await {
        done += of_one??;
    }
    let per_second = f64::from(done) / began.elapsed().as_secs_f64();
    client.shutdown().await;
    Ok(per_second)
}

/// In the documents themselves, while all book the same event: the service's own metric looks every few seconds only.
async fn longest_list(services: &Services, url: &str) -> anyhow::Result<f64> {
    let client = Client::with_uri_str(url).await?;
    let table: Collection<Document> = client.default_database().context("a database")?.collection("events");
    let (events, bookings) = (target(&services.events.rest)?, target(&services.bookings.rest)?);
    let (mut longest, mut looks) = (0, 0);
    let watch = async {
        loop {
            tokio::time::sleep(LOOK).await;
            let mut all = table.find(doc! {}).projection(doc! { "holds": 1 }).await?;
            while all.advance().await? {
                let event = all.deserialize_current()?;
                longest = longest.max(event.get_array("holds").map_or(0, Vec::len));
                looks += usize::from(!event.is_empty());
            }
        }
    };
    let load = book(events, bookings, CLIENTS, 1, 2 * TURN);
    let watched: anyhow::Result<()> = tokio::select! { load = load => load.map(drop), watched = watch => watched };
    watched?;
    ensure!(looks > 0 && longest > 0, "no hold was seen in {looks} looks");
    client.shutdown().await;
    Ok(longest as f64)
}
