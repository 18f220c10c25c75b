//! What may happen to a broker: it dies, stops, comes late, closes connections, runs out of memory, refuses the login.

use std::time::{Duration, Instant};

use testing::{eventually, logs, rabbitmq};

use crate::{
    bus::detour,
    service::{HEALED, NOTICED, Service},
};

#[tokio::test]
async fn a_killed_broker_costs_nothing() {
    let Some(server) = rabbitmq::exclusive().await else { return };
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
    let Some(server) = rabbitmq::exclusive().await else { return };
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
    let Some(server) = rabbitmq::exclusive().await else { return };
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
    let Some(server) = rabbitmq::exclusive().await else { return };
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
    let Some(server) = rabbitmq::exclusive().await else { return };
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
    let Some(server) = rabbitmq::exclusive().await else { return };
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
async fn a_wrong_password_is_logged_once_and_never_shown_and_a_corrected_one_works() {
    logs::capture();
    let Some(server) = rabbitmq::exclusive().await else { return };
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
