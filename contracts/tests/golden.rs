//! The wire format, byte for byte: what lies in `golden/` is what other versions of the services send and expect.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use contracts::{
    BookingCancelled, Contract, EventBooked, EventCreated, LocationCreated, ResyncRequested, SeatsChanged,
};

fn holds<M: Contract>(golden: &str) {
    let golden = golden.trim_end();
    let message = M::from_json(golden.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(message.to_json()).unwrap(), golden, "{}", M::NAME);

    let newer = golden.replacen('{', r#"{"added_later":[1],"#, 1);
    assert!(M::from_json(newer.as_bytes()).is_ok(), "{} must ignore fields it does not know", M::NAME);
}

#[test]
fn every_message_is_written_as_its_golden_file_says() {
    holds::<EventCreated>(include_str!("../golden/eventCreated.json"));
    holds::<LocationCreated>(include_str!("../golden/locationCreated.json"));
    holds::<EventBooked>(include_str!("../golden/eventBooked.json"));
    holds::<BookingCancelled>(include_str!("../golden/bookingCancelled.json"));
    holds::<SeatsChanged>(include_str!("../golden/seatsChanged.json"));
    holds::<ResyncRequested>(include_str!("../golden/resyncRequested.json"));
}

#[test]
fn what_is_optional_is_left_out_and_never_null() {
    let bare = r#"{"event_id":"01936c4e-7d00-7000-8000-000000000001","booked_seats":0,"version":2}"#;
    let message = SeatsChanged::from_json(bare.as_bytes()).unwrap();
    assert_eq!(message.seats_left, None);
    assert_eq!(String::from_utf8(message.to_json()).unwrap(), bare);
}

#[test]
fn every_name_has_a_golden_file_and_every_golden_file_a_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    let mut names: Vec<_> = contracts::NAMES.iter().map(|name| format!("{name}.json")).collect();
    files.sort();
    names.sort();
    assert_eq!(files, names);
}
