//! What a store of events promises, on SQLite and on MongoDB alike.
//!
//! - What was answered is on disk, and its message is in the outbox: one atomic write.
//! - Messages about seats may be applied twice and in any order: the highest version stays.
//! - An event is counted once, after it is durable, by the process whose write succeeded.

pub mod audit;
pub mod mongo;
pub mod schema;
pub mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, Instant};
use messaging::{Effect, Entry};
use paging::Cursor;
use process::metrics::Metrics;
use service::{Backend, Settings, StartError};
use tokio::sync::Notify;
use trace::Origin;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::{
    domain::{Event, Location, SeatUpdate},
    metrics::EventMetrics,
};

pub use service::Unavailable;

/// The event's location is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLocation;

/// Which events are asked for; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Begins with this, small or capital.
    pub name: Option<String>,
    /// Takes place there.
    pub location_id: Option<Uuid>,
    /// Begins then or later.
    pub from: Option<Instant>,
    /// Begins before.
    pub to: Option<Instant>,
}

/// The form of a name that is stored beside the name, and searched for: small letters, one form (NFC) of those that can be written in two,
/// and one form of sigma. Greek has another sigma at the end of a word, and without this the beginning of a longer word would not
/// find it. It is composed first, so that what is written in two ways has the same small letters, and once more, since some small
/// letters are decomposed.
pub(crate) fn search_form(name: &str) -> String {
    let lower = name.nfc().collect::<String>().to_lowercase().replace('ς', "σ");
    lower.nfc().collect()
}

/// A message as the outbox holds it, with the trace of the request that made it, which is told of it.
pub(crate) fn entry<M: Contract>(message: &M, origin: Option<&Origin>) -> Entry {
    let traceparent = origin.map(|origin| origin.traceparent().to_owned());
    let entry = Entry::new(M::NAME, M::MANDATORY, message.to_json(), traceparent);
    origin.inspect(|origin| origin.writes(entry.message.id));
    entry
}

/// Where an event is in the order of [`Store::events`].
pub(crate) fn position(event: &Event) -> Cursor {
    Cursor { number: event.record().start_date.as_millis(), id: event.id() }
}

/// Opens the store that is configured: a MongoDB database, or else a file.
pub async fn open(
    settings: Settings,
    registry: &mut Metrics,
    metrics: EventMetrics,
    wake: Arc<Notify>,
) -> Result<Backend<dyn Store>, StartError> {
    match settings.mongo {
        Some(url) => mongo::backend(&url, &registry.registry, metrics, wake).await,
        None => sqlite::backend(settings.data_dir, registry, metrics, wake).await,
    }
}

/// Events and locations.
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores an event and its `eventCreated`.
    async fn create_event(
        &self,
        event: Event,
        origin: Option<Origin>,
    ) -> Result<Result<(), UnknownLocation>, Unavailable>;

    /// Stores a location and its `locationCreated`.
    async fn create_location(&self, location: Location, origin: Option<Origin>) -> Result<(), Unavailable>;

    /// An event.
    async fn event(&self, id: Uuid) -> Result<Option<Event>, Unavailable>;

    /// At most `max` events behind a position, ordered by (`start_date`, id).
    async fn events(&self, filter: Filter, after: Option<Cursor>, max: usize) -> Result<Vec<Event>, Unavailable>;

    /// A location.
    async fn location(&self, id: Uuid) -> Result<Option<Location>, Unavailable>;

    /// At most `max` locations behind a position, in the order they were made.
    async fn locations(&self, after: Option<Cursor>, max: usize) -> Result<Vec<Location>, Unavailable>;

    /// Applies those updates that are newer than what is shown; `None` for an unknown event. It is idempotent: where it fails, some
    /// may have been stored, and it is safe to repeat.
    async fn apply(&self, updates: Vec<SeatUpdate>) -> Result<Vec<Option<Effect>>, Unavailable>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts in which letters, marks and capitals meet: any characters, and many of those that have more than one form.
    fn texts() -> impl Strategy<Value = String> {
        let special = prop::sample::select(
            "aeΣσςİIıßẞÅKÉΐᾼἌΑǅ᾽가각\u{300}\u{301}\u{307}\u{308}\u{323}\u{327}\u{345}\u{1112}\u{1161}\u{11ab}"
                .chars()
                .collect::<Vec<_>>(),
        );
        prop::collection::vec(prop_oneof![special, any::<char>()], 0..8).prop_map(String::from_iter)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn the_search_form_of_a_search_form_is_the_same(text in texts()) {
            let form = search_form(&text);
            prop_assert_eq!(search_form(&form), form);
        }

        #[test]
        fn texts_that_are_written_differently_have_the_same_search_form(text in texts()) {
            let form = search_form(&text);
            for other in [text.nfc().collect::<String>(), text.nfd().collect()] {
                prop_assert_eq!(search_form(&other), form.clone());
            }
        }
    }
}
