//! The same while it runs: the program is started on a damaged folder, and `verify` asks it.

use super::made::{Made, blob};
use crate::helpers::{Job, MyEvents};

/// A damage: its name, whose file, the statements, and what `verify` must say.
type Damage = (&'static str, &'static str, &'static str, &'static [&'static str]);

const BOOKINGS: &str = "bookingservice";
const EVENTS: &str = "eventservice";

/// Less patience than by default: a view that never catches up is waited for.
fn verify(run: &MyEvents) -> Job {
    Job::run(["verify".to_owned(), "--patience".into(), "1".into()].into_iter().chain(run.url_options()))
}

async fn finds(damages: &[Damage]) {
    let made = Made::new().await;
    for (name, service, sql, said) in damages {
        let damaged = made.copy(name);
        damaged.change(service, &sql.replace("{tango}", &blob(&made.tango)));
        let run = MyEvents::start(&damaged.folder, &[]).await;

        let job = verify(&run);

        assert_eq!(job.code, Some(1), "{name}: {}{}", job.out, job.err);
        for part in *said {
            assert!(job.out.contains(&part.replace("{tango}", &made.tango)), "{name}: no {part} in\n{}", job.out);
        }
    }
}

#[tokio::test]
async fn damages_of_bookings_are_found_while_it_runs() {
    finds(&[
        (
            "a booking removed",
            BOOKINGS,
            "DELETE FROM bookings WHERE seats = 3",
            &["{tango}: 0 seats", "seats_confirmed is 8"],
        ),
        ("a seat added", BOOKINGS, "UPDATE events SET seats_left = 8 WHERE id = {tango}", &["{tango}: 3 seats"]),
        ("a version lowered", BOOKINGS, "UPDATE events SET version = 2 WHERE id = {tango}", &["{tango}: version is 2"]),
        ("a status flipped", BOOKINGS, "UPDATE bookings SET cancelled_at = NULL", &["{tango}: 5 seats"]),
        ("an event lost", BOOKINGS, "DELETE FROM events WHERE id = {tango}", &["{tango}: the event service has it"]),
    ])
    .await;
}

#[tokio::test]
async fn damages_of_the_view_and_of_messages_are_found_while_it_runs() {
    finds(&[
        ("a view of fewer seats", EVENTS, "UPDATE events SET booked_seats = 2 WHERE id = {tango}", &["{tango}: the event service shows booked_seats 2"]),
        ("an older version", EVENTS, "UPDATE events SET version = 2 WHERE id = {tango}", &["myevents_view_seat_changes is 4, and there were 5"]),
        ("an event lost", EVENTS, "DELETE FROM events WHERE id = {tango}", &["{tango}: the booking service sells it"]),
        (
            "a message about nothing",
            BOOKINGS,
            "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES ({tango}, 'seatsChanged', 1, x'7b7d', 0)",
            &["dead letter {tango}: eventservice gave up on this seatsChanged of bookingservice"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_running_system_in_order_passes_also_against_its_record() {
    let made = Made::new().await;
    let run = MyEvents::start(&made.folder, &[]).await;
    let said = verify(&run).well();
    assert!(said.contains("5 events, 4 bookings (1 of them cancelled), 8 seats"), "{said}");
    let against = ["verify".to_owned(), "--against".into(), made.record.to_str().unwrap().to_owned()];
    let said = Job::run(against.into_iter().chain(run.url_options())).well();
    assert!(said.contains("4 acknowledged bookings, 1 acknowledged cancellations"), "{said}");
}

#[tokio::test]
async fn a_row_that_somebody_put_into_the_outbox_of_a_running_system_is_seen() {
    let made = Made::new().await;
    let copy = made.copy("by hand");
    let run = MyEvents::start(&copy.folder, &[]).await;
    // Nobody reads it and somebody must: it stays.
    let sql = "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES (randomblob(16), 'nobodyReads', 1, x'7b7d', 0)";
    copy.change(BOOKINGS, sql);

    let job = verify(&run);

    assert_eq!(job.code, Some(2), "{}{}", job.out, job.err);
    assert!(job.err.contains("the booking service has 1 messages in the outbox"), "{}", job.err);
}
