//! What a message of somebody else carries with it: none of that goes on with what we publish of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use lapin::{
    BasicProperties, Channel,
    options::{BasicGetOptions, BasicNackOptions},
    types::AMQPValue,
};
use messaging::DeadLetter;
use testing::{
    bus_world::{Reader, SOON, World},
    eventually, eventually_mut, rabbitmq, strangers,
};

use crate::{
    bus::{detour, tuning},
    messages::{NOTES, messages_in, strict, world},
};

/// For messages that expire: longer than two hundred milliseconds, and than whatever a test does before it looks.
const EXPIRED: Duration = Duration::from_secs(3);

fn to_expire(milliseconds: &str) -> BasicProperties {
    BasicProperties::default().with_expiration(milliseconds.into())
}

async fn publish(channel: &Channel, queue: &str, body: &str, properties: BasicProperties) {
    let confirm = channel.basic_publish("".into(), queue.into(), Default::default(), body.as_bytes(), properties);
    confirm.await.unwrap_or_else(|error| panic!("{body}: {error}")).await.unwrap();
}

/// As soon as there are so many, ordered by their bodies.
async fn listed(world: &World, count: usize) -> Vec<DeadLetter> {
    let mut letters = Vec::new();
    eventually_mut(SOON, &format!("{count} are listed"), async || {
        letters = world.dead.list().await.unwrap_or_default();
        (letters.len() == count).then_some(())
    })
    .await;
    letters.sort_by(|one, other| one.body.cmp(&other.body));
    letters
}

#[tokio::test]
async fn whatever_it_carries_it_is_listed_and_redriven_as_a_message_of_ours_and_no_other_is_touched() {
    let Some(server) = rabbitmq::exclusive().await else { return };
    for user in ["stranger", "service"] {
        server.user(user, "/", [".*"; 3]);
    }
    let url = |user: &str| format!("amqp://{user}:secret@127.0.0.1:{}", server.port());
    detour(&url("service"));
    let reader = strict();
    let (world, channel) = world(&reader).await;
    world.bus.register(&world.metrics.registry).unwrap();
    let (queue, dead) = (world.queue, format!("{}.dead", world.queue));
    let good: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    world.commit("noteWritten", true, good.iter().map(String::as_str)).await;
    let mut bodies = strangers::publish_each(&url("stranger"), queue).await;
    // What the broker moves there itself carries all of it, too. It has no time to live any more.
    bodies.extend(strangers::publish_each(&url("stranger"), &dead).await);
    bodies.retain(|body| !(body.contains("to expire") && body.ends_with("dead")));
    bodies.sort();
    let began = Instant::now();
    eventually(SOON, "what was to expire would have", async || began.elapsed() > EXPIRED).await;

    let letters = listed(&world, bodies.len()).await;
    assert!(letters.iter().map(|letter| &letter.body).eq(&bodies), "{letters:#?}");
    for letter in &letters {
        assert!(letter.cause.len() <= 2100 && letter.message.len() <= 255, "{letter:?}");
    }
    assert_eq!(world.dead.redrive(None).await.unwrap(), bodies.len() as u64);
    let tried = || reader.calls().iter().flatten().filter(|message| message.redriven).count();
    eventually(SOON, "all are tried again", async || tried() == bodies.len()).await;
    let again = listed(&world, bodies.len()).await;
    for (letter, before) in again.iter().zip(&letters) {
        assert_eq!((&letter.body, letter.id, &letter.message), (&before.body, before.id, &before.message));
        assert!(letter.cause.contains("not read here"), "{letter:?}");
    }

    eventually(SOON, "the others are handled", async || reader.done().len() > good.len()).await;
    world.all_is_sent().await;
    let tries = reader.calls().iter().flatten().filter(|message| !message.body.starts_with(b"{")).count();
    assert_eq!(tries, 1 + good.len(), "none was delivered again");
    for reason in ["arguments", "broken", "closed", "queue_gone", "timeout"] {
        let lost = format!(r#"myevents_amqp_reconnects_total{{reason="{reason}"}}"#);
        assert_eq!(world.metric(&lost).await, 0.0, "{reason}");
    }
    world.bus.close().await;
    for _ in &bodies {
        let got = channel.basic_get(dead.as_str().into(), BasicGetOptions::default()).await.unwrap().unwrap();
        is_ours(&got.delivery.properties);
    }
}

/// Nothing is in it but what we write.
fn is_ours(properties: &BasicProperties) {
    let ours = ["traceparent", "x-dead-attempts", "x-dead-cause", "x-delivery-count", "x-event-name", "x-occurred-at"];
    for (name, _) in properties.headers().iter().flatten() {
        assert!(ours.contains(&name.as_str()) || name.as_str() == "x-redriven", "{name:?} in {properties:?}");
    }
    let (headers, id) = (properties.headers().clone().unwrap(), properties.message_id().clone().unwrap());
    let right = BasicProperties::default().with_headers(headers).with_message_id(id).with_delivery_mode(2);
    let right = right.with_timestamp(properties.timestamp().unwrap()).with_content_type("application/json".into());
    assert_eq!(*properties, right);
}

#[tokio::test]
async fn what_the_broker_gives_up_on_does_not_expire_among_the_dead_letters_and_has_its_cause() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let reader = strict();
    let (world, channel) = world(&reader).await;
    world.bus.close().await;
    let dead = format!("{}.dead", world.queue);
    publish(&channel, world.queue, "\"kills\"", to_expire("2500")).await;
    eventually(SOON, "the broker gives up on it", async || {
        if let Some(got) = channel.basic_get(world.queue.into(), BasicGetOptions::default()).await.unwrap() {
            let again = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            channel.basic_nack(got.delivery.delivery_tag, again).await.unwrap();
        }
        messages_in(&channel, &dead).await == 1
    })
    .await;
    let exchange = tuning().exchange.into();
    // What the broker notes is then long.
    let (copies, deaths) = (vec![AMQPValue::LongString("k".repeat(200).into()); 12], strangers::deaths(20));
    let headers = BTreeMap::from([("CC".into(), AMQPValue::FieldArray(copies.into())), ("x-death".into(), deaths)]);
    let properties = to_expire("100").with_headers(headers.into());
    channel.basic_publish(exchange, "noteWritten".into(), Default::default(), b"\"late\"", properties).await.unwrap();
    let began = Instant::now();
    eventually(SOON, "it expires, and the other one would", async || {
        messages_in(&channel, &dead).await == 2 && began.elapsed() > EXPIRED
    })
    .await;

    let (next, reader) = (world.killed_and_started_again().await, Reader::accepting());
    next.subscribe(NOTES, &reader).await;
    let letters = listed(&next, 2).await;
    assert!(letters[0].cause.contains("delivered 20 times"), "{letters:?}");
    assert!(letters[1].cause.contains("nobody read it in time"), "{letters:?}");
    assert_eq!(letters[1].message, "noteWritten");
    assert_eq!(next.dead.redrive(None).await.unwrap(), 2);
    eventually(SOON, "both are handled", async || reader.bodies().len() == 2).await;
}

