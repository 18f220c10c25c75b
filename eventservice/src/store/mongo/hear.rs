//! What is heard of seats: a batch of messages becomes one read and one command.
//!
//! Each event takes the highest version of the batch, and only if that is higher than its own when it is written: another
//! process may have heard more meanwhile.

use std::collections::HashMap;

use mongodb::bson::{Document, doc};
use platform::{
    messaging::Effect,
    mongo::{
        error::{Deadline, MongoError},
        id, key,
        table::{Select, Table},
    },
};
use uuid::Uuid;

use super::documents::{EventDoc, Heard as Known};
use crate::store::Heard;

/// What became of each message, `None` for an unknown event; and by how much the versions grew in all.
pub(super) async fn hear(events: &Table<EventDoc>, heard: &[Heard]) -> Result<(Vec<Option<Effect>>, u64), MongoError> {
    let until = Deadline::new();
    let mut ids: Vec<Uuid> = heard.iter().map(|heard| heard.event_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let filter = doc! { "_id": { "$in": ids.into_iter().map(key).collect::<Vec<_>>() } };
    let select = Select { filter, fields: doc! { "version": 1 }, ..Select::default() };
    let known = events.part::<Known>().select(until, select).await?;
    let before: HashMap<Uuid, u64> = known.into_iter().map(|known| (id(known.id), known.version)).collect();

    let mut versions = before.clone();
    let mut newest = HashMap::new();
    let effects = heard.iter().map(|heard| {
        let version = versions.get_mut(&heard.event_id)?;
        if heard.version <= *version {
            return Some(if heard.version == *version { Effect::Duplicate } else { Effect::Stale });
        }
        *version = heard.version;
        newest.insert(heard.event_id, *heard);
        Some(Effect::Applied)
    });
    let effects = effects.collect();
    events.change_each(until, "hear", newest.values().map(change).collect()).await?;
    let grown = newest.values().map(|newest| newest.version - before[&newest.event_id]).sum();
    Ok((effects, grown))
}

fn change(heard: &Heard) -> (Document, Document) {
    let version = heard.version.cast_signed();
    let older = doc! { "_id": key(heard.event_id), "version": { "$lt": version } };
    let mut seats = doc! { "booked_seats": heard.booked_seats.cast_signed(), "version": version };
    if let Some(seats_left) = heard.seats_left {
        seats.insert("seats_left", seats_left.cast_signed());
    }
    (older, doc! { "$set": seats })
}
