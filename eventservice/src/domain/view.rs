//! What this service shows of an event's seats: which message wins. Messages may arrive twice and in any order. Each has the totals of
//! the event and not the difference to the message before, so the one with the highest version is right.

use std::cmp::Ordering;

use contracts::{EventBooked, SeatsChanged};
use messaging::Effect;

/// The seats of an event, as a message of the booking service has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatUpdate(SeatsChanged);

impl SeatUpdate {
    /// What it does to an event that shows this version; 0 where no message has arrived yet.
    pub fn effect_on(&self, shown: u64) -> Effect {
        match self.0.version.cmp(&shown) {
            Ordering::Greater => Effect::Applied,
            Ordering::Equal => Effect::Duplicate,
            Ordering::Less => Effect::Stale,
        }
    }

    /// What a store keeps of it.
    pub fn record(&self) -> &SeatsChanged {
        &self.0
    }
}

impl From<EventBooked> for SeatUpdate {
    fn from(message: EventBooked) -> Self {
        let EventBooked { event_id, seats_left, booked_seats, version, .. } = message;
        Self(SeatsChanged { event_id, seats_left, booked_seats, version })
    }
}

impl From<SeatsChanged> for SeatUpdate {
    fn from(message: SeatsChanged) -> Self {
        Self(message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn update(version: u64) -> SeatUpdate {
        SeatUpdate(SeatsChanged { event_id: Uuid::nil(), seats_left: None, booked_seats: version, version })
    }

    proptest! {
        /// In whatever order they come, and however often: the newest is shown, and nothing older is taken after it.
        #[test]
        fn the_highest_version_wins_in_any_order(versions in prop::collection::vec(1..20u64, 1..40)) {
            let mut shown = 0;
            for version in &versions {
                let effect = update(*version).effect_on(shown);
                prop_assert_eq!(effect == Effect::Applied, *version > shown);
                prop_assert_eq!(effect == Effect::Duplicate, *version == shown);
                if effect == Effect::Applied {
                    shown = *version;
                }
            }
            prop_assert_eq!(shown, *versions.iter().max().unwrap());
        }
    }
}
