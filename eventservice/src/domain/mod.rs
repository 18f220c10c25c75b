//! What an event and a location are, and the rules for making one.
//!
//! Every limit is a constant here: the validation and the OpenAPI schema both use it. An [`Event`] is only made from a
//! draft that keeps the rules; behind it nobody checks again. What is shown of its seats follows the booking service's messages: [`view`]
//! says which of them wins.

pub mod event;
pub mod location;
pub mod view;

pub use event::{Event, EventDraft};
pub use location::{HallDraft, Location, LocationDraft};
pub use view::{SeatUpdate, View};

/// Characters of a name at most.
pub const NAME_MAX: usize = 200;

/// Characters of any other text at most.
pub const TEXT_MAX: usize = 500;

/// Seats of an event, or of a hall, at most.
pub const CAPACITY_MAX: i64 = 1_000_000;

/// Halls of a location at most.
pub const HALLS_MAX: usize = 100;

fn no_control_characters(text: &str, _: &()) -> garde::Result {
    let found = text.chars().any(char::is_control);
    if found { Err(garde::Error::new("must not hold control characters")) } else { Ok(()) }
}
