//! The supervised session: connect, declare, read. After any error it is dropped and built again, without limit.
//!
//! One task does this, and all consumers run in it: when a session ends they end with it, and the broker redelivers their
//! messages. Publishers use the current connection from [`Shared`]. A queue that the broker refuses (other arguments, or a right
//! that is missing) does not end the session: it is tried again, and all else works. Read next: `consume.rs` and `publish.rs`.

use std::{collections::HashSet, sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::{StreamExt, future::try_join_all};
use lapin::Event;
use messaging::{Subscription, process_with_retry::process_with_retry};

use super::{
    connection::{Channel, Connection},
    consume::Reader,
    disconnect::{Disconnect, Reason, closes_only_the_channel},
    publish::Publisher,
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
        let passes = !disconnect.reason.needs_a_person();
        shared.disconnected(disconnect);
        if was_usable && passes {
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
    let connection = connection.map_err(|disconnect| (false, disconnect))?;
    let session = Session { shared, connection, subscriptions: shared.subscriptions() };
    let end = match session.declare().await {
        Err(disconnect) => Err((false, disconnect)),
        Ok(may_declare) => session.run(may_declare).await.map_err(|disconnect| (true, disconnect)),
    };
    shared.down(); // first, so that no publisher takes a connection that is being closed
    session.connection.close().await;
    end
}

struct Session<'s> {
    shared: &'s Shared,
    connection: Arc<Connection>,
    subscriptions: Vec<Subscription>,
}

impl Session<'_> {
    /// Declares all that is needed. Answers whether this user may declare the exchange.
    async fn declare(&self) -> Result<bool, Disconnect> {
        let may_declare = topology::declare_exchange(&self.connection, &self.shared.tuning.exchange).await?;
        for subscription in &self.subscriptions {
            self.declare_queue(subscription).await?;
        }
        Ok(may_declare)
    }

    /// Declares one queue. Answers whether it could be: a refusal is no error, since publishing needs no queue of this service.
    async fn declare_queue(&self, subscription: &Subscription) -> Result<bool, Disconnect> {
        let declaring = async {
            topology::declare_dead(&self.connection, subscription.queue).await?;
            self.request_resync(subscription).await?;
            topology::declare(&self.connection, &self.shared.tuning.exchange, subscription).await
        };
        match declaring.await {
            Err(disconnect) if matches!(disconnect.reason, Reason::Arguments | Reason::Permission) => {
                self.shared.refused(subscription.queue, disconnect);
                Ok(false)
            }
            declared => declared.map(|()| true),
        }
    }

    /// Requests a resync before a new queue is declared: a new queue holds nothing of what was published before.
    ///
    /// First this service requests the resync of its own state, then that of the others; only then is the queue declared. A
    /// crash in between begins again, since the queue still does not exist. Two services whose queues are new at the same time
    /// do not get each other's request; so each republishes its own state as well. See `messaging/src/outbox/resync.rs`.
    async fn request_resync(&self, subscription: &Subscription) -> Result<(), Disconnect> {
        let Some(resync_request) = subscription.resync_request else { return Ok(()) };
        if topology::exists(&self.connection, subscription.queue).await? {
            return Ok(());
        }
        if !self.shared.is_refused(subscription.queue) {
            tracing::info!(queue = subscription.queue, "the queue is new: a resync is requested");
        }
        let entry = resync_request();
        process_with_retry(subscription, std::slice::from_ref(&entry.message)).await;
        let publisher = Publisher::open(&self.connection, &self.shared.metrics.unconfirmed).await?;
        let results = publisher.batch(&self.shared.tuning.exchange, &[entry]).await;
        results.into_iter().collect::<Result<(), _>>().map_err(|cause| {
            Disconnect::new(Reason::Timeout, format!("the resync of others cannot be requested: {cause}"))
        })
    }

    /// Works until the first error, until `stop`, or until there is a new subscription, which the next session has.
    async fn run(&self, may_declare: bool) -> Result<(), Disconnect> {
        self.shared.up(&self.connection);
        let mut listening = std::pin::pin!(self.listen());
        let work = async {
            tokio::select! {
                biased;
                end = self.read() => end,
                disconnect = self.keep_topology(may_declare) => disconnect,
                () = self.shared.changed.notified() => Ok(()),
            }
        };
        tokio::select! {
            biased; // the broker's reason says more than the call that broke by it
            disconnect = &mut listening => Err(disconnect),
            end = work => match end {
                Err(broke) => Err(tokio::time::timeout(CLOSE_REASON_TIMEOUT, listening).await.unwrap_or(broke)),
                Ok(()) => Ok(()),
            },
        }
    }

    /// Reads all queues until `stop`.
    async fn read(&self) -> Result<(), Disconnect> {
        try_join_all(self.subscriptions.iter().map(|subscription| self.read_queue(subscription))).await?;
        self.shared.stop.cancelled().await; // without subscriptions, the connection is for publishing only
        Ok(())
    }

    /// Reads one queue, as soon as the broker lets it be declared and read.
    async fn read_queue(&self, subscription: &Subscription) -> Result<(), Disconnect> {
        let mut declared = !self.shared.is_refused(subscription.queue);
        loop {
            if declared {
                let reader = Reader { shared: self.shared, connection: &self.connection, subscription };
                match reader.run().await {
                    Err(disconnect) if disconnect.reason == Reason::Permission => {
                        self.shared.refused(subscription.queue, disconnect);
                    }
                    end => return end,
                }
            }
            if self.shared.stop.run_until_cancelled(tokio::time::sleep(TOPOLOGY_INTERVAL)).await.is_none() {
                return Ok(());
            }
            declared = self.declare_queue(subscription).await?;
        }
    }

    /// Follows the events of the connection as a whole. What closes only a channel is an error of that channel's calls.
    async fn listen(&self) -> Disconnect {
        let mut events = std::pin::pin!(self.connection.events());
        while let Some(event) = events.next().await {
            if let Event::ConnectionBlocked(why) = event {
                self.shared.blocked(Some(why));
            } else if let Event::ConnectionUnblocked = event {
                self.shared.blocked(None);
            } else if let Event::Error(error) = event
                && !closes_only_the_channel(&error)
            {
                return error.into();
            }
        }
        Disconnect::new(Reason::Broken, "the connection ended")
    }

    /// Declares exchange and bindings again and again, and counts the dead letters, also those that the broker moved there
    /// itself. It ends only by an error.
    async fn keep_topology(&self, may_declare: bool) -> Result<(), Disconnect> {
        let mut channel = self.connection.channel().await?;
        // The queues that are read, but may not be bound or looked at any more.
        let mut refused_here = HashSet::new();
        loop {
            self.check_topology(&mut channel, may_declare, &mut refused_here).await?;
            let _ = tokio::time::timeout(TOPOLOGY_INTERVAL, self.shared.check_topology.notified()).await;
        }
    }

    async fn check_topology(
        &self,
        channel: &mut Channel,
        may_declare: bool,
        refused_here: &mut HashSet<&'static str>,
    ) -> Result<(), Disconnect> {
        if self.connection.is_blocked() {
            return Ok(()); // it answers nothing now; heartbeats show whether it is alive
        }
        let there = topology::exchange(channel, &self.shared.tuning.exchange, !may_declare);
        match tokio::time::timeout(LIVENESS_TIMEOUT, there).await {
            Ok(answer) => answer?,
            Err(_) if self.connection.is_blocked() => return Ok(()),
            Err(_) => return Err(Disconnect::timeout("a sign of life")),
        }
        for subscription in &self.subscriptions {
            let (queue, refused) = (subscription.queue, self.shared.is_refused(subscription.queue));
            let may_bind = !refused || refused_here.contains(queue);
            match self.check_queue(channel, subscription, may_bind).await {
                Ok(()) if refused_here.remove(queue) => self.shared.accepted(queue),
                Ok(()) => {}
                Err(disconnect) if disconnect.reason == Reason::Permission && !refused => {
                    refused_here.insert(queue);
                    self.shared.refused(queue, disconnect);
                    *channel = self.connection.channel().await?;
                }
                // Of a refused queue, the dead letter queue may not be there either.
                Err(Disconnect { reason: Reason::Permission | Reason::QueueGone, .. }) if refused => {
                    *channel = self.connection.channel().await?;
                }
                Err(disconnect) => return Err(disconnect),
            }
        }
        Ok(())
    }

    async fn check_queue(&self, channel: &Channel, subscription: &Subscription, bind: bool) -> Result<(), Disconnect> {
        if bind {
            topology::bind(channel, &self.shared.tuning.exchange, subscription).await?;
        }
        let count = topology::count_dead(channel, subscription.queue).await?;
        self.shared.set_dead_count(subscription.queue, count);
        Ok(())
    }
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
