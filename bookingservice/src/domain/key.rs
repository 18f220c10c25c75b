//! Idempotency: a user's key gives a booking its id, so a request that comes again finds what it booked.

use uuid::Uuid;

use super::booking::{Booked, Booking, Refused};

/// Ids of bookings under a key are UUIDs version 5 in this namespace. It must never change: a key would book again.
const KEYS: Uuid = Uuid::from_u128(0x7a1c_33a0_6d5e_4f0e_9b1f_5a4b_8e21_c0de);

/// The id of what a user books under a key: the same each time, which is what keeps a repetition from booking again.
pub fn id_under(user_id: &str, key: &str) -> Uuid {
    // Neither a user's id nor a key may hold NUL, so no two pairs give the same name.
    Uuid::new_v5(&KEYS, format!("{user_id}\0{key}").as_bytes())
}

impl Booking {
    /// The outcome of a request whose id this booking has: the booking as it stands now, or a refusal where the request is for another
    /// event or another number of seats.
    pub fn replay(self, event_id: Uuid, seats: u64) -> Result<Booked, Refused> {
        let same = self.0.event_id == event_id && self.0.seats == seats;
        if same { Ok(Booked::Replay(self)) } else { Err(Refused::KeyInUse) }
    }
}
