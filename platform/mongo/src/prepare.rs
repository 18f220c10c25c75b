//! What is done with a database before it is used: is it of this version, and are its indexes there? Read next: `table.rs`.

use std::time::Duration;

use mongodb::{
    IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};
use process::background::Background;

use crate::{
    client::{HEARTBEAT_INTERVAL, Mongo},
    error::{Deadline, MongoError},
};

/// The pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// For making one index, and for the search for an old field. It takes long on much data.
const TIMEOUT: Duration = Duration::from_secs(600);

/// An index that a service makes at its start.
#[derive(Clone, Debug)]
pub struct Index {
    /// The collection.
    pub table: &'static str,
    /// Its fields, with 1 or -1.
    pub keys: Document,
    /// Whether documents without the fields are left out, for fields that few documents have at a time.
    pub sparse: bool,
}

/// A field that only documents of an older version have. A service does not run on a database in which one document has it.
#[derive(Clone, Copy, Debug)]
pub struct OldField {
    /// The documents that have it.
    pub table: &'static str,
    /// Its name.
    pub field: &'static str,
    /// What an operator must do.
    pub remedy: &'static str,
}

impl Mongo {
    /// Makes the indexes as soon as the server is there, and watches whether it answers. Until the indexes are there the
    /// service is not ready; it works without them, slowly. A database with one of the `old` fields is refused: the service is never
    /// ready, and no call is made any more.
    pub fn prepare(&self, indexes: Vec<Index>, old: &'static [OldField], background: &Background) {
        let mongo = self.clone();
        background.spawn(async move {
            for field in old {
                while let Err(cause) = mongo.refuse_if_there(field).await {
                    let cause = format!("it is not known yet which version wrote the database: {cause}");
                    mongo.not_ready.send_replace(Some(cause));
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
            for index in indexes {
                while let Err(cause) = mongo.make(&index).await {
                    mongo.not_ready.send_replace(Some(format!("the indexes are not made yet: {cause}")));
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
            mongo.not_ready.send_replace(None);
            loop {
                tokio::time::sleep(HEARTBEAT_INTERVAL).await;
                let _ = mongo.ping().await; // an error is logged in `failures.rs`
            }
        });
    }

    async fn refuse_if_there(&self, old: &'static OldField) -> Result<(), MongoError> {
        if self.refused.get().is_some() {
            return Ok(());
        }
        self.ping().await?;
        let OldField { table, field, remedy } = old;
        let collection = self.database.collection::<Document>(table);
        let find = async move { collection.find_one(doc! { *field: { "$exists": true } }).await };
        if self.call(Deadline::after(TIMEOUT), "version", find).await?.is_some() {
            let cause = format!(
                "documents of `{table}` have the field `{field}`, so an older version has written them: {remedy}"
            );
            let _ = self.refused.set(cause); // it is not set yet
        }
        Ok(())
    }

    async fn make(&self, index: &Index) -> Result<(), MongoError> {
        // The ping finds at once that the server is away; the timeout of an index is long.
        self.ping().await?;
        let collection = self.database.collection::<Document>(index.table);
        let options = IndexOptions::builder().sparse(index.sparse).build();
        let model = IndexModel::builder().keys(index.keys.clone()).options(options).build();
        let make = async move { collection.create_index(model).await.map(drop) };
        self.call(Deadline::after(TIMEOUT), "index", make).await
    }
}
