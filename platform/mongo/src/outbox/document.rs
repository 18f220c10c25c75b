//! The part of a document that the outbox reads and writes.

use mongodb::bson;
use serde::{Deserialize, Serialize};

use crate::{outbox::in_flight::StoredEntry, table::Table};

/// The tables whose documents have an `outbox`, by their names.
pub(super) type Tables = Vec<(&'static str, Table<DocumentWithOutbox>)>;

/// The part of a document that the outbox needs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentWithOutbox {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    pub(super) outbox: Vec<StoredEntry>,
}
