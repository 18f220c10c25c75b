//! What somebody does at the broker, with or without intent: it is asked to take no messages, a password is changed, an exchange
//! or a queue is deleted, a queue is made by somebody else. One system lives through all of it.

use std::time::{Duration, Instant};

use e2e::eventually;
use lapin::options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions};
use testing::rabbitmq::RabbitMq;

use crate::{
    backlog::QUEUE,
    queue::waiting,
    replica::Replica,
    tools::verify,
    trial::{NOTICED, Trial, lost, says},
    world::{Servers, World},
};

/// Of the user by whom the services log in.
const PASSWORD: &str = "hunter2";

/// What an alarm lasts: a confirm is waited for for five seconds, and a sign of life comes within six.
const WAITED_OUT: Duration = Duration::from_secs(7);

const QUEUES: [&str; 2] = ["eventservice", "bookingservice"];

/// How often it logged this, as an error.
fn errors(replica: &Replica, part: &str) -> usize {
    replica.logged(part).iter().filter(|line| line["level"] == "ERROR").count()
}

fn user(broker: &RabbitMq, does: &str, with: &str) {
    let done = broker.eval(&format!(r#"rabbit_auth_backend_internal:{does}(<<"guarded">>, {with}, <<"test">>)"#));
    assert!(done.contains("ok"), "{does}: {done}");
}

#[tokio::test]
async fn whatever_somebody_does_at_the_broker_bookings_go_on_and_arrive_when_it_is_mended() {
    let Some(mut servers) = Servers::take().await else { return };
    user(&servers.broker, "add_user", &format!(r#"<<"{PASSWORD}">>"#));
    user(&servers.broker, "set_permissions", &format!(r#"<<"{}">>, <<".*">>, <<".*">>, <<".*">>"#, servers.vhost));
    servers.amqp = servers.amqp.replace("guest:guest@", &format!("guarded:{PASSWORD}@"));
    let Some(mut world) = World::start_on(servers, 1).await else { return };

    an_alarm(&world).await;
    a_changed_password(&mut world).await;
    deleted_things(&world).await;
    a_queue_of_somebody_else(&mut world).await;

    verify(&world, &[]);
    for replica in world.replicas() {
        assert!(!replica.logs().contains(PASSWORD), "the password is in a log");
    }
    world.servers.broker.eval(r#"rabbit_auth_backend_internal:delete_user(<<"guarded">>, <<"test">>)"#);
}

/// It needs its database for that, and no broker.
async fn starts_again(replica: &mut Replica) {
    replica.start_again();
    let ready = async || (replica.ops.get("/readyz").await.status == 200).then_some(());
    eventually(NOTICED, "it is ready", ready).await;
}

/// A memory alarm: connections stay, and nothing is taken.
async fn an_alarm(world: &World) {
    let mut trial = Trial::begin(world).await;
    world.servers.broker.memory_alarm(true);
    trial.goes_on(world).await;
    for replica in world.replicas() {
        assert_eq!(says(replica, "takes no messages").await, false);
        let metrics = replica.ops.metrics().await;
        assert_eq!(metrics.sum("myevents_amqp_blocked", &[]), 1.0);
        assert_eq!(metrics.sum("myevents_amqp_connected", &[]), 1.0);
    }
    trial.goes_on(world).await;
    // Longer than any timeout for an answer of the broker: the service must not disconnect and connect again and again.
    let began = Instant::now();
    eventually(NOTICED, "it has lasted long enough", async || (began.elapsed() > WAITED_OUT).then_some(())).await;
    trial.nothing_arrives(world).await;
    world.servers.broker.memory_alarm(false);
    trial.ends(world).await;
    for replica in world.replicas() {
        assert_eq!(replica.ops.metrics().await.sum("myevents_amqp_blocked", &[]), 0.0);
        for reason in ["closed", "broken", "timeout"] {
            assert_eq!(lost(replica, reason).await, 0.0, "it left for an alarm: {reason}");
        }
    }
}

/// A password that is changed while the services run, and while one of them starts; then it is changed back.
async fn a_changed_password(world: &mut World) {
    let change = |world: &World, to: &str| user(&world.servers.broker, "change_password", &format!(r#"<<"{to}">>"#));
    let (refused, error) = ("ACCESS_REFUSED", "somebody must do something: the broker says: ACCESS_REFUSED");
    let mut trial = Trial::begin(world).await;
    change(world, "another one");
    world.servers.broker.close_all_connections();
    for replica in world.replicas() {
        assert_eq!(says(replica, refused).await, false);
    }
    trial.goes_on(world).await;
    trial.nothing_arrives(world).await;
    for replica in world.replicas() {
        eventually(NOTICED, "it goes on trying", async || (lost(replica, "login").await >= 3.0).then_some(())).await;
        assert_eq!(errors(replica, error), 1, "a line for the change, and none for each try");
    }
    change(world, PASSWORD);
    trial.ends(world).await;

    // Once more, and a service that has accepted bookings is killed meanwhile: they are on disk.
    let mut trial = Trial::begin(world).await;
    change(world, "another one");
    world.servers.broker.close_all_connections();
    says(&world.bookings[0], refused).await;
    trial.goes_on(world).await;
    let bookings = &mut world.bookings[0];
    bookings.kill();
    bookings.plan.env.push(("RUST_LOG", "info,lapin=trace,amqp=trace".into())); // the first frame holds the login
    starts_again(bookings).await;
    bookings.plan.env.pop();
    assert_eq!(says(&world.bookings[0], refused).await, false);
    trial.goes_on(world).await;
    assert_eq!(errors(&world.bookings[0], error), 1);
    change(world, PASSWORD);
    trial.ends(world).await;
}

/// The exchange; then the queues and those of the dead letters, while nothing waits in them.
async fn deleted_things(world: &World) {
    let channel = world.servers.connect().await;
    let mut trial = Trial::begin(world).await;
    for _ in 0..2 {
        channel.exchange_delete("events".into(), ExchangeDeleteOptions::default()).await.unwrap();
        trial.goes_on(world).await;
    }
    trial.ends(world).await;

    let mut trial = Trial::begin(world).await;
    for queue in QUEUES {
        channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.unwrap();
    }
    trial.goes_on(world).await;
    trial.ends(world).await;

    let mut trial = Trial::begin(world).await;
    for queue in QUEUES {
        for queue in [queue, &format!("{queue}.dead")] {
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
        }
    }
    trial.goes_on(world).await;
    trial.ends(world).await;
    for replica in world.replicas() {
        assert!(lost(replica, "queue_gone").await >= 1.0);
        let dead = replica.ops.metrics().await.sum("myevents_dead_letters", &[]);
        assert_eq!(dead, 0.0, "a good message was given up");
    }
}

/// The queue is there before the service, made by somebody who wants other things of it.
async fn a_queue_of_somebody_else(world: &mut World) {
    let channel = world.servers.connect().await;
    let queue = world.bookings[0].plan.service;
    let mut trial = Trial::begin(world).await;
    world.bookings[0].stop();
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    let other = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), other, Default::default()).await.unwrap();
    starts_again(&mut world.bookings[0]).await;

    let what_to_do = format!("rabbitmqctl delete_queue {queue}");
    says(&world.bookings[0], &what_to_do).await;
    assert_eq!(errors(&world.bookings[0], &what_to_do), 1);
    trial.goes_on(world).await;
    assert_eq!(waiting(&channel, QUEUE).await, 0, "nothing comes into a queue that is not ours");
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    trial.ends(world).await;
    assert_eq!(errors(&world.bookings[0], &what_to_do), 1, "a line for the change, and none for each try");
}
