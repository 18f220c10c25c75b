//! The gauges about all that is stored. Other processes change the store too, so the sums are read from the database in the
//! background; between two reads each process adds what it changed itself. A read takes at most a small part of the time.

use std::{sync::Arc, time::Duration};

use contracts::Instant;
use jiff::Timestamp;
use messaging::outbox::Backlog;
use mongo::{
    error::{Deadline, MongoError},
    id,
    table::{SUM_INTERVAL, Select, keep_summing, number},
};
use mongodb::bson::{DateTime, Document, doc};

use super::{
    documents::{date, without_holds},
    steps::Shared,
};
use crate::metrics::LABELS_MAX;

/// The longest time of the sum, which grows with the data.
const SUM_TIMEOUT: Duration = Duration::from_secs(60);

impl Shared {
    /// Reads the sums again and again.
    pub(super) async fn keep_sums(self: Arc<Self>) {
        while self.show_events().await.is_err() {
            tokio::time::sleep(SUM_INTERVAL).await;
        }
        keep_summing(async move || {
            let _ = self.sum().await; // a failure is logged by the database's client, and the last sums stay
        })
        .await;
    }

    /// The series of events that can be booked begin at zero, so that `rate()` sees the first booking.
    async fn show_events(&self) -> Result<(), MongoError> {
        let filter = doc! { "end_date": { "$gt": date(Instant::now()) } };
        let select = Select { filter, sort: doc! { "_id": -1 }, limit: LABELS_MAX, fields: without_holds() };
        for event in self.steps.events.select(Deadline::after(SUM_TIMEOUT), select).await? {
            self.metrics.on_sale(id(event.id), &event.name);
        }
        Ok(())
    }

    async fn sum(&self) -> Result<(), MongoError> {
        self.sum_seats().await?;
        self.sum_holds().await?;
        self.sum_unpublished().await
    }

    async fn sum_seats(&self) -> Result<(), MongoError> {
        let all = doc! { "_id": null, "version": { "$sum": "$version" }, "booked": { "$sum": "$booked_seats" } };
        let totals = self.one(vec![doc! { "$group": all }]).await?;
        self.metrics.stored(number(&totals, "version"), number(&totals, "booked"));
        Ok(())
    }

    async fn sum_holds(&self) -> Result<(), MongoError> {
        let holds = self.one(vec![
            doc! { "$match": { "holds.at": { "$gt": DateTime::MIN } } },
            doc! { "$project": { "n": { "$size": "$holds" }, "at": { "$min": "$holds.at" } } },
            doc! { "$group": { "_id": null, "n": { "$max": "$n" }, "at": { "$min": "$at" } } },
        ]);
        let holds = holds.await?;
        let oldest = holds.get_datetime("at").map_or(0.0, |at| at.timestamp_millis() as f64 / 1e3);
        self.hold_metrics.longest.set(number(&holds, "n") as f64);
        self.hold_metrics.oldest.set(oldest);
        Ok(())
    }

    async fn sum_unpublished(&self) -> Result<(), MongoError> {
        let unpublished = self.one(vec![
            doc! { "$match": { "seats_unpublished_at": { "$gt": 0 } } },
            doc! { "$group": { "_id": null, "n": { "$sum": 1 }, "at": { "$min": "$seats_unpublished_at" } } },
        ]);
        let unpublished = unpublished.await?;
        let oldest = Timestamp::from_microsecond(number(&unpublished, "at"));
        let oldest = oldest.ok().filter(|_| unpublished.contains_key("at"));
        let pending = number(&unpublished, "n").max(0).cast_unsigned();
        self.unpublished_seats.set_backlog(Backlog { pending, oldest });
        Ok(())
    }

    /// The one document that a pipeline over the events gives, or an empty one.
    async fn one(&self, pipeline: Vec<Document>) -> Result<Document, MongoError> {
        let found = self.steps.events.aggregate(Deadline::after(SUM_TIMEOUT), pipeline).await?;
        Ok(found.into_iter().next_back().unwrap_or_default())
    }
}
