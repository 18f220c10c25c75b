//! What precedes a queue that is not there: of what had been published nothing will be in it.
//!
//! First its reader notes that it must tell everything again itself, then it asks the others to; only then is the queue
//! made. So a crash in between begins again. Two services that find their queues new at once cannot hear each other, and
//! need not: each tells everything by itself. See `outbox/resync.rs`.

use messaging::{Subscription, process_with_retry::process_with_retry};

use super::{
    line::Line,
    lost::{Lost, Reason},
    publish::Publisher,
    shared::Shared,
    topology,
};

/// Does what must be done before the queue is made, if it is not there.
pub(super) async fn announce(shared: &Shared, line: &Line, subscription: &Subscription) -> Result<(), Lost> {
    let Some(when_new) = subscription.when_new else { return Ok(()) };
    if topology::exists(line, subscription.queue).await? {
        return Ok(());
    }
    tracing::info!(queue = subscription.queue, "the queue is new: everything is told again");
    let entry = when_new();
    process_with_retry(subscription, std::slice::from_ref(&entry.message)).await;
    let publisher = Publisher::open(line, shared.metrics.unconfirmed.clone()).await?;
    let fates = publisher.batch(line, &shared.exchange, &[entry]).await;
    let failed =
        |cause| Lost::new(Reason::Timeout, format!("others cannot be asked to tell everything again: {cause}"));
    fates.into_iter().try_for_each(|fate| fate.map_err(failed))
}
