//! Damages of a stopped folder. Each is found with exit code 1, and by a line that names what is damaged.

use std::fs;

use super::made::{Made, blob, verify};

/// A damage: its name, whose file, the statements, and what `verify` must say. `{tango}` stands for the event's id.
type Damage = (&'static str, &'static str, &'static str, &'static [&'static str]);

const BOOKINGS: &str = "bookingservice";
const EVENTS: &str = "eventservice";

const DAMAGES: [Damage; 34] = [
    (
        "a booking removed",
        BOOKINGS,
        "DELETE FROM bookings WHERE seats = 3",
        &[
            "{tango}: 0 seats of confirmed bookings + 7 left = 7, not 10",
            "booked_seats is 3",
            "version is 3, and it has 1 bookings + 1 cancellations",
        ],
    ),
    ("a cancelled booking removed", BOOKINGS, "DELETE FROM bookings WHERE seats = 2", &["{tango}: version is 3"]),
    ("a seat added to a booking", BOOKINGS, "UPDATE bookings SET seats = 4 WHERE seats = 3", &["{tango}: 4 seats"]),
    (
        "a seat added to an event",
        BOOKINGS,
        "UPDATE events SET seats_left = 8 WHERE id = {tango}",
        &["{tango}: 3 seats"],
    ),
    (
        "a seat counted too often",
        BOOKINGS,
        "UPDATE events SET booked_seats = 4 WHERE id = {tango}",
        &["{tango}: booked_"],
    ),
    ("a version lowered", BOOKINGS, "UPDATE events SET version = 2 WHERE id = {tango}", &["{tango}: version is 2"]),
    ("a version raised", BOOKINGS, "UPDATE events SET version = 4 WHERE id = {tango}", &["{tango}: version is 4"]),
    ("a cancellation undone", BOOKINGS, "UPDATE bookings SET cancelled_at = NULL", &["{tango}: 5 seats of confirmed"]),
    ("a booking cancelled", BOOKINGS, "UPDATE bookings SET cancelled_at = 1 WHERE seats = 3", &["{tango}: 0 seats of"]),
    (
        "a number not given out",
        BOOKINGS,
        "UPDATE bookings SET seq = 9 WHERE seats = 3",
        &["{tango}: a booking has the seq 9"],
    ),
    (
        "a number given out twice",
        BOOKINGS,
        "DROP INDEX bookings_of_an_event; UPDATE bookings SET seq = 1 WHERE seats = 3",
        &["{tango}: two bookings have the seq 1"],
    ),
    (
        "a seat of an event without limit",
        BOOKINGS,
        "UPDATE events SET seats_left = 5 WHERE capacity IS NULL",
        &["no limit"],
    ),
    (
        "an event that the booking service lost",
        BOOKINGS,
        "DELETE FROM events WHERE id = {tango}",
        &["{tango}: the event service has it", "is of an event that the booking service does not have"],
    ),
    (
        "an event that the event service lost",
        EVENTS,
        "DELETE FROM events WHERE id = {tango}",
        &["{tango}: the booking service"],
    ),
    (
        "a view of fewer seats",
        EVENTS,
        "UPDATE events SET booked_seats = 2 WHERE id = {tango}",
        &["{tango}: the event service shows booked_seats 2, and the booking service has 3"],
    ),
    (
        "a view of more seats left",
        EVENTS,
        "UPDATE events SET seats_left = 8 WHERE id = {tango}",
        &["{tango}: the event service shows seats_left 8"],
    ),
    (
        "a view of an older version",
        EVENTS,
        "UPDATE events SET version = 2 WHERE id = {tango}",
        &["{tango}: the event service shows version 2"],
    ),
    (
        "a name changed",
        EVENTS,
        "UPDATE events SET name = 'Polka' WHERE id = {tango}",
        &["{tango}: name, end or capacity differ"],
    ),
    (
        "an outbox row left",
        BOOKINGS,
        "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES ({tango}, 'eventBooked', 1, x'7b7d', 0)",
        &["outbox of bookingservice: 1 messages wait", "message {tango} is no eventBooked"],
    ),
    (
        "an outbox row that nobody can read",
        BOOKINGS,
        "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES (x'01', 'eventBooked', 1, x'7b7d', 0)",
        &["bookingservice.db holds something that cannot be read: table outbox, row x'01': id", "5 events, 4 bookings"],
    ),
    (
        "an outbox row left in the event service",
        EVENTS,
        "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES ({tango}, 'locationCreated', 0, x'7b7d', 0)",
        &["outbox of eventservice: 1 messages wait"],
    ),
    (
        "a dead letter left",
        BOOKINGS,
        "INSERT INTO dead_letters (id, name, mandatory, body, occurred_at, dead_queue, attempts, cause)
         VALUES ({tango}, 'seatsChanged', 1, x'7b7d', 0, 'eventservice', 1, 'it has no seats')",
        &["dead letter {tango}: eventservice gave up on this seatsChanged of bookingservice: it has no seats"],
    ),
    (
        "more seats than a number can say",
        BOOKINGS,
        "UPDATE bookings SET seats = 9223372036854775807",
        &["{tango}: 9223372036854775807 seats of confirmed", "has 9223372036854775807 seats: nobody can book so many"],
    ),
    (
        "a sum that no number can say",
        BOOKINGS,
        "DROP INDEX bookings_of_an_event; UPDATE bookings SET seats = 9223372036854775807, cancelled_at = NULL, event = 1",
        &["its confirmed bookings have 36893488147419103228"],
    ),
    ("a booking of no seats", BOOKINGS, "UPDATE bookings SET seats = 0 WHERE seats = 3", &["has 0 seats"]),
    (
        "fewer than no seats",
        BOOKINGS,
        "UPDATE bookings SET seats = -5 WHERE seats = 3",
        &[
            "table bookings, row ",
            "seats is -5",
            "{tango}: version is 3, and it has 1 bookings",
            "read      5 events, 3",
        ],
    ),
    (
        "fewer seats than none left",
        BOOKINGS,
        "PRAGMA ignore_check_constraints = ON; UPDATE events SET seats_left = -1 WHERE id = {tango}",
        &["table events, row {tango}: seats_left is -1", "1 thing is wrong"],
    ),
    (
        "an id that is too short",
        BOOKINGS,
        "UPDATE bookings SET id = x'0102' WHERE seats = 3",
        &["table bookings, row x'0102': id"],
    ),
    (
        "an index that is missing",
        BOOKINGS,
        "DROP INDEX bookings_of_an_event",
        &["bookingservice.db is damaged: the index bookings_of_an_event is missing", "1 thing is wrong"],
    ),
    (
        "an index that is another",
        EVENTS,
        "DROP INDEX events_in_order; CREATE INDEX events_in_order ON events (id)",
        &["eventservice.db is damaged: the index events_in_order is not as it was made", "1 thing is wrong"],
    ),
    (
        "a table that is missing",
        EVENTS,
        "DROP TABLE dead_letters",
        &["eventservice.db is damaged: the table dead_letters is missing", "read      5 events, 4 bookings"],
    ),
    (
        "a location that is not there",
        EVENTS,
        "UPDATE events SET location_id = x'00000000000000000000000000000001' WHERE id = {tango}",
        &["event {tango}: its location is not there", "1 thing is wrong"],
    ),
    (
        "a name that is not found",
        EVENTS,
        "UPDATE events SET name_lower = 'polka' WHERE id = {tango}",
        &["event {tango}: name_lower is not its name", "1 thing is wrong"],
    ),
    (
        "an end before the beginning",
        EVENTS,
        "UPDATE events SET start_date = end_date + 1 WHERE id = {tango}",
        &["event {tango}: it ends before it begins", "1 thing is wrong"],
    ),
];

#[tokio::test]
async fn each_damage_of_a_stopped_folder_is_found_and_named() {
    let made = Made::new().await;
    for (name, service, sql, said) in DAMAGES {
        let damaged = made.copy(name);
        damaged.change(service, &sql.replace("{tango}", &blob(&made.tango)));

        let job = damaged.verify(&[]);

        assert_eq!(job.code, Some(1), "{name}: {}{}", job.out, job.err);
        for part in said {
            assert!(job.out.contains(&part.replace("{tango}", &made.tango)), "{name}: no {part} in\n{}", job.out);
        }
        assert!(!job.out.contains("All is well"), "{name}: {}", job.out);
    }
}

#[tokio::test]
async fn an_empty_file_is_damaged_and_addresses_that_are_not_asked_are_reported() {
    let made = Made::new().await;
    let emptied = made.copy("emptied");
    let well = emptied.verify(&["--events-url", "http://127.0.0.1:1"]).well();
    assert!(well.contains("not seen  what runs at EVENTS_URL: --data-dir reads files alone"), "{well}");
    assert_eq!(emptied.verify(&["--patience", "2"]).code, Some(2), "nothing is waited for");

    fs::write(emptied.file(BOOKINGS), "").unwrap();
    let job = emptied.verify(&[]);
    assert_eq!(job.code, Some(1), "{}{}", job.out, job.err);
    assert!(job.out.contains("bookingservice.db is damaged (it is empty)"), "{}", job.out);
}

#[tokio::test]
async fn a_folder_in_order_passes_and_stays_as_it_is() {
    let made = Made::new().await;
    let files = |folder: &std::path::Path| {
        let read = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = read.filter(|path| path.extension().is_none_or(|end| end != "lock")).collect();
        files.sort();
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let before = files(&made.folder);

    let said = verify(&made.folder, &[]).well();

    assert!(said.contains("5 events, 4 bookings (1 of them cancelled), 8 seats"), "{said}");
    assert!(said.contains("All is well"), "{said}");
    assert!(files(&made.folder) == before, "the folder was changed");
}

#[tokio::test]
async fn the_findings_are_printed_as_json_too() {
    let made = Made::new().await;
    let damaged = made.copy("json");
    damaged.change("bookingservice", &format!("UPDATE events SET version = 2 WHERE id = {}", blob(&made.tango)));

    let job = damaged.verify(&["--json"]);

    assert_eq!(job.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&job.out).unwrap();
    assert_eq!((&report["checked"], &report["ok"]), (&true.into(), &false.into()));
    assert_eq!(report["found"]["version"], 1);
    assert!(report["findings"][0]["text"].as_str().unwrap().contains(&made.tango), "{report}");
}

#[tokio::test]
async fn what_a_kill_leaves_in_the_outbox_is_reported_and_can_be_taken_for_granted_but_not_a_message_that_is_lost() {
    let made = Made::new().await;
    let killed = made.copy("killed");
    // As if the kill had come between the commit of the last booking and the event service's hearing of it.
    let sql = "UPDATE events SET booked_seats = 1, seats_left = 9, version = 1 WHERE id = ";
    killed.change("eventservice", &format!("{sql}{}", blob(&made.waltz)));
    let lost = killed.verify(&["--pending-ok"]);
    assert_eq!(lost.code, Some(1), "{}", lost.out);
    assert!(lost.out.contains(&format!("{}: the event service shows booked_seats 1", made.waltz)), "{}", lost.out);

    let body = format!(r#"{{"event_id":"{}","seats_left":5,"booked_seats":5,"version":2}}"#, made.waltz);
    let sql =
        "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES (randomblob(16), 'seatsChanged', 1, ?, 0)";
    killed.execute("bookingservice", sql, [body.as_bytes()]);
    let pending = killed.verify(&[]);
    assert_eq!(pending.code, Some(1), "{}", pending.out);
    assert!(pending.out.contains("outbox of bookingservice: 1 messages wait"), "{}", pending.out);
    assert!(pending.out.contains("1 thing is wrong"), "{}", pending.out);
    assert!(killed.verify(&["--pending-ok"]).well().contains("1 messages in the outboxes"));
}
