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
    consume::Reader,
    fresh,
    line::Line,
    lost::{Lost, Reason, costs_a_channel},
    shared::Shared,
    topology,
};

/// How often the topology is looked after. A connection that swallows everything is found out by it, too: it answers no
/// call, and that is faster than missing heartbeats.
const LOOK: Duration = Duration::from_secs(3);

/// The answer to the first call of each look, which asks for little more than a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

/// What breaks may be seen before what the broker said about the connection, which then comes within this time.
const REASON: Duration = Duration::from_millis(100);

/// Has a session all the time, until `stop`.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut pauses = pauses();
    while !shared.stop.is_cancelled() {
        let Err((was_usable, lost)) = session(&shared).await else { continue };
        shared.lost(lost);
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
async fn session(shared: &Shared) -> Result<(), (bool, Lost)> {
    let opened = shared.stop.run_until_cancelled(Line::open(&shared.broker, shared.name)).await;
    let Some(line) = opened else { return Ok(()) };
    let line = Arc::new(line.map_err(|lost| (false, lost))?);
    let subscriptions = shared.subscriptions();
    let end = match declare(shared, &line, &subscriptions).await {
        Err(lost) => Err((false, lost)),
        Ok(()) => {
            shared.up(&line);
            let mut listening = std::pin::pin!(listen(shared, &line));
            let work = async {
                tokio::select! {
                    biased;
                    end = read(shared, &line, &subscriptions) => end,
                    lost = look_after(shared, &line, &subscriptions) => Err(lost),
                    () = shared.changed.notified() => Ok(()), // it begins again, and knows the new subscription
                }
            };
            let end = tokio::select! {
                biased; // what the broker says about the connection tells more than what breaks by it
                lost = &mut listening => Err(lost),
                end = work => match end {
                    Err(broke) => Err(tokio::time::timeout(REASON, listening).await.unwrap_or(broke)),
                    Ok(()) => Ok(()),
                },
            };
            end.map_err(|lost| (true, lost))
        }
    };
    shared.down(); // first: nobody shall take a connection that is being closed
    line.close().await;
    end
}

async fn declare(shared: &Shared, line: &Line, subscriptions: &[Subscription]) -> Result<(), Lost> {
    topology::exchange(line, &line.channel().await?, &shared.exchange).await?;
    for subscription in subscriptions {
        declare_queue(shared, line, subscription).await?;
    }
    Ok(())
}

/// Declares one queue, and notes where the broker refuses that: publishing needs no queue of ours.
async fn declare_queue(shared: &Shared, line: &Line, subscription: &Subscription) -> Result<(), Lost> {
    fresh::announce(shared, line, subscription).await?;
    match topology::declare(line, &shared.exchange, subscription).await {
        Err(lost) if lost.reason == Reason::Arguments => shared.refused(subscription.queue, lost),
        declared => {
            declared?;
            shared.accepted(subscription.queue);
        }
    }
    Ok(())
}

/// Reads all queues until `stop`.
async fn read(shared: &Shared, line: &Line, subscriptions: &[Subscription]) -> Result<(), Lost> {
    try_join_all(subscriptions.iter().map(|subscription| read_queue(shared, line, subscription))).await?;
    shared.stop.cancelled().await; // where nothing is read, the connection is there for publishing
    Ok(())
}

/// Reads one queue, as soon as it is as it must be.
async fn read_queue(shared: &Shared, line: &Line, subscription: &Subscription) -> Result<(), Lost> {
    while shared.is_refused(subscription.queue) {
        if shared.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return Ok(());
        }
        declare_queue(shared, line, subscription).await?;
    }
    let reader = Reader { line, subscription, unconfirmed: shared.metrics.unconfirmed.clone(), hold: shared.hold };
    reader.run(&shared.stop).await
}

/// Hears what the broker says about the connection as a whole. What ends a channel only is heard by whoever has that.
async fn listen(shared: &Shared, line: &Line) -> Lost {
    let mut events = std::pin::pin!(line.events());
    while let Some(event) = events.next().await {
        if let Event::ConnectionBlocked(why) = event {
            shared.blocked(Some(why));
        } else if let Event::ConnectionUnblocked = event {
            shared.blocked(None);
        } else if let Event::Error(error) = event
            && !costs_a_channel(&error)
        {
            return error.into();
        }
    }
    Lost::new(Reason::Broken, "the connection ended")
}

/// Keeps the topology, and counts the dead letters: those, too, that the broker made itself.
async fn look_after(shared: &Shared, line: &Line, subscriptions: &[Subscription]) -> Lost {
    let channel = match line.channel().await {
        Ok(channel) => channel,
        Err(lost) => return lost,
    };
    loop {
        if let Err(lost) = look(shared, line, &channel, subscriptions).await {
            return lost;
        }
        let _ = tokio::time::timeout(LOOK, shared.look.notified()).await;
    }
}

async fn look(shared: &Shared, line: &Line, channel: &Channel, subscriptions: &[Subscription]) -> Result<(), Lost> {
    if line.is_blocked() {
        return Ok(()); // it says nothing now; the heartbeats tell whether it lives
    }
    match tokio::time::timeout(SIGN_OF_LIFE, topology::exchange(line, channel, &shared.exchange)).await {
        Ok(answer) => answer?,
        Err(_) if line.is_blocked() => return Ok(()),
        Err(_) => return Err(Lost::late("a sign of life")),
    }
    for subscription in subscriptions {
        if !shared.is_refused(subscription.queue) {
            topology::bind(line, channel, &shared.exchange, subscription).await?;
        }
        let count = topology::count_dead(line, channel, subscription.queue).await?;
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