#[tokio::test]
async fn a_redrive_goes_on_after_a_message_that_the_broker_refuses_and_names_it() {
    let Some(server) = rabbitmq::exclusive().await else { return };
    let reader = strict();
    let (world, channel) = world(&reader).await;
    let large = format!("{{ {}", "x".repeat(5000));
    for body in ["{ first", &large, "{ last"] {
        publish(&channel, world.queue, body, BasicProperties::default()).await;
    }
    let id = listed(&world, 3).await.into_iter().find(|letter| letter.body == large).unwrap().id;

    // As when an operator has made the limit smaller.
    // RabbitMQ 3 reads it at the first place, 4 at the second.
    let limit = |bytes: u32| {
        let set = format!("application:set_env(rabbit, max_message_size, {bytes})");
        server.eval(&format!("{set}, persistent_term:put(max_message_size, {bytes})"));
    };
    let usual = server.eval("application:get_env(rabbit, max_message_size, 134217728)").parse().unwrap();
    limit(2000);
    let failed = world.dead.redrive(None).await.unwrap_err().0;
    assert!(failed.starts_with("2 went to their queue; ") && failed.contains(&id.to_string()), "{failed}");
    eventually(SOON, "they are tried again", async || (reader.tries("{ first"), reader.tries("{ last")) == (2, 2))
        .await;
    listed(&world, 3).await;
    limit(usual);
    assert_eq!(world.dead.redrive(Some(id)).await.unwrap(), 1);
    eventually(SOON, "so is that one", async || reader.tries(&large) == 2).await;
}

#[tokio::test]
async fn looking_at_a_dead_letter_often_does_not_lose_it() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let reader = strict();
    let (world, channel) = world(&reader).await;
    publish(&channel, world.queue, "bad", BasicProperties::default()).await;
    eventually(SOON, "it is a dead letter", async || world.dead.list().await.unwrap().len() == 1).await;
    for look in 0..30 {
        assert_eq!(world.dead.list().await.unwrap().len(), 1, "look {look}");
    }
}
