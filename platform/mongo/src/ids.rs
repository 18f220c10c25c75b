//! Ids between the two UUID types: of the driver, and of everybody else.

use mongodb::bson;

/// An id as MongoDB keeps it.
pub fn key(id: uuid::Uuid) -> bson::Uuid {
    bson::Uuid::from_bytes(id.into_bytes())
}

/// An id as everybody else knows it.
pub fn id(key: bson::Uuid) -> uuid::Uuid {
    uuid::Uuid::from_bytes(key.bytes())
}
