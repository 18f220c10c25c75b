//! What may happen to a broker and to the way to it. In every case messages wait in the outbox meanwhile, and all of them
//! arrive within ten seconds of its end, without a restart by hand.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lapin::options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions};

use crate::{
    bus_amqp::{amqp, detour, tuning},
    bus_world::{Reader, World},
    logs,
    proxy::{Proxy, Weather},
    rabbitmq,
    support::eventually,
};

const NOTES: &[&str] = &["noteWritten"];

/// After the end of a fault.
const HEALED: Duration = Duration::from_secs(10);

/// A queue that is refused is tried again after so long.
const RETRIED: Duration = Duration::from_secs(3);

/// Before its end.
const NOTICED: Duration = Duration::from_secs(20);

/// A service with a reader of its own messages, connected where there is something to connect to.
struct Service {
    world: World,
    reader: Arc<Reader>,
    sent: usize,
}

impl Service {
    async fn start() -> Self {
        let mut service = Self::start_without_a_broker().await;
        service.commit(1).await;
        service.all_arrive(NOTICED).await;
        service
    }

    async fn start_without_a_broker() -> Self {
        let (mut world, reader) = (World::new(amqp).await, Reader::willing());
        world.bus.register(&world.metrics.registry).unwrap();
        world.subscribe(NOTES, &reader).await;
        world.start();
        Self { world, reader, sent: 0 }
    }

    /// Commits further messages, as bookings would.
    async fn commit(&mut self, count: usize) {
        let bodies: Vec<String> = (self.sent..self.sent + count).map(|n| n.to_string()).collect();
        self.world.commit("noteWritten", true, bodies.iter().map(String::as_str)).await;
        self.sent += count;
    }

    /// How many different ones arrived. Some may have come twice.
    fn arrived(&self) -> usize {
        self.reader.bodies().iter().collect::<std::collections::BTreeSet<_>>().len()
    }

    async fn all_arrive(&self, deadline: Duration) {
        let what = format!("all {} have arrived", self.sent);
        eventually(deadline, &what, async || self.arrived() == self.sent).await;
        eventually(deadline, "the outbox is empty", async || self.world.pending().await == 0).await;
        assert_eq!(self.world.dead.list().await.unwrap(), [], "a good message was given up");
    }

    async fn metric(&self, name: &str) -> f64 {
        self.world.metric(name).await
    }

    async fn is_away(&self) {
        eventually(NOTICED, "the loss is noticed", async || self.world.bus.state().is_err()).await;
        assert_eq!(self.metric("myevents_amqp_connected").await, 0.0);
    }
}

#[tokio::test]
async fn a_killed_broker_costs_nothing() {
    let Some(server) = rabbitmq::alone().await else { return };
    let mut service = Service::start().await;
    service.commit(200).await;
    server.remembers_its_queues();
    server.kill();
    service.commit(200).await;
    service.is_away().await;
    service.commit(100).await;
    server.start();
    server.runs().await;
    service.all_arrive(HEALED).await;
    assert_eq!(service.metric("myevents_amqp_unconfirmed_messages").await, 0.0);
}

#[tokio::test]
async fn a_broker_that_is_stopped_in_order_costs_nothing() {
    let Some(server) = rabbitmq::alone().await else { return };
    let mut service = Service::start().await;
    service.commit(200).await;
    server.remembers_its_queues();
    server.stop();
    service.commit(200).await;
    service.is_away().await;
    let tries = r#"myevents_amqp_reconnects_total{reason="unreachable"}"#;
    eventually(NOTICED, "it goes on trying", async || service.metric(tries).await >= 3.0).await;
    server.start();
    server.runs().await;
    service.all_arrive(HEALED).await;
}

#[tokio::test]
async fn a_service_starts_before_its_broker_and_works_when_it_comes() {
    let Some(server) = rabbitmq::alone().await else { return };
    server.stop();
    let began = Instant::now();
    let mut service = Service::start_without_a_broker().await;
    service.commit(50).await;
    assert!(began.elapsed() < Duration::from_secs(2), "nothing waits for the broker");
    eventually(NOTICED, "it says so", async || service.world.bus.state().is_err_and(|text| text.contains("refused")))
        .await;
    server.start();
    server.runs().await;
    service.all_arrive(HEALED).await;
    assert!(service.world.bus.state().unwrap().contains("connected to amqp://127.0.0.1"));
}

