//! Search forms that another version has stored: they are compared and rewritten when a service starts, some at a time, while it works.
//! Until then such an event may not be found by its name.

use std::time::Duration;

use mongo::{
    error::{Deadline, MongoError},
    table::{Select, Table},
};
use mongodb::bson::{Bson, Document, doc};

use crate::store::search_form;

/// Events that are compared at a time.
const PAGE: usize = 500;

/// The pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Goes through all events once. Those that are added meanwhile have the form already, or come last.
pub(super) async fn renew(events: Table<Document>) {
    let mut after = None;
    loop {
        match page(&events, after.as_ref()).await {
            Ok(Some(last)) => after = Some(last),
            Ok(None) => return,
            Err(_) => tokio::time::sleep(RETRY_PAUSE).await, // the state of the database logs it
        }
    }
}

/// Rewrites those of one page that differ. Gives the id of the last, or `None` behind the end.
async fn page(events: &Table<Document>, after: Option<&Bson>) -> Result<Option<Bson>, MongoError> {
    let filter = after.map_or_else(|| doc! {}, |id| doc! { "_id": { "$gt": id } });
    let fields = doc! { "name": 1, "name_lower": 1 };
    let page = events.select(Deadline::new(), Select { filter, sort: doc! { "_id": 1 }, limit: PAGE, fields }).await?;
    let changes = page.iter().filter_map(|event| {
        let form = search_form(event.get_str("name").ok()?);
        let differs = event.get_str("name_lower").ok() != Some(&form);
        differs.then(|| (doc! { "_id": event.get("_id") }, doc! { "$set": { "name_lower": form } }))
    });
    events.change_each(Deadline::new(), "search form", changes.collect()).await?;
    Ok(page.last().and_then(|event| event.get("_id").cloned()))
}
