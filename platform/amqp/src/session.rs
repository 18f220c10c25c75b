//! The supervised session: connect, declare, read; on any error drop all of it and build it again, for ever.
//!
//! One task does this, and all that reads runs in it: when a session ends, what its readers were doing ends with it,
//! and the broker delivers those messages once more. Publishers borrow the connection of the moment from [`Shared`].
//!
//! A queue with other arguments is no reason to end it: nothing is read from that queue, and all else goes on.

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

/// How often the topology is looked after. A connection that swallows everything is found out by it, too: it answers no
/// call, and that is faster than missing heartbeats.
const TOPOLOGY_INTERVAL: Duration = Duration::from_secs(3);

/// The answer to the first call of each look, which asks for little more than a sign of life.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(3);

/// What breaks may be seen before what the broker said about the connection, which then comes within this time.
const CLOSE_REASON_TIMEOUT: Duration = Duration::from_millis(100);

/// Has a session all the time, until `stop`.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut pauses = pauses();
    while !shared.stop.is_cancelled() {
        let Err((was_usable, disconnect)) = session(&shared).await else { continue };
        shared.disconnected(disconnect);
        if was_usable {
            pauses = self::pauses();
        }
        let pause = pauses.next().expect("it goes on for ever");
        shared.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// From 100 ms, doubling to 1 s, and up to as much again as jitter: back soon after the broker is, and not all replicas in
/// step. A try that began in a network which swallows everything lasts 5 s beyond its end, and all must arrive within 10 s.
fn pauses() -> impl Iterator<Item = Duration> + Send {
    let (first, last) = (Duration::from_millis(100), Duration::from_secs(1));
    ExponentialBuilder::default().with_min_delay(first).with_max_delay(last).with_jitter().without_max_times().build()
}

/// One session, from its connection to its end. The error says whether it was ever usable.
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
                    () = shared.changed.notified() => Ok(()), // it begins again, and knows the new subscription
                }
            };
            let end = tokio::select! {
                biased; // what the broker says about the connection tells more than what breaks by it
                disconnect = &mut listening => Err(disconnect),
                end = work => match end {
                    Err(broke) => Err(tokio::time::timeout(CLOSE_REASON_TIMEOUT, listening).await.unwrap_or(broke)),
                    Ok(()) => Ok(()),
                },
            };
            end.map_err(|disconnect| (true, disconnect))
        }
    };
    shared.down(); // first: nobody shall take a connection that is being closed
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

/// Declares one queue, and notes where the broker refuses that: publishing needs no queue of ours.
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
    shared.stop.cancelled().await; // where nothing is read, the connection is there for publishing
    Ok(())
}

/// Reads one queue, as soon as it is as it must be.
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

/// Hears what the broker says about the connection as a whole. What ends a channel only is heard by whoever has that.
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

/// Keeps the topology, and counts the dead letters: those, too, that the broker made itself.
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
        return Ok(()); // it says nothing now; the heartbeats tell whether it lives
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
