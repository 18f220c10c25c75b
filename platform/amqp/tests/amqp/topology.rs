//! What somebody may do to the exchange and the queues of a running service.

use std::time::{Duration, Instant};

use lapin::{
    Channel, ExchangeKind,
    options::{
        ExchangeDeclareOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
    },
};
use testing::{bus_world::Reader, eventually, eventually_mut, logs, rabbitmq};

use crate::{
    bus::{detour, tuning},
    service::{HEALED, NOTES, NOTICED, Service},
};

/// A queue that is refused is tried again after so long.
const RETRIED: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_queue_that_is_deleted_or_purged_under_its_reader_is_there_again() {
    let Some(server) = rabbitmq::shared().await else { return };
    let mut service = Service::start().await;
    let channel = server.connect().await.unwrap().create_channel().await.unwrap();
    let queue = service.world.queue;
    for _ in 0..2 {
        service.commit(10).await;
        service.all_arrive(HEALED).await;
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
        service.commit(10).await; // some come back, since nobody is there to read them, and wait
        service.all_arrive(HEALED).await;
        channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.unwrap();
    }
    assert!(service.metric(r#"myevents_amqp_reconnects_total{reason="queue_gone"}"#).await >= 2.0);
}

#[tokio::test]
async fn an_exchange_that_is_deleted_is_there_again_with_its_bindings() {
    let Some(server) = rabbitmq::shared().await else { return };
    let mut service = Service::start().await;
    let channel = server.connect().await.unwrap().create_channel().await.unwrap();
    channel.exchange_delete(tuning().exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
    service.commit(100).await;
    service.all_arrive(HEALED).await;
}

#[tokio::test]
async fn a_queue_with_other_arguments_stops_its_reading_only_and_works_when_the_advice_is_followed() {
    logs::capture();
    let Some(server) = rabbitmq::shared().await else { return };
    let service = Service::start().await;
    let (channel, queue) = (server.connect().await.unwrap().create_channel().await.unwrap(), service.world.queue);
    let mut next = service.world.killed_and_started_again().await;
    drop(service);
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    let other = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), other, Default::default()).await.unwrap();

    // Somebody else reads the same messages, and must get them all the same.
    let other = format!("{queue}-of-another");
    let (exclusive, bind) = (QueueDeclareOptions { exclusive: true, ..Default::default() }, Default::default());
    channel.queue_declare(other.as_str().into(), exclusive, Default::default()).await.unwrap();
    let exchange = tuning().exchange.into();
    channel.queue_bind(other.as_str().into(), exchange, "noteWritten".into(), bind, Default::default()).await.unwrap();
    let arrived_there = async || {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(other.as_str().into(), passive, Default::default()).await.unwrap().message_count()
    };

    let reader = Reader::accepting();
    next.bus.register(&next.metrics.registry).unwrap();
    next.subscribe(NOTES, &reader).await;
    next.start();
    let state = || next.bus.state().err().unwrap_or_default();
    let what_to_do = format!("rabbitmqctl delete_queue {queue}");
    eventually(NOTICED, "it says what to do", async || state().contains(&what_to_do)).await;
    let mut sent = 0;
    let began = Instant::now();
    eventually_mut(6 * RETRIED, "it was tried again a few times", async || {
        next.commit("noteWritten", true, ["while it is not read"]).await;
        sent += 1;
        eventually(NOTICED, "it is published", async || arrived_there().await == sent).await;
        assert!(state().contains(&what_to_do), "{:?}", next.bus.state());
        assert_eq!(next.metric("myevents_amqp_connected").await, 1.0);
        began.elapsed() > 3 * RETRIED
    })
    .await;
    for reason in ["arguments", "closed", "queue_gone", "broken", "timeout"] {
        let lost = format!(r#"myevents_amqp_reconnects_total{{reason="{reason}"}}"#);
        assert_eq!(next.metric(&lost).await, 0.0, "{reason}: the connection outlives each try");
    }
    let lines = logs::lines_with(&what_to_do);
    assert!(lines.len() == 1 && lines[0].contains("ERROR"), "{lines:#?}");
    assert_eq!(reader.bodies(), [""; 0]);

    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    eventually(HEALED, "it is all well", async || next.bus.state().is_ok()).await;
    next.commit("noteWritten", true, ["at last"]).await;
    eventually(HEALED, "it reads", async || reader.bodies() == ["at last"]).await;
    next.all_is_sent().await;
    assert_eq!(next.metric(r#"myevents_amqp_reconnects_total{reason="arguments"}"#).await, 0.0);
}

async fn declare_exchange(channel: &Channel, kind: ExchangeKind, durable: bool) {
    let options = ExchangeDeclareOptions { durable, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(tuning().exchange.into(), kind, options, Default::default()).await.unwrap();
}

async fn delete_exchange(channel: &Channel) {
    channel.exchange_delete(tuning().exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
}

#[tokio::test]
async fn an_exchange_of_another_kind_is_told_with_advice_and_all_works_when_that_is_followed() {
    logs::capture();
    let Some(server) = rabbitmq::shared().await else { return };
    let channel = server.connect().await.unwrap().create_channel().await.unwrap();
    for (kind, durable, wrong) in [(ExchangeKind::Fanout, true, "'type'"), (ExchangeKind::Topic, false, "'durable'")] {
        declare_exchange(&channel, kind, durable).await;
        let mut service = Service::start_without_a_broker().await;
        service.commit(10).await;
        let what_to_do = format!("delete exchange name={}", tuning().exchange);
        let refused = || service.world.bus.state().err().unwrap_or_default();
        eventually(NOTICED, "it says what to do", async || refused().contains(&what_to_do)).await;
        assert!(!refused().contains("no connection"), "{}", refused());
        let tries = r#"myevents_amqp_reconnects_total{reason="arguments"}"#;
        eventually(NOTICED, "it goes on trying", async || service.metric(tries).await >= 3.0).await;
        let lines: Vec<_> = logs::lines_with(&what_to_do).into_iter().filter(|line| line.contains(wrong)).collect();
        assert!(lines.len() == 1 && lines[0].contains("ERROR"), "{lines:#?}");
        delete_exchange(&channel).await;
        service.all_arrive(HEALED).await;
        service.world.bus.close().await; // it would declare the exchange again
        delete_exchange(&channel).await;
    }
}

#[tokio::test]
async fn a_user_who_may_declare_nothing_works_with_what_is_there_and_is_told_what_is_missing() {
    let Some(server) = rabbitmq::exclusive().await else { return };
    let channel = server.connect().await.unwrap().create_channel().await.unwrap();
    let first = Service::start().await;
    first.world.bus.close().await;
    server.user("humble", "/", ["", ".*", ".*"]);
    detour(&format!("amqp://humble:secret@127.0.0.1:{}", server.port()));
    let mut service = first.started_again().await;
    drop(first);
    service.commit(10).await;
    service.all_arrive(HEALED).await;

    delete_exchange(&channel).await;
    service.commit(10).await;
    let refused = || service.world.bus.state().err().unwrap_or_default();
    eventually(NOTICED, "it says so", async || refused().contains("is not there, and this user may not declare it"))
        .await;
    assert!(refused().contains("set_permissions") && refused().contains(&tuning().exchange), "{}", refused());
    declare_exchange(&channel, ExchangeKind::Topic, true).await;
    service.all_arrive(HEALED).await;
    assert!(service.metric(r#"myevents_amqp_reconnects_total{reason="permission"}"#).await >= 1.0);
    assert_eq!(service.metric(r#"myevents_amqp_reconnects_total{reason="login"}"#).await, 0.0);
}

#[tokio::test]
async fn a_user_who_may_not_read_the_queue_publishes_all_the_same_and_reads_when_the_right_comes_back() {
    logs::capture();
    let Some(server) = rabbitmq::exclusive().await else { return };
    // The broker remembers for a minute, of each channel, what a user may do.
    server.eval("application:set_env(rabbit, channel_tick_interval, 500)");
    let first = Service::start().await;
    first.world.bus.close().await;
    detour(&format!("amqp://writer:secret@127.0.0.1:{}", server.port()));
    let everything = ["", ".*", ".*"];
    // To consume is to read the queue; to bind it is to write it and to read the exchange. A declared queue needs no right.
    for rights in [["", ".*", "^topology"], ["", "^topology", ".*"]] {
        server.user("writer", "/", rights);
        let mut service = first.started_again().await;
        let missing = format!("access to queue '{}'", service.world.queue);
        let lines = || {
            logs::lines_with(&missing).into_iter().filter(|line| line.contains("somebody must do something")).count()
        };
        let lines_before = lines();
        let refused = || service.world.bus.state().err().unwrap_or_default();
        eventually(NOTICED, "it says so", async || refused().contains(&missing)).await;
        assert!(refused().contains("and publishing, but not reading"), "{}", refused());
        let began = Instant::now();
        while began.elapsed() < 3 * RETRIED {
            service.commit(1).await;
            eventually(NOTICED, "it is published", async || service.world.pending().await == 0).await;
            assert_eq!(service.metric("myevents_amqp_connected").await, 1.0);
        }
        assert_eq!(service.arrived(), 0);
        assert_eq!(lines(), lines_before + 1);
        server.user("writer", "/", everything);
        service.all_arrive(HEALED).await;
        eventually(HEALED, "it is all well", async || service.world.bus.state().is_ok()).await;

        // The right goes while it is read: what the reader has it keeps, and only the bindings are no longer looked after.
        server.user("writer", "/", rights);
        tokio::time::sleep(RETRIED + RETRIED / 2).await;
        service.commit(10).await;
        eventually(HEALED, "all have arrived", async || service.arrived() == service.sent).await;
        assert_eq!(service.metric("myevents_amqp_connected").await, 1.0);
        let may_bind = rights[1] == ".*";
        assert_eq!(service.world.bus.state().is_ok(), may_bind, "{:?}", service.world.bus.state());
        server.user("writer", "/", everything);
        eventually(HEALED, "it is all well again", async || service.world.bus.state().is_ok()).await;
        let tries = r#"myevents_amqp_reconnects_total{reason="permission"}"#;
        assert_eq!(service.metric(tries).await, 0.0);
        service.world.bus.close().await;
    }
}
