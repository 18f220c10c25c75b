//! What this service shows of an event's seats: which message wins. Messages may arrive twice and in any order. Each has the totals of
//! the event and not the difference to the message before, so the one with the highest version is right.

use std::cmp::Ordering;

use contracts::{EventBooked, SeatsChanged};
use messaging::Effect;
use uuid::Uuid;

/// The seats of an event, as a message of the booking service has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatUpdate {
    /// The event.
    pub event_id: Uuid,
    /// Seats left; `None` where there is no capacity.
    pub seats_left: Option<u64>,
    /// Seats booked.
    pub booked_seats: u64,
    /// Which change of the seats this was.
    pub version: u64,
}

/// Which version of an event's seats is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    version: u64,
}

impl View {
    /// As a store has kept it; 0 where no message has arrived yet.
    pub fn stored(version: u64) -> Self {
        Self { version }
    }

    /// Takes an update that is newer than what is shown.
    pub fn apply(&mut self, update: &SeatUpdate) -> Effect {
        match update.version.cmp(&self.version) {
            Ordering::Greater => {
                self.version = update.version;
                Effect::Applied
            }
            Ordering::Equal => Effect::Duplicate,
            Ordering::Less => Effect::Stale,
        }
    }

    /// The version that is shown.
    pub fn version(self) -> u64 {
        self.version
    }
}

impl From<EventBooked> for SeatUpdate {
    fn from(message: EventBooked) -> Self {
        let EventBooked { event_id, seats_left, booked_seats, version, .. } = message;
        Self { event_id, seats_left, booked_seats, version }
    }
}

impl From<SeatsChanged> for SeatUpdate {
    fn from(message: SeatsChanged) -> Self {
        let SeatsChanged { event_id, seats_left, booked_seats, version } = message;
        Self { event_id, seats_left, booked_seats, version }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn update(version: u64) -> SeatUpdate {
        SeatUpdate { event_id: Uuid::nil(), seats_left: None, booked_seats: version, version }
    }

    proptest! {
        /// In whatever order they come, and however often: the newest is shown, and nothing older is taken after it.
        #[test]
        fn the_highest_version_wins_in_any_order(versions in prop::collection::vec(1..20u64, 1..40)) {
            let (mut view, mut shown) = (View::stored(0), 0);
            for version in &versions {
                let effect = view.apply(&update(*version));
                prop_assert_eq!(effect == Effect::Applied, *version > shown);
                prop_assert_eq!(effect == Effect::Duplicate, *version == shown);
                shown = shown.max(*version);
                prop_assert_eq!(view.version(), shown);
            }
            prop_assert_eq!(view, View::stored(*versions.iter().max().unwrap()));
        }
    }
}
