//! What is done with a database before it is used: is it this service's own, is it of this version, and are its indexes there?
//!
//! Two services have collections of one name, and one lease each. So a database has one owner, whose name is in the document
//! [`OWNER`]. It is inserted, so of two services that start on an empty database one is the first. Read next: `table.rs`.

use std::time::Duration;

use mongodb::{
    IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};
use process::background::Background;

use crate::{
    client::{HEARTBEAT_INTERVAL, Mongo, State},
    error::{Deadline, MongoError, is_duplicate},
    lease,
};

/// The pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// For making one index, and for the search for an old field. It takes long on much data.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The collection of the document that names the owner, the document's id, and the step in which it is read and written.
const OWNER: &str = "owner";

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
    /// Looks at the database as soon as the server is there, makes the indexes, and watches whether the server answers. Until it is
    /// known that the database is the service's own and has none of the `old` fields, every call waits. Otherwise the service is
    /// never ready, and no call is made. Until the indexes are there it is not ready; it works without them, slowly.
    ///
    /// Each collection of the service must have one of the `indexes`: a database with any other one is somebody else's.
    pub fn prepare(&self, indexes: Vec<Index>, old: &'static [OldField], background: &Background) {
        self.state.send_replace(State::Unknown(None)); // before any task can make a call
        let mongo = self.clone();
        background.spawn(async move {
            loop {
                match mongo.look(&indexes, old).await {
                    Ok(None) => break,
                    Ok(Some(cause)) => {
                        mongo.state.send_replace(State::Refused(cause));
                        let _ = mongo.ping().await; // logs it
                        return;
                    }
                    Err(cause) => mongo.state.send_replace(State::Unknown(Some(cause))),
                };
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            mongo.state.send_replace(State::default());
            for index in indexes {
                while let Err(cause) = mongo.make(&index).await {
                    mongo.state.send_replace(State::Usable(Some(format!("the indexes are not made yet: {cause}"))));
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
            mongo.state.send_replace(State::Usable(None));
            loop {
                tokio::time::sleep(HEARTBEAT_INTERVAL).await;
                let _ = mongo.ping().await; // an error is logged in `failures.rs`
            }
        });
    }

    /// Why the database must not be used, if there is a reason.
    async fn look(&self, indexes: &[Index], old: &[OldField]) -> Result<Option<String>, MongoError> {
        self.ping().await?;
        if let Some(cause) = self.refuse_if_of_others(indexes).await? {
            return Ok(Some(cause));
        }
        for OldField { table, field, remedy } in old {
            let (collection, field) = (self.database.collection::<Document>(table), *field);
            let find = async move { collection.find_one(doc! { field: { "$exists": true } }).await };
            if self.call_before_use(Deadline::after(TIMEOUT), "version", find).await?.is_some() {
                return Ok(Some(format!(
                    "documents of `{table}` have the field `{field}`, so an older version has written them: {remedy}"
                )));
            }
        }
        Ok(None)
    }

    /// Makes the service the owner of a database that has none, and nothing of others in it.
    async fn refuse_if_of_others(&self, indexes: &[Index]) -> Result<Option<String>, MongoError> {
        let (service, name) = (&*self.service, self.database.name());
        let right = if name == service {
            "name another database in the path of MONGO_URL, and start the service again".to_owned()
        } else {
            format!(
                "name another database in the path of MONGO_URL, or none, which means {service:?}, and start the \
                 service again"
            )
        };
        // The list is read first: a service makes its collections after it has become the owner.
        let there = self.collections().await?;
        let mut owner = self.owner().await?;
        if owner.is_none() {
            let is_ours = |table: &str| {
                let own = indexes.iter().map(|index| index.table).chain([OWNER, lease::TABLE]);
                own.into_iter().any(|own| own == table) || table.starts_with("system.")
            };
            if let Some(other) = there.iter().find(|table| !is_ours(table)) {
                return Ok(Some(format!(
                    "the database {name:?} names no owner and has the collection {other:?}, which the service \
                     {service:?} has not: {right}; or, if the database is that service's nevertheless, say so by \
                     db.{OWNER}.insertOne({{_id: {OWNER:?}, service: {service:?}}})"
                )));
            }
            self.insert_owner().await?;
            owner = self.owner().await?;
        }
        match owner {
            None => Err(MongoError::Unknown("the owner of the database cannot be read yet".to_owned())),
            Some(owner) if owner == service => Ok(None),
            Some(owner) => Ok(Some(format!(
                "the database {name:?} belongs to the service {owner:?}, and this is the service {service:?}: {right}"
            ))),
        }
    }

    async fn collections(&self) -> Result<Vec<String>, MongoError> {
        let database = self.database.clone();
        let list = async move { database.list_collection_names().await };
        self.call_before_use(Deadline::new(), OWNER, list).await
    }

    /// Names this service as the owner, if another process has not named one meanwhile.
    async fn insert_owner(&self) -> Result<(), MongoError> {
        let (owners, owner) = (self.database.collection(OWNER), doc! { "_id": OWNER, "service": &*self.service });
        let insert = async move {
            match owners.insert_one(owner).await {
                Err(cause) if !is_duplicate(&cause) => Err(cause),
                Ok(_) | Err(_) => Ok(()),
            }
        };
        self.call_before_use(Deadline::new(), OWNER, insert).await
    }

    /// The service that owns the database, as a majority of the servers knows it.
    async fn owner(&self) -> Result<Option<String>, MongoError> {
        let owners = self.database.collection::<Document>(OWNER);
        let find = async move { owners.find_one(doc! { "_id": OWNER }).await };
        let owner = self.call_before_use(Deadline::new(), OWNER, find).await?;
        Ok(owner.map(|owner| owner.get_str("service").unwrap_or("unknown").to_owned()))
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
