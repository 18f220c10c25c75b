//! Converts between two UUID types: that of the driver, and that of the crate `uuid`.

use mongodb::bson;

/// An id as the driver stores it.
pub fn key(id: uuid::Uuid) -> bson::Uuid {
    bson::Uuid::from_bytes(id.into_bytes())
}

/// An id as all other code uses it.
pub fn id(key: bson::Uuid) -> uuid::Uuid {
    uuid::Uuid::from_bytes(key.bytes())
}
