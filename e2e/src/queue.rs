//! A queue, as the broker shows it to a bare client.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use crate::eventually;
use lapin::{
    Channel,
    options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions},
};

/// 20 deliveries, of a busy broker.
const GIVES_UP: Duration = Duration::from_secs(20);

/// How many messages of a queue nobody has in hand.
pub async fn waiting(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), passive, Default::default()).await.unwrap().message_count()
}

/// Takes the one message of a queue as often as the broker allows, as a reader would that dies of it each time.
pub async fn kill_readers(channel: &Channel, queue: &str) {
    let graveyard = format!("{queue}.dead");
    let before = waiting(channel, &graveyard).await;
    eventually(GIVES_UP, "the broker gives up on it", async || {
        if let Some(got) = channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await.unwrap() {
            let again = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            channel.basic_nack(got.delivery.delivery_tag, again).await.unwrap();
        }
        (waiting(channel, &graveyard).await > before).then_some(())
    })
    .await;
}
