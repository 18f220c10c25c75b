//! The gauges about all that is stored. Other processes change it too, so they are summed up in the background, and never
//! more than a small part of the time is spent on that; between two sums each process adds its own.

use std::time::{Duration, Instant};

use contracts::Instant as At;
use messaging::outbox::Backlog;
use mongo::{
    error::{Deadline, MongoError},
    id,
    table::{Select, number},
};
use mongodb::bson::{Document, doc};

use super::{Shared, documents::date};

const EVERY: Duration = Duration::from_secs(5);

/// One part in so many of the time at most.
const PART: u32 = 20;

/// A sum may take long on much data.
const PATIENCE: Duration = Duration::from_secs(60);

impl Shared {
    pub(super) async fn sum_up(&self) {
        while self.show_events().await.is_err() {
            tokio::time::sleep(EVERY).await;
        }
        loop {
            let began = Instant::now();
            let _ = self.sum().await; // the state of the database logs it; what was last known stays
            tokio::time::sleep(EVERY.max(began.elapsed() * PART)).await;
        }
    }

    /// The series of events that can be booked begin at zero, so that `rate()` sees the first booking.
    async fn show_events(&self) -> Result<(), MongoError> {
        let filter = doc! { "end_date": { "$gt": date(At::now()) } };
        let (sort, limit) = (doc! { "_id": -1 }, crate::metrics::LABELS_MAX);
        let fields = doc! { "holds": 0 };
        let select = Select { filter, sort, limit, fields };
        for event in self.steps.events.select(Deadline::after(PATIENCE), select).await? {
            self.metrics.on_sale(id(event.id), &event.name);
        }
        Ok(())
    }

    pub(super) async fn sum(&self) -> Result<(), MongoError> {
        let all = doc! { "_id": null, "version": { "$sum": "$version" }, "booked": { "$sum": "$booked_seats" } };
        let totals = self.one(vec![doc! { "$group": all }]).await?;
        self.metrics.stored(number(&totals, "version"), number(&totals, "booked"));

        let holds = self.one(vec![
            doc! { "$match": { "holds.at": { "$gt": mongodb::bson::DateTime::MIN } } },
            doc! { "$project": { "n": { "$size": "$holds" }, "at": { "$min": "$holds.at" } } },
            doc! { "$group": { "_id": null, "n": { "$max": "$n" }, "at": { "$min": "$at" } } },
        ]);
        let holds = holds.await?;
        let oldest = holds.get_datetime("at").map_or(0.0, |at| at.timestamp_millis() as f64 / 1e3);
        self.kept.holds(number(&holds, "n"), oldest);

        let untold = self.one(vec![
            doc! { "$match": { "untold_at": { "$gt": 0 } } },
            doc! { "$group": { "_id": null, "n": { "$sum": 1 }, "at": { "$min": "$untold_at" } } },
        ]);
        let untold = untold.await?;
        let oldest =
            jiff::Timestamp::from_microsecond(number(&untold, "at")).ok().filter(|_| untold.contains_key("at"));
        self.outbox.untold(Backlog { pending: number(&untold, "n").max(0).cast_unsigned(), oldest });
        Ok(())
    }

    /// The one document a pipeline over the events gives, or an empty one.
    async fn one(&self, pipeline: Vec<Document>) -> Result<Document, MongoError> {
        Ok(self.steps.events.aggregate(Deadline::after(PATIENCE), pipeline).await?.pop().unwrap_or_default())
    }
}
