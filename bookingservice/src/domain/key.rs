//! Idempotency: a user's key gives a booking its id, so a request that comes again finds what it booked.

use uuid::Uuid;

use super::{Booked, Booking, NewBooking, Refused};

/// Characters of a key at most.
pub const KEY_MAX: usize = 255;

/// Ids of bookings under a key are UUIDs version 5 in this namespace. It must never change: a key would book again.
const KEYS: Uuid = Uuid::from_u128(0x7a1c_33a0_6d5e_4f0e_9b1f_5a4b_8e21_c0de);

/// The id of what a user books under a key: the same each time, which is what keeps a repetition from booking again.
pub fn id_under(user_id: &str, key: &str) -> Uuid {
    // Neither a user's id nor a key may hold NUL, so no two pairs give the same name.
    Uuid::new_v5(&KEYS, format!("{user_id}\0{key}").as_bytes())
}

impl Booking {
    /// What a request gets whose id this booking has: the booking as it stands now, or nothing, if it asks for something else.
    pub fn replay(self, request: &NewBooking) -> Result<Booked, Refused> {
        let same = self.event_id == request.event_id() && self.seats == request.seats();
        if same { Ok(Booked::Replay(self)) } else { Err(Refused::KeyInUse) }
    }
}