#[tokio::test]
async fn connections_that_the_server_closes_are_made_again() {
    let Some(server) = rabbitmq::alone().await else { return };
    let mut service = Service::start().await;
    for _ in 0..3 {
        service.commit(200).await;
        server.close_all_connections();
        service.commit(50).await;
        service.all_arrive(HEALED).await;
    }
    assert!(service.metric(r#"myevents_amqp_reconnects_total{reason="closed"}"#).await >= 3.0);
}

#[tokio::test]
async fn a_memory_alarm_is_seen_and_waited_out() {
    let Some(server) = rabbitmq::alone().await else { return };
    let mut service = Service::start().await;
    service.commit(10).await;
    service.all_arrive(HEALED).await;
    server.memory_alarm(true);
    service.commit(100).await;
    let blocked = async || service.metric("myevents_amqp_blocked").await == 1.0;
    eventually(NOTICED, "the gauge says that it is blocked", blocked).await;
    assert!(service.world.bus.state().unwrap_err().contains("takes no messages"));
    // Longer than the confirms are waited for: it must not leave, and come back, and leave.
    let began = Instant::now();
    eventually(NOTICED, "ten seconds have passed", async || began.elapsed() > Duration::from_secs(10)).await;
    assert_eq!(service.metric("myevents_amqp_connected").await, 1.0);
    assert_eq!(service.world.pending().await, 100);
    server.memory_alarm(false);
    service.all_arrive(HEALED).await;
    assert_eq!(service.metric("myevents_amqp_blocked").await, 0.0);
    for reason in ["timeout", "broken", "closed"] {
        let lost = format!(r#"myevents_amqp_reconnects_total{{reason="{reason}"}}"#);
        assert_eq!(service.metric(&lost).await, 0.0, "{reason}");
    }
}

#[tokio::test]
async fn under_a_memory_alarm_the_dead_letters_are_refused_at_once_with_the_reason() {
    let Some(server) = rabbitmq::alone().await else { return };
    let mut service = Service::start().await;
    let (channel, dead) = (server.connect().await.unwrap().create_channel().await.unwrap(), service.world.dead.clone());
    let graveyard = format!("{}.dead", service.world.queue);
    channel
        .basic_publish("".into(), graveyard.as_str().into(), Default::default(), b"dead", Default::default())
        .await
        .unwrap();
    eventually(NOTICED, "it is a dead letter", async || dead.list().await.unwrap().len() == 1).await;
    server.memory_alarm(true);
    eventually(NOTICED, "the alarm is on", async || server.eval("rabbit_alarm:get_alarms()") != "[]").await;

    // The broker tells of its alarm when something is published: the redrive is the first that does.
    let ask = async { [dead.redrive(None).await.err(), dead.list().await.err(), dead.redrive(None).await.err()] };
    let answers = tokio::time::timeout(Duration::from_secs(3), ask).await.expect("nobody has to wait");
    for refused in answers.map(Option::unwrap) {
        assert!(refused.0.contains("has an alarm") && refused.0.contains("low on memory"), "{refused}");
    }
    service.commit(10).await;

    server.memory_alarm(false);
    service.sent += 1;
    eventually(NOTICED, "it is redriven", async || {
        dead.redrive(None).await.is_ok() && service.arrived() == service.sent
    })
    .await;
    service.all_arrive(HEALED).await;
}

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
async fn a_wrong_password_is_told_once_and_never_shown_and_a_mended_one_works() {
    logs::capture();
    let Some(server) = rabbitmq::alone().await else { return };
    server.eval(r#"rabbit_auth_backend_internal:add_user(<<"guarded">>, <<"right-one">>, <<"test">>)"#);
    server.eval(r#"rabbit_auth_backend_internal:set_permissions(<<"guarded">>, <<"/">>, <<".*">>, <<".*">>, <<".*">>, <<"test">>)"#);
    detour(&format!("amqp://guarded:hunter2@127.0.0.1:{}", server.port()));
    let mut service = Service::start_without_a_broker().await;
    service.commit(10).await;
    let refused = || service.world.bus.state().unwrap_err();
    eventually(NOTICED, "it says why", async || refused().contains("ACCESS_REFUSED")).await;
    let tries = r#"myevents_amqp_reconnects_total{reason="login"}"#;
    eventually(NOTICED, "it goes on trying", async || service.metric(tries).await >= 3.0).await;
    assert_eq!(logs::lines_with("somebody must do something: the broker says: ACCESS_REFUSED").len(), 1);
    server.eval(r#"rabbit_auth_backend_internal:change_password(<<"guarded">>, <<"hunter2">>, <<"test">>)"#);
    service.all_arrive(HEALED).await;
    assert_eq!(logs::lines_with("hunter2"), [""; 0]);
}

#[tokio::test]
async fn a_queue_with_other_arguments_stops_its_reading_only_and_works_when_what_is_told_is_done() {
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

    let reader = Reader::willing();
    next.bus.register(&next.metrics.registry).unwrap();
    next.subscribe(NOTES, &reader).await;
    next.start();
    let told = || next.bus.state().err().unwrap_or_default();
    let what_to_do = format!("rabbitmqctl delete_queue {queue}");
    eventually(NOTICED, "it says what to do", async || told().contains(&what_to_do)).await;
    let mut sent = 0;
    let began = Instant::now();
    eventually(6 * RETRIED, "it was tried again a few times", async || {
        next.commit("noteWritten", true, ["while it is not read"]).await;
        sent += 1;
        eventually(NOTICED, "it is published", async || arrived_there().await == sent).await;
        assert!(told().contains(&what_to_do), "{:?}", next.bus.state());
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

/// lapin's threads in this process.
fn threads_of_lapin() -> usize {
    let names = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path().join("comm"));
    names.filter(|name| std::fs::read_to_string(name).is_ok_and(|name| name.starts_with("lapin"))).count()
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_told_once_and_does_not_collect_threads() {
    logs::capture();
    // Alone, since the threads of other tests would be counted, too.
    let Some(server) = rabbitmq::alone().await else { return };
    let proxy = Proxy::to(server.port()).await;
    detour(&format!("amqp://guest:guest@{}", proxy.address));
    let service = Service::start().await;
    eventually(NOTICED, "nothing is left of other tests", async || threads_of_lapin() == 1).await;
    proxy.set(Weather::Swallow);
    let tries = r#"myevents_amqp_reconnects_total{reason="timeout"}"#;
    let mut most = 0;
    eventually(Duration::from_secs(60), "three tries got no answer", async || {
        most = most.max(threads_of_lapin());
        service.metric(tries).await >= 3.0
    })
    .await;
    assert_eq!(most, 1);
    let told = logs::lines_with(&proxy.address.to_string());
    let why = |line: &&String| line.contains("the broker did not answer in time, asked for a sign of life");
    assert_eq!(told.iter().filter(why).count(), 1, "{told:#?}");
    drop(service);
    eventually(NOTICED, "no thread is left", async || threads_of_lapin() == 0).await;
}

/// Has the network behave like this while messages are on their way, and then well again.
async fn weather(weather: Weather) {
    let Some(server) = rabbitmq::alone().await else { return };
    let proxy = Proxy::to(server.port()).await;
    detour(&format!("amqp://guest:guest@{}", proxy.address));
    let mut service = Service::start().await;
    service.commit(300).await;
    proxy.set(weather);
    service.commit(300).await;
    if !matches!(weather, Weather::Slow(_)) {
        service.is_away().await;
    }
    service.commit(100).await;
    proxy.set(Weather::Fine);
    service.all_arrive(HEALED).await;
}

#[tokio::test]
async fn a_network_that_swallows_everything_costs_nothing() {
    weather(Weather::Swallow).await;
}

#[tokio::test]
async fn a_network_that_drops_connections_in_the_middle_of_a_frame_costs_nothing() {
    weather(Weather::Drop(1234)).await;
}

#[tokio::test]
async fn a_network_that_closes_one_direction_costs_nothing() {
    weather(Weather::HalfClose).await;
}

#[tokio::test]
async fn a_slow_network_costs_nothing() {
    weather(Weather::Slow(Duration::from_millis(100))).await;
}
