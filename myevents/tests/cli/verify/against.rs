//! `--against`: damages after which the store agrees with itself, and only the record shows that something is wrong.

use super::made::{Made, USER, blob};

/// A damage: its name, the statements on the booking service's file, and what `verify` must say.
type Damage = (&'static str, &'static str, &'static [&'static str]);

const DAMAGES: [Damage; 5] = [
    (
        "a booking is missing",
        "DELETE FROM bookings WHERE seats = 4",
        &["(4 seats of event {waltz}) was acknowledged, and is not there"],
    ),
    (
        "a cancellation is missing",
        "UPDATE bookings SET cancelled_at = NULL WHERE seats = 2",
        &["its cancellation was acknowledged, and it is confirmed"],
    ),
    (
        "a key has booked twice",
        "INSERT INTO bookings (id, event, seq, user_id, seats, booked_at)
         SELECT randomblob(16), event, 3, user_id, seats, booked_at FROM bookings WHERE seats = 4",
        &["{user} (4 seats of event {waltz}) comes from no request of the record"],
    ),
    (
        "a booking has other seats",
        "UPDATE bookings SET seats = 5 WHERE seats = 4",
        &["stored are 5 seats of event {waltz} for {user}, asked for were 4 seats of event {waltz} for {user}"],
    ),
    (
        "nobody cancelled",
        "UPDATE bookings SET cancelled_at = 1 WHERE seats = 4",
        &["is cancelled, and nobody asked for that"],
    ),
];

#[tokio::test]
async fn what_only_the_record_can_show_is_found() {
    let made = Made::new().await;
    let record = made.record.to_str().unwrap();
    for (name, sql, said) in DAMAGES {
        let damaged = made.copy(name);
        damaged.change("bookingservice", sql);
        damaged.recompute_seats();
        damaged.verify(&[]).well();

        let job = damaged.verify(&["--against", record, "--exclusive"]);

        assert_eq!(job.code, Some(1), "{name}: {}{}", job.out, job.err);
        for part in said {
            let part = part.replace("{waltz}", &made.waltz).replace("{user}", USER);
            assert!(job.out.contains(&part), "{name}: no {part} in\n{}", job.out);
        }
        assert!(job.out.contains("1 thing is wrong"), "{name}: {}", job.out);
    }
}

#[tokio::test]
async fn what_was_not_answered_may_be_there_or_not_and_is_counted() {
    let made = Made::new().await;
    let lines = std::fs::read_to_string(&made.record).unwrap();
    // The same requests as if no answer had come, and one that never arrived.
    let mut unanswered: String = lines
        .lines()
        .filter(|line| line.contains("\"line\":\"booked\""))
        .map(|line| line.replace("\"booked\"", "\"unanswered_booking\"") + "\n")
        .collect();
    unanswered += &unanswered.lines().next().unwrap().replace("key-0", "key-9");
    let cancelled = lines.lines().find(|line| line.contains("\"line\":\"cancelled\"")).unwrap();
    unanswered += "\n";
    unanswered += &cancelled.replace("\"line\":\"cancelled\"", "\"line\":\"unanswered_cancellation\"");
    std::fs::write(&made.record, unanswered).unwrap();

    for cancelled_at in ["1", "NULL"] {
        let copy = made.copy(cancelled_at);
        copy.change("bookingservice", &format!("UPDATE bookings SET cancelled_at = {cancelled_at} WHERE seats = 2"));
        copy.recompute_seats();
        let said = copy.verify(&["--against", made.record.to_str().unwrap()]).well();
        assert!(said.contains("5 bookings without an answer (4 of them are there)"), "{said}");
    }
}

#[tokio::test]
async fn another_users_bookings_are_no_concern_of_the_record() {
    let made = Made::new().await;
    let copy = made.copy("others");
    let sql = "INSERT INTO bookings (id, event, seq, user_id, seats, booked_at)
               SELECT randomblob(16), number, 3, 'somebody', 1, 0 FROM events WHERE id = ";
    copy.change("bookingservice", &format!("{sql}{}", blob(&made.waltz)));
    copy.recompute_seats();
    copy.verify(&["--against", made.record.to_str().unwrap()]).well();
}

#[tokio::test]
async fn what_somebody_else_cancelled_is_reported_and_is_no_damage_unless_nobody_else_could() {
    let made = Made::new().await;
    let copy = made.copy("cancelled");
    copy.change("bookingservice", "UPDATE bookings SET cancelled_at = 1 WHERE seats = 4");
    copy.recompute_seats();
    let said = copy.verify(&["--against", made.record.to_str().unwrap()]).well();
    assert!(said.contains("1 bookings were cancelled by somebody else"), "{said}");
}

#[tokio::test]
async fn a_record_that_breaks_off_is_reported_and_finds_nothing_that_is_not_wrong() {
    let made = Made::new().await;
    let lines = std::fs::read_to_string(&made.record).unwrap();
    let end = lines.lines().take(3).map(|line| line.len() + 1).sum::<usize>();
    std::fs::write(&made.record, &lines[..end + 20]).unwrap();
    let against = ["--against", made.record.to_str().unwrap()];
    let said = made.copy("whole").verify(&against).well();
    for part in ["a run has no end in it", "1 bookings of its users are in no line", "1 lines are cut off"] {
        assert!(said.contains(part), "no {part} in {said}");
    }

    // What it does say must hold all the same.
    let damaged = made.copy("damaged");
    damaged.change("bookingservice", "DELETE FROM bookings WHERE seats = 3");
    damaged.recompute_seats();
    let job = damaged.verify(&against);
    assert_eq!(job.code, Some(1), "{}{}", job.out, job.err);
    assert!(job.out.contains("was acknowledged, and is not there"), "{}", job.out);
}
