//! The calls of the database. Each has a deadline and the name of its step in the protocol of the service. Read next:
//! `outbox/mod.rs`.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use mongodb::{
    Collection,
    bson::{self, Document, doc},
    options::ReturnDocument,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    client::Mongo,
    error::{Deadline, MongoError, duplicates, is_duplicate},
};

/// Whether a document was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It was.
    New,
    /// A document with its `_id` exists.
    Duplicate,
}

/// Which documents are read.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// The filter.
    pub filter: Document,
    /// The order.
    pub sort: Document,
    /// At most so many. 0 means all.
    pub limit: usize,
    /// Only these fields, or all without those with 0. Empty means all.
    pub fields: Document,
}

/// Documents of one kind.
pub struct Table<T: Send + Sync> {
    mongo: Mongo,
    collection: Collection<T>,
}

impl<T: Send + Sync> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self { mongo: self.mongo.clone(), collection: self.collection.clone() }
    }
}

impl<T: Send + Sync + 'static> Table<T> {
    /// Documents of one kind, by the name of their collection.
    pub fn of(mongo: &Mongo, name: &str) -> Self {
        Self { mongo: mongo.clone(), collection: mongo.database.collection(name) }
    }

    /// The same documents, read as another type that has a part of their fields.
    pub fn part<P: Send + Sync>(&self) -> Table<P> {
        Table { mongo: self.mongo.clone(), collection: self.collection.clone_with_type() }
    }

    /// Changes the one document that matches. Answers whether there was one.
    pub async fn change(
        &self,
        deadline: Deadline,
        step: &'static str,
        filter: Document,
        update: Document,
    ) -> Result<bool, MongoError> {
        let collection = self.collection.clone();
        let call = async move { collection.update_one(filter, update).await };
        Ok(self.mongo.call(deadline, step, call).await?.matched_count > 0)
    }

    /// Changes all documents that match, each in a write of its own. The change must be idempotent, and may be done in part.
    pub async fn change_many(
        &self,
        deadline: Deadline,
        step: &'static str,
        filter: Document,
        update: Document,
    ) -> Result<(), MongoError> {
        let collection = self.collection.clone();
        let call = async move { collection.update_many(filter, update).await.map(drop) };
        self.mongo.call(deadline, step, call).await
    }

    /// Several changes of one document each, in one command. They must be idempotent, and may be done in part.
    pub async fn change_each(
        &self,
        deadline: Deadline,
        step: &'static str,
        changes: Vec<(Document, Document)>,
    ) -> Result<(), MongoError> {
        if changes.is_empty() {
            return Ok(());
        }
        let updates: Vec<Document> = changes.into_iter().map(|(q, u)| doc! { "q": q, "u": u }).collect();
        let durable = doc! { "w": "majority", "j": true };
        let name = self.collection.name();
        let command = doc! { "update": name, "updates": updates, "ordered": false, "writeConcern": durable };
        let database = self.mongo.database.clone();
        let call = async move { database.run_command(command).await };
        let reply = self.mongo.call(deadline, step, call).await?;
        // `run_command` turns only an answer with `ok: 0` into an error (<https://github.com/mongodb/mongo-rust-driver/pull/174>);
        // one with these fields is `ok: 1`. This can go when only servers from 8.0 on are supported: the driver's bulk write needs
        // such a server, and reports them.
        match ["writeErrors", "writeConcernError"].iter().find_map(|field| reply.get(field)) {
            Some(error) => Err(MongoError::Unknown(format!("some updates failed: {error}"))),
            None => Ok(()),
        }
    }

    /// Removes all that match.
    pub async fn remove(&self, deadline: Deadline, step: &'static str, filter: Document) -> Result<(), MongoError> {
        let collection = self.collection.clone();
        let call = async move { collection.delete_many(filter).await.map(drop) };
        self.mongo.call(deadline, step, call).await
    }

    /// Runs an aggregation pipeline.
    pub async fn aggregate(&self, deadline: Deadline, pipeline: Vec<Document>) -> Result<Vec<Document>, MongoError> {
        let collection = self.collection.clone();
        let call = async move { collection.aggregate(pipeline).await?.try_collect().await };
        self.mongo.call(deadline, "aggregate", call).await
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + Unpin + 'static> Table<T> {
    /// The document that matches.
    pub async fn get(&self, deadline: Deadline, filter: Document, fields: Document) -> Result<Option<T>, MongoError> {
        let collection = self.collection.clone();
        let call = async move { collection.find_one(filter).projection(fields).await };
        self.mongo.call(deadline, "read", call).await
    }

    /// Several documents.
    pub async fn select(&self, deadline: Deadline, select: Select) -> Result<Vec<T>, MongoError> {
        let collection = self.collection.clone();
        let limit = i64::try_from(select.limit).unwrap_or(i64::MAX);
        let call = async move {
            let find = collection.find(select.filter).sort(select.sort).projection(select.fields);
            find.limit(limit).await?.try_collect().await
        };
        self.mongo.call(deadline, "read", call).await
    }

    /// Inserts a document, if none with its `_id` exists.
    pub async fn insert(&self, deadline: Deadline, step: &'static str, document: T) -> Result<Inserted, MongoError> {
        let collection = self.collection.clone();
        let call = async move {
            match collection.insert_one(document).await {
                Ok(_) => Ok(Inserted::New),
                Err(cause) if is_duplicate(&cause) => Ok(Inserted::Duplicate),
                Err(cause) => Err(cause),
            }
        };
        self.mongo.call(deadline, step, call).await
    }

    /// Inserts the documents whose `_id` does not exist, each in a write of its own. One answer for each document, in order.
    pub async fn insert_missing(
        &self,
        deadline: Deadline,
        step: &'static str,
        documents: Vec<T>,
    ) -> Result<Vec<Inserted>, MongoError> {
        if documents.is_empty() {
            return Ok(Vec::new()); // the driver refuses an empty list
        }
        let (collection, count) = (self.collection.clone(), documents.len());
        let call = async move {
            match collection.insert_many(documents).ordered(false).await {
                Ok(_) => Ok(Vec::new()),
                Err(cause) => duplicates(&cause).ok_or(cause),
            }
        };
        let there = self.mongo.call(deadline, step, call).await?;
        let inserted = |place| if there.contains(&place) { Inserted::Duplicate } else { Inserted::New };
        Ok((0..count).map(inserted).collect())
    }

    /// Changes the one document that matches, and answers it as it is afterwards. `None` if there was none.
    pub async fn change_and_get(
        &self,
        deadline: Deadline,
        step: &'static str,
        filter: Document,
        update: Document,
        fields: Document,
    ) -> Result<Option<T>, MongoError> {
        let collection = self.collection.clone();
        let call = async move {
            let change = collection.find_one_and_update(filter, update).projection(fields);
            change.return_document(ReturnDocument::After).await
        };
        self.mongo.call(deadline, step, call).await
    }
}

/// Between two sums over all documents of a table.
pub const SUM_INTERVAL: Duration = Duration::from_secs(5);

/// The pause after a sum is at least so many times as long as the sum took.
const PAUSE_PER_SUM: u32 = 20;

/// Has sums read again and again, for gauges: other processes change what is stored, too.
pub async fn keep_summing(mut sum: impl AsyncFnMut()) {
    loop {
        let began = Instant::now();
        sum().await;
        tokio::time::sleep(SUM_INTERVAL.max(began.elapsed() * PAUSE_PER_SUM)).await;
    }
}

/// A whole number of an aggregation. Servers choose between 32 and 64 bits.
pub fn number(document: &Document, field: &str) -> i64 {
    let value = document.get(field);
    value.and_then(|n| n.as_i64().or_else(|| n.as_i32().map(i64::from))).unwrap_or_default()
}

/// An id as the driver stores it.
pub fn key(id: uuid::Uuid) -> bson::Uuid {
    bson::Uuid::from_bytes(id.into_bytes())
}

/// An id as all other code uses it.
pub fn id(key: bson::Uuid) -> uuid::Uuid {
    uuid::Uuid::from_bytes(key.bytes())
}
