//! An index that a service makes at its start.

use mongodb::{IndexModel, bson::Document, options::IndexOptions};

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

impl Index {
    pub(super) fn model(self) -> (&'static str, IndexModel) {
        let options = IndexOptions::builder().sparse(self.sparse).build();
        (self.table, IndexModel::builder().keys(self.keys).options(options).build())
    }
}
