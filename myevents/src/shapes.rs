//! What the services answer, as far as the jobs that ask them need it.

use messaging::DeadLetter;
use serde::Deserialize;
use uuid::Uuid;

/// A page of a list.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// What the next page begins after.
    pub(crate) next: Option<String>,
}

/// An event as the booking service sells it.
#[derive(Deserialize)]
pub(crate) struct OnSale {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// Absent where there is no capacity.
    pub(crate) capacity: Option<u64>,
    pub(crate) seats_left: Option<u64>,
    pub(crate) booked_seats: u64,
    pub(crate) version: u64,
}

/// The dead letters that a service shows.
#[derive(Deserialize)]
pub(crate) struct DeadList {
    pub(crate) items: Vec<DeadLetter>,
}
