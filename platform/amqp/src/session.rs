//! The supervised session: connect, declare, read. After any error it is dropped and built again, without limit.
//!
//! One task does this, and all consumers run in it: when a session ends they end with it, and the broker redelivers their
//! messages. Publishers use the current connection from [`Shared`]. A queue with other arguments does not end the session:
//! nothing is read from that queue, and all else works. Read next: `consume.rs` and `publish.rs`.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::{StreamExt, future::try_join_all};
use lapin::{Channel, Event};
use messaging::Subscription;

use super::{
    connection::Connection,
    consume::Reader,
    disconnect::{Disconnect, Reason, closes_only_the_channel},
    new_queue,
    shared::Shared,
    topology,
};

/// How often the topology is checked. A connection whose packets are lost is found by this, too, earlier than by a missing
/// heartbeat.
const TOPOLOGY_INTERVAL: Duration = Duration::from_secs(3);

/// For the answer to the first call of each check, which shows whether the broker is alive.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(3);

/// A broken call may be seen before the broker's reason for closing the connection, which then comes within this time.
const CLOSE_REASON_TIMEOUT: Duration = Duration::from_millis(100);

/// Runs one session after the other, until `stop`.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut pauses = pauses();
    while !shared.stop.is_cancelled() {
        let Err((was_usable, disconnect)) = session(&shared).await else { continue };
        shared.disconnected(disconnect);
        if was_usable {
            pauses = self::pauses();
        }
        let pause = pauses.next().expect("it has no end");
        shared.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// From 100 ms, doubling to 1 s, with up to as much again as jitter, so that replicas do not connect at the same moment. An
/// attempt that began while packets were lost lasts 5 s more, and all messages must arrive within 10 s of the fault's end.
fn pauses() -> impl Iterator<Item = Duration> + Send {
    let (first, last) = (Duration::from_millis(100), Duration::from_secs(1));
    ExponentialBuilder::default().with_min_delay(first).with_max_delay(last).with_jitter().without_max_times().build()
}

/// One session, from its connection to its end. The error says whether the connection was ever usable.
async fn session(shared: &Shared) -> Result<(), (bool, Disconnect)> {
    let opened = shared.stop.run_until_cancelled(Connection::open(&shared.broker, shared.name)).await;
    let Some(connection) = opened else { return Ok(()) };
    let connection = Arc::new(connection.map_err(|disconnect| (false, disconnect))?);
    let subscriptions = shared.subscriptions();
    let end = match declare(shared, &connection, &subscriptions).await {
        Err(disconnect) => Err((false, disconnect)),
        Ok(()) => {
            shared.up(&connection);
            let mut listening = std::pin::pin!(listen(shared, &connection));
            let work = async {
                tokio::select! {
                    biased;
                    end = read(shared, &connection, &subscriptions) => end,
                    disconnect = keep_topology(shared, &connection, &subscriptions) => Err(disconnect),
                    () = shared.changed.notified() => Ok(()), // the next session has the new subscription
                }
            };
            let end = tokio::select! {
                biased; // the broker's reason says more than the call that broke by it
                disconnect = &mut listening => Err(disconnect),
                end = work => match end {
                    Err(broke) => Err(tokio::time::timeout(CLOSE_REASON_TIMEOUT, listening).await.unwrap_or(broke)),
                    Ok(()) => Ok(()),
                },
            };
            end.map_err(|disconnect| (true, disconnect))
        }
    };
    shared.down(); // first, so that no publisher takes a connection that is being closed
    connection.close().await;
    end
}

async fn declare(shared: &Shared, connection: &Connection, subscriptions: &[Subscription]) -> Result<(), Disconnect> {
    topology::exchange(connection, &connection.channel().await?, &shared.exchange).await?;
    for subscription in subscriptions {
        declare_queue(shared, connection, subscription).await?;
    }
    Ok(())
}

/// Declares one queue. A refusal is remembered and is no error: publishing needs no queue of this service.
async fn declare_queue(
    shared: &Shared,
    connection: &Connection,
    subscription: &Subscription,
) -> Result<(), Disconnect> {
    new_queue::request_resync(shared, connection, subscription).await?;
    match topology::declare(connection, &shared.exchange, subscription).await {
        Err(disconnect) if disconnect.reason == Reason::Arguments => shared.refused(subscription.queue, disconnect),
        declared => {
            declared?;
            shared.accepted(subscription.queue);
        }
    }
    Ok(())
}

/// Reads all queues until `stop`.
async fn read(shared: &Shared, connection: &Connection, subscriptions: &[Subscription]) -> Result<(), Disconnect> {
    try_join_all(subscriptions.iter().map(|subscription| read_queue(shared, connection, subscription))).await?;
    shared.stop.cancelled().await; // without subscriptions, the connection is for publishing only
    Ok(())
}

/// Reads one queue, as soon as it could be declared.
async fn read_queue(shared: &Shared, connection: &Connection, subscription: &Subscription) -> Result<(), Disconnect> {
    while shared.is_refused(subscription.queue) {
        if shared.stop.run_until_cancelled(tokio::time::sleep(TOPOLOGY_INTERVAL)).await.is_none() {
            return Ok(());
        }
        declare_queue(shared, connection, subscription).await?;
    }
    let reader = Reader {
        connection,
        subscription,
        unconfirmed: shared.metrics.unconfirmed.clone(),
        retry_max: shared.retry_max,
    };
    reader.run(&shared.stop).await
}

/// Follows the events of the connection as a whole. What closes only a channel is an error of that channel's calls.
async fn listen(shared: &Shared, connection: &Connection) -> Disconnect {
    let mut events = std::pin::pin!(connection.events());
    while let Some(event) = events.next().await {
        if let Event::ConnectionBlocked(why) = event {
            shared.blocked(Some(why));
        } else if let Event::ConnectionUnblocked = event {
            shared.blocked(None);
        } else if let Event::Error(error) = event
            && !closes_only_the_channel(&error)
        {
            return error.into();
        }
    }
    Disconnect::new(Reason::Broken, "the connection ended")
}

/// Declares exchange and bindings again and again, and counts the dead letters, also those that the broker moved there itself.
async fn keep_topology(shared: &Shared, connection: &Connection, subscriptions: &[Subscription]) -> Disconnect {
    let channel = match connection.channel().await {
        Ok(channel) => channel,
        Err(disconnect) => return disconnect,
    };
    loop {
        if let Err(disconnect) = check_topology(shared, connection, &channel, subscriptions).await {
            return disconnect;
        }
        let _ = tokio::time::timeout(TOPOLOGY_INTERVAL, shared.check_topology.notified()).await;
    }
}

async fn check_topology(
    shared: &Shared,
    connection: &Connection,
    channel: &Channel,
    subscriptions: &[Subscription],
) -> Result<(), Disconnect> {
    if connection.is_blocked() {
        return Ok(()); // it answers nothing now; heartbeats show whether it is alive
    }
    match tokio::time::timeout(LIVENESS_TIMEOUT, topology::exchange(connection, channel, &shared.exchange)).await {
        Ok(answer) => answer?,
        Err(_) if connection.is_blocked() => return Ok(()),
        Err(_) => return Err(Disconnect::timeout("a sign of life")),
    }
    for subscription in subscriptions {
        if !shared.is_refused(subscription.queue) {
            topology::bind(connection, channel, &shared.exchange, subscription).await?;
        }
        let count = topology::count_dead(connection, channel, subscription.queue).await?;
        shared.set_dead_count(subscription.queue, count);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pause_between_two_tries_is_longer_than_two_seconds() {
        for _ in 0..20 {
            let longest = pauses().take(20).max().unwrap();
            assert!(longest > Duration::from_millis(900) && longest <= Duration::from_secs(2), "{longest:?}");
        }
    }
}
