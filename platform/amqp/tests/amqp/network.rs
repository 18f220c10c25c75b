//! What may happen on the way to a broker.

use std::time::Duration;

use testing::{
    eventually, eventually_mut, logs,
    proxy::{Condition, Proxy},
    rabbitmq,
};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::{
    bus::detour,
    service::{HEALED, NOTICED, Service},
};

/// lapin's threads in this process.
fn threads_of_lapin() -> usize {
    let names = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path().join("comm"));
    names.filter(|name| std::fs::read_to_string(name).is_ok_and(|name| name.starts_with("lapin"))).count()
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_logged_once_and_does_not_collect_threads() {
    logs::capture();
    // Alone, since the threads of other tests would be counted, too.
    let Some(server) = rabbitmq::exclusive().await else { return };
    let proxy = Proxy::to(server.port()).await;
    detour(&format!("amqp://guest:guest@{}", proxy.address));
    let service = Service::start().await;
    eventually(NOTICED, "nothing is left of other tests", async || threads_of_lapin() == 1).await;
    proxy.set(Condition::BlackHole);
    let tries = r#"myevents_amqp_reconnects_total{reason="timeout"}"#;
    let mut most = 0;
    eventually_mut(Duration::from_secs(60), "three tries got no answer", async || {
        most = most.max(threads_of_lapin());
        service.metric(tries).await >= 3.0
    })
    .await;
    assert_eq!(most, 1);
    let lines = logs::lines_with(&proxy.address.to_string());
    let why = |line: &&String| line.contains("the broker did not answer in time, asked for a sign of life");
    assert_eq!(lines.iter().filter(why).count(), 1, "{lines:#?}");
    drop(service);
    eventually(NOTICED, "no thread is left", async || threads_of_lapin() == 0).await;
}

/// Has the network behave like this while messages are on their way, and then well again.
async fn condition(condition: Condition) {
    let Some(server) = rabbitmq::exclusive().await else { return };
    let proxy = Proxy::to(server.port()).await;
    detour(&format!("amqp://guest:guest@{}", proxy.address));
    let mut service = Service::start().await;
    service.commit(300).await;
    proxy.set(condition);
    service.commit(300).await;
    if !matches!(condition, Condition::Slow(_)) {
        service.is_away().await;
    }
    service.commit(100).await;
    proxy.set(Condition::Good);
    service.all_arrive(HEALED).await;
}

#[tokio::test]
async fn a_network_that_swallows_everything_costs_nothing() {
    condition(Condition::BlackHole).await;
}

#[tokio::test]
async fn a_network_that_drops_connections_in_the_middle_of_a_frame_costs_nothing() {
    condition(Condition::Drop(1234)).await;
}

#[tokio::test]
async fn a_network_that_closes_one_direction_costs_nothing() {
    condition(Condition::HalfClose).await;
}

#[tokio::test]
async fn a_slow_network_costs_nothing() {
    condition(Condition::Slow(Duration::from_millis(100))).await;
}

#[tokio::test]
async fn who_answers_and_is_no_broker_is_named_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    detour(&format!("amqp://guest:guest@{}", listener.local_addr().unwrap()));
    let service = Service::start_without_a_broker().await;
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
    let state = || service.world.bus.state().unwrap_err();
    // A timeout of the connection would come after five seconds.
    eventually(Duration::from_secs(4), "it is named", async || state().contains("it says \"SSH-2.0-OpenSSH")).await;
}
