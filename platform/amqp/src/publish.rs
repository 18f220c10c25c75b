//! Publishing with confirms: up to 64 messages on their way at once, one fate for each.
//!
//! A confirm that does not come costs the channel, not the connection: what was read from the queue stays with us, and
//! is not delivered once more.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use messaging::{Entry, PublishError, Published};
use prometheus::IntGauge;
use tokio::time::timeout;

use super::{
    line::Line,
    lost::{Lost, refused_with},
    wire,
};

/// Messages on their way without a confirm. More would only wait in the broker.
const WINDOW: usize = 64;

/// From publishing a message to its confirm; a quorum queue that elects a leader takes a while.
const CONFIRM: Duration = Duration::from_secs(5);

/// A channel on which every message is confirmed.
pub(super) struct Publisher {
    channel: Channel,
    unconfirmed: IntGauge,
    /// Set by the first confirm that did not come: what is published now on this channel would come no further.
    stuck: AtomicBool,
}

/// What became of one message, and which message came back with its confirm.
type Answer = (Published, Option<String>);

impl Publisher {
    pub(super) async fn open(line: &Line, unconfirmed: IntGauge) -> Result<Self, Lost> {
        let channel = line.channel().await?;
        line.call("confirm.select", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Self { channel, unconfirmed, stuck: AtomicBool::new(false) })
    }

    /// Whether another one is needed.
    pub(super) fn is_spent(&self) -> bool {
        self.stuck.load(Ordering::Relaxed) || !self.channel.status().connected()
    }

    /// Publishes a batch.
    pub(super) async fn batch(&self, line: &Line, exchange: &str, batch: &[Entry]) -> Vec<Published> {
        let publishing: Vec<_> = batch.iter().map(|entry| self.entry(line, exchange, entry)).collect();
        let answers: Vec<Answer> = stream::iter(publishing).buffered(WINDOW).collect().await;
        // One confirm can stand for several messages, and lapin hands a returned one out with any of them: only its id
        // tells which it was.
        let returned: HashSet<String> = answers.iter().filter_map(|(_, id)| id.clone()).collect();
        let fate = |(entry, (fate, _)): (&Entry, Answer)| match fate {
            Ok(()) if returned.contains(&entry.message.id.to_string()) => Err(PublishError::Returned),
            fate => fate,
        };
        batch.iter().zip(answers).map(fate).collect()
    }

    async fn entry(&self, line: &Line, exchange: &str, entry: &Entry) -> Answer {
        let Entry { message, mandatory } = entry;
        let properties = wire::properties(message);
        self.one(line, exchange, &message.name, *mandatory, &message.body, properties).await
    }

    /// Publishes one message to a queue, by its name.
    pub(super) async fn to_queue(
        &self,
        line: &Line,
        queue: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Published {
        match self.one(line, "", queue, true, body, properties).await {
            (Ok(()), Some(_)) => Err(PublishError::Returned),
            (fate, _) => fate,
        }
    }

    async fn one(
        &self,
        line: &Line,
        exchange: &str,
        key: &str,
        mandatory: bool,
        body: &[u8],
        properties: BasicProperties,
    ) -> Answer {
        let failed = |text: &str| (Err(PublishError::Failed(text.to_owned())), None);
        if line.is_blocked() {
            return failed("the broker takes no messages: it has a memory or disk alarm");
        }
        if self.stuck.load(Ordering::Relaxed) {
            return failed("a message before it was not confirmed");
        }
        let Ok(key) = lapin::types::ShortString::try_new(key) else {
            return failed("its name is too long for AMQP");
        };
        let _counted = Counted::new(&self.unconfirmed);
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let published =
            async { self.channel.basic_publish(exchange.into(), key, options, body, properties).await?.await };
        match timeout(CONFIRM, published).await {
            Err(_) => {
                self.stuck.store(true, Ordering::Relaxed);
                (Err(PublishError::Timeout), None)
            }
            Ok(Err(error)) if refused_with(&error, 404) => failed("the exchange is not there"),
            Ok(Err(error)) => failed(&Lost::from(error).text),
            Ok(Ok(confirmation)) => answer(confirmation),
        }
    }
}

fn answer(confirmation: Confirmation) -> Answer {
    let fate = if confirmation.is_ack() { Ok(()) } else { Err(PublishError::Nacked) };
    let returned = confirmation.take_message();
    let id =
        returned.map(|message| message.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default());
    (fate, id)
}

/// Counts a message as long as it is on its way, whatever ends it.
struct Counted<'g>(&'g IntGauge);

impl<'g> Counted<'g> {
    fn new(gauge: &'g IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
