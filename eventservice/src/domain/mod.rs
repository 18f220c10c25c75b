//! What an event and a location are, and the rules for making one, without any store: nothing here knows HTTP, SQL or BSON.
//!
//! - [`event`], [`location`]: made only of a draft that keeps the rules; behind it nobody checks again
//! - [`limits`]: the numbers in the rules
//! - [`view`]: what is shown of an event's seats, and which of the booking service's messages wins
//! - [`records`]: what a store keeps

pub mod event;
pub mod limits;
pub mod location;
pub mod records;
pub mod view;

pub use event::{Event, EventDraft};
pub use limits::{CAPACITY_MAX, HALLS_MAX, NAME_MAX, TEXT_MAX};
pub use location::{HallDraft, Location, LocationDraft};
pub use records::{EventRecord, HallRecord, LocationRecord};
pub use view::SeatUpdate;
