//! Counts the entries that wait in all documents, for the metrics.

use jiff::Timestamp;
use messaging::outbox::Backlog;
use mongodb::bson::doc;

use super::document::Tables;
use crate::{
    error::{Deadline, MongoError},
    table::{SUM_INTERVAL, number},
};

pub(super) async fn count(tables: &Tables) -> Result<Backlog, MongoError> {
    let mut backlog = Backlog::default();
    for (_, table) in tables {
        // Documents without entries are not in the index.
        let pipeline = vec![
            doc! { "$match": { "outbox.at": { "$gt": 0 } } },
            doc! { "$project": { "n": { "$size": "$outbox" }, "at": { "$min": "$outbox.at" } } },
            doc! { "$group": { "_id": null, "n": { "$sum": "$n" }, "at": { "$min": "$at" } } },
        ];
        let Some(found) = table.aggregate(Deadline::after(SUM_INTERVAL), pipeline).await?.pop() else { continue };
        backlog.pending += number(&found, "n").max(0).cast_unsigned();
        let oldest = Timestamp::from_microsecond(number(&found, "at")).ok();
        backlog.oldest = backlog.oldest.into_iter().chain(oldest).min();
    }
    Ok(backlog)
}
