//! The resync that is requested before a new queue is declared: a new queue holds nothing of what was published before.
//!
//! First this service requests the resync of its own state, then that of the others; only then is the queue declared. A crash
//! in between begins again, since the queue still does not exist. Two services whose queues are new at the same time do not
//! get each other's request; so each republishes its own state as well. See `messaging/src/outbox/resync.rs`.

use messaging::{Subscription, process_with_retry::process_with_retry};

use super::{
    connection::Connection,
    disconnect::{Disconnect, Reason},
    publish::Publisher,
    shared::Shared,
    topology,
};

/// Requests the resync if the queue does not exist.
pub(super) async fn request_resync(
    shared: &Shared,
    connection: &Connection,
    subscription: &Subscription,
) -> Result<(), Disconnect> {
    let Some(resync_request) = subscription.resync_request else { return Ok(()) };
    if topology::exists(connection, subscription.queue).await? {
        return Ok(());
    }
    tracing::info!(queue = subscription.queue, "the queue is new: a resync is requested");
    let entry = resync_request();
    process_with_retry(subscription, std::slice::from_ref(&entry.message)).await;
    let publisher = Publisher::open(connection, shared.metrics.unconfirmed.clone()).await?;
    let results = publisher.batch(connection, &shared.exchange, &[entry]).await;
    let failed = |cause| Disconnect::new(Reason::Timeout, format!("the resync of others cannot be requested: {cause}"));
    results.into_iter().try_for_each(|result| result.map_err(failed))
}
