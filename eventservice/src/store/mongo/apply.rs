//! Messages about seats: a batch of them becomes one read and one command.
//!
//! Each event takes the newest of the batch, and only if that is newer than its own when it is written: another process may have applied
//! more meanwhile.

use std::collections::HashMap;

use messaging::Effect;
use mongo::{
    error::{Deadline, MongoError},
    id, key,
    table::{Select, Table},
};
use mongodb::bson::{Document, doc};
use uuid::Uuid;

use super::documents::{EventDoc, Shown};
use crate::domain::{SeatUpdate, View};

/// What became of each message, `None` for an unknown event; and by how much the versions grew in all.
pub(super) async fn apply(
    events: &Table<EventDoc>,
    updates: &[SeatUpdate],
) -> Result<(Vec<Option<Effect>>, u64), MongoError> {
    let until = Deadline::new();
    let mut ids: Vec<Uuid> = updates.iter().map(|update| update.event_id()).collect();
    ids.sort_unstable();
    ids.dedup();
    let filter = doc! { "_id": { "$in": ids.into_iter().map(key).collect::<Vec<_>>() } };
    let select = Select { filter, fields: doc! { "version": 1 }, ..Select::default() };
    let shown = events.part::<Shown>().select(until, select).await?;
    let before: HashMap<Uuid, View> = shown.into_iter().map(|one| (id(one.id), View::stored(one.version))).collect();

    let (mut views, mut newest) = (before.clone(), HashMap::new());
    let effects = updates.iter().map(|update| {
        let effect = views.get_mut(&update.event_id())?.apply(update);
        if effect == Effect::Applied {
            newest.insert(update.event_id(), *update);
        }
        Some(effect)
    });
    let effects = effects.collect();
    events.change_each(until, "apply", newest.values().map(change).collect()).await?;
    let grown = newest.keys().map(|event| views[event].version() - before[event].version()).sum();
    Ok((effects, grown))
}

fn change(update: &SeatUpdate) -> (Document, Document) {
    let version = update.version().cast_signed();
    let older = doc! { "_id": key(update.event_id()), "version": { "$lt": version } };
    let mut seats = doc! { "booked_seats": update.booked_seats().cast_signed(), "version": version };
    if let Some(seats_left) = update.seats_left() {
        seats.insert("seats_left", seats_left.cast_signed());
    }
    (older, doc! { "$set": seats })
}
