//! Each rule by a few values: a system in order, one thing changed, and the finding that must come.

use contracts::Instant;
use uuid::Uuid;

use super::{
    against::Checked,
    facts::{Booking, Facts, Shown, Sold, Totals},
    findings::{Findings, Kind},
    reconcile::reconcile,
    record_file,
};

const EVENT: Uuid = Uuid::from_u128(1);

fn booking(id: u128, seq: u64, seats: u64, cancelled: bool) -> Booking<'static> {
    Booking { id: Uuid::from_u128(id), event_id: Some(EVENT), seq: Some(seq), user_id: "u", seats, cancelled }
}

/// One event of 10 seats with a booking of 2, and one of 3 that was cancelled.
fn in_order() -> Facts {
    let (name, end_date, capacity) = ("Tango".to_owned(), Instant::now(), Some(10));
    let (id, booked_seats, seats_left, version) = (EVENT, 2, Some(8), 3);
    let shown = Shown { id, name: name.clone(), end_date, capacity, booked_seats, seats_left, version: Some(version) };
    let end_date = Some(end_date);
    let sold = Sold { id, name, end_date, capacity, seats_left, booked_seats, version, unlimited_off_by: 0 };
    let totals = Totals { seat_changes: 3, view_seat_changes: 3, seats_confirmed: 2, ..Totals::default() };
    let mut facts = Facts { shown: vec![shown], sold: vec![sold], totals: Some(totals), ..Facts::default() };
    facts.tally.add(&booking(1, 1, 2, false));
    facts.tally.add(&booking(2, 2, 3, true));
    facts
}

fn found(facts: &Facts) -> Vec<Kind> {
    let mut findings = Findings::default();
    reconcile(facts, false, &mut findings);
    findings.counts.into_keys().collect()
}

#[test]
fn a_system_in_order_has_no_findings() {
    assert_eq!(found(&in_order()), []);
}

#[test]
fn each_thing_that_is_wrong_is_found_by_its_kind() {
    type Damage = fn(&mut Facts);
    let damages: [(Damage, &[Kind]); 15] = [
        (
            |facts| facts.tally.add(&booking(3, 3, 1, false)),
            &[Kind::Seats, Kind::BookedSeats, Kind::Version, Kind::Totals],
        ),
        (|facts| facts.sold[0].seats_left = Some(9), &[Kind::Seats, Kind::View]),
        (|facts| facts.sold[0].booked_seats = 3, &[Kind::BookedSeats, Kind::View]),
        (|facts| facts.sold[0].version = 2, &[Kind::Version, Kind::View, Kind::Totals]),
        (|facts| facts.sold[0].unlimited_off_by = 1, &[Kind::Seats]),
        (|facts| facts.tally.by_event.get_mut(&EVENT).unwrap().seqs = vec![2, 2], &[Kind::Seq]),
        (|facts| facts.tally.by_event.get_mut(&EVENT).unwrap().seqs = vec![0, 4], &[Kind::Seq]),
        (|facts| facts.tally.orphans.push(EVENT), &[Kind::Orphan]),
        (|facts| facts.tally.impossible.push((EVENT, 101)), &[Kind::Row]),
        (|facts| facts.shown[0].booked_seats = 1, &[Kind::View]),
        (|facts| facts.shown[0].version = Some(2), &[Kind::View]),
        (|facts| facts.shown[0].name = "Walzer".into(), &[Kind::Copy]),
        (|facts| facts.shown.clear(), &[Kind::UnknownEvent]),
        (|facts| facts.totals.as_mut().unwrap().seats_confirmed = 9, &[Kind::Totals]),
        (|facts| facts.totals.as_mut().unwrap().holds = 1, &[Kind::Hold]),
    ];
    for (number, (damage, kinds)) in damages.into_iter().enumerate() {
        let mut facts = in_order();
        damage(&mut facts);
        assert_eq!(found(&facts), kinds, "damage {number}");
    }
}

#[test]
fn sums_that_are_too_large_for_a_number_are_found_and_no_panic() {
    let mut facts = in_order();
    (1..=3).for_each(|number| facts.tally.add(&booking(10 + number, 2, u64::MAX / 2, false)));
    facts.sold[0].seats_left = Some(u64::MAX);
    facts.sold[0].version = u64::MAX;
    facts.sold.push(facts.sold[0].clone());
    let found = found(&facts);
    for kind in [Kind::Row, Kind::Seats, Kind::BookedSeats, Kind::Version, Kind::Totals] {
        assert!(found.contains(&kind), "{kind:?} is missing in {found:?}");
    }
}

#[test]
fn seats_that_were_taken_and_given_back_are_two_changes_where_the_store_does_that() {
    let changed = |version: u64, may_release: bool| {
        let mut facts = Facts { may_release, ..in_order() };
        let totals = Totals { seat_changes: version, view_seat_changes: version, ..facts.totals.unwrap() };
        (facts.sold[0].version, facts.shown[0].version, facts.totals) = (version, Some(version), Some(totals));
        found(&facts)
    };
    assert_eq!(changed(5, true), []);
    for (version, may_release) in [(5, false), (4, true), (1, true)] {
        assert_eq!(changed(version, may_release).first(), Some(&Kind::Version), "{version} {may_release}");
    }
}

#[test]
fn an_event_whose_row_cannot_be_read_is_not_missing() {
    let mut facts = in_order();
    facts.totals = None;
    facts.unreadable.insert(EVENT);
    let (shown, sold) = (facts.shown.clone(), facts.sold.clone());
    facts.shown.clear();
    assert_eq!(found(&facts), []);
    (facts.shown, facts.sold) = (shown, Vec::new());
    assert_eq!(found(&facts), []);
    facts.unreadable.clear();
    assert_eq!(found(&facts), [Kind::UnknownEvent]);
    facts.sold = sold;
    assert_eq!(found(&facts), []);
}

#[test]
fn of_a_million_things_that_are_wrong_some_are_kept_and_all_are_counted() {
    let mut facts = in_order();
    facts.tally.orphans = vec![EVENT; 1_000_000];
    let mut findings = Findings::default();
    reconcile(&facts, false, &mut findings);
    assert_eq!((findings.total(), findings.list.len(), findings.unlisted()), (1_000_000, 100, 999_900));
}

const USER: &str = r#""user":"u","event":"00000000-0000-0000-0000-000000000001""#;

fn booked(key: &str, seats: u64, id: Uuid) -> String {
    format!(
        r#"{{"line":"booked","at":"x","key":"{key}",{USER},"seats":{seats},"booking":"{id}","status":201,"cancelled":false}}"#
    )
}

fn id(key: &str) -> Uuid {
    bookingservice::domain::key::id_under("u", key)
}

/// What is found when these lines are held against these bookings.
fn against(lines: &[String], stored: &[Booking<'_>]) -> Vec<Kind> {
    checked(lines, stored, false).0
}

const ENDED: &str = r#"{"line":"ended","at":"x","users":"u"}"#;

/// Likewise of a run that ended, and what is counted.
fn ended(lines: &[String], stored: &[Booking<'_>]) -> (Vec<Kind>, Checked) {
    checked(&[lines, &[ENDED.to_owned()]].concat(), stored, false)
}

fn checked(lines: &[String], stored: &[Booking<'_>], exclusive: bool) -> (Vec<Kind>, Checked) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    let mut findings = Findings::default();
    let mut against = record_file::read(file.path(), &mut findings).unwrap();
    against.exclusive = exclusive;
    stored.iter().for_each(|booking| against.see(booking));
    let checked = against.finish(&mut findings);
    (findings.counts.into_keys().collect(), checked)
}

#[test]
fn what_was_acknowledged_must_be_there_as_it_was_acknowledged() {
    let lines = [booked("k", 2, id("k"))];
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    assert_eq!(against(&lines, &[stored]), []);
    assert_eq!(against(&lines, &[]), [Kind::LostBooking]);
    let elsewhere = Booking { event_id: Some(Uuid::nil()), ..stored };
    for changed in [Booking { seats: 3, ..stored }, Booking { user_id: "v", ..stored }, elsewhere] {
        assert_eq!(against(&lines, &[changed]), [Kind::ChangedBooking], "{changed:?}");
    }
    let more = Booking { id: Uuid::nil(), ..stored };
    assert_eq!(ended(&lines, &[stored, more]).0, [Kind::Doubled]);
    assert_eq!(ended(&lines, &[stored, Booking { user_id: "guest", ..more }]).0, []);
}

#[test]
fn what_somebody_else_cancelled_is_counted_and_wrong_only_where_nobody_else_could() {
    let lines = [booked("k", 2, id("k"))];
    let cancelled = Booking { id: id("k"), ..booking(0, 1, 2, true) };
    let (found, told) = checked(&lines, &[cancelled], false);
    assert_eq!((found, told.cancelled_by_others), (Vec::new(), 1));
    let (found, told) = checked(&lines, &[cancelled], true);
    assert_eq!((found, told.cancelled_by_others), (vec![Kind::ChangedBooking], 0));
}

#[test]
fn of_a_run_without_an_end_a_booking_that_is_in_no_line_is_counted() {
    let lines = [booked("k", 2, id("k"))];
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    let more = Booking { id: Uuid::nil(), ..stored };
    let (found, told) = checked(&lines, &[stored, more], true);
    assert_eq!((found, told.complete, told.not_in_record), (Vec::new(), false, 1));
    let (_, told) = ended(&lines, &[stored]);
    assert_eq!((told.complete, told.not_in_record), (true, 0));
    // The end of another run is not its end.
    let other = ENDED.replace("\"u\"", "\"v\"");
    let (_, told) = checked(&[lines[0].clone(), other], &[stored, more], false);
    assert_eq!((told.complete, told.not_in_record), (false, 1));
}

#[test]
fn a_key_that_was_answered_with_two_bookings_has_booked_twice() {
    let lines = [booked("k", 2, id("k")), booked("k", 2, Uuid::nil())];
    assert_eq!(against(&lines, &[Booking { id: id("k"), ..booking(0, 1, 2, false) }]), [Kind::Doubled]);
}

#[test]
fn what_was_not_answered_is_there_once_as_asked_for_or_not_at_all() {
    let sending = format!(r#"{{"line":"sending_booking","at":"x","key":"k",{USER},"seats":2}}"#);
    let unanswered = format!(r#"{{"line":"unanswered_booking","at":"x","key":"k",{USER},"seats":2}}"#);
    let busy = format!(r#"{{"line":"not_booked","at":"x","key":"k",{USER},"seats":2,"status":503}}"#);
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    for lines in [vec![sending.clone()], vec![unanswered], vec![sending, busy]] {
        assert_eq!(ended(&lines, &[]).0, []);
        assert_eq!(ended(&lines, &[stored]).0, []);
        assert_eq!(ended(&lines, &[stored, stored]).0, [Kind::Doubled]);
        assert_eq!(ended(&lines, &[Booking { seats: 1, ..stored }]).0, [Kind::ChangedBooking]);
        assert_eq!(ended(&lines, &[stored]).1.unknown_there, 1);
    }
}

#[test]
fn what_was_refused_is_not_there() {
    let sending = format!(r#"{{"line":"sending_booking","at":"x","key":"k",{USER},"seats":2}}"#);
    let refused = format!(r#"{{"line":"not_booked","at":"x","key":"k",{USER},"seats":2,"status":409}}"#);
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    let lines = [sending, refused];
    assert_eq!(ended(&lines, &[]).0, []);
    assert_eq!(ended(&lines, &[stored]).0, [Kind::Doubled]);
}

#[test]
fn a_cancellation_that_was_acknowledged_is_there_and_one_without_an_answer_may_be() {
    let cancelled = format!(r#"{{"line":"cancelled","at":"x","booking":"{}","event":"{EVENT}","seats":2}}"#, id("k"));
    let sending = format!(r#"{{"line":"sending_cancellation","at":"x","booking":"{}"}}"#, id("k"));
    let unanswered =
        format!(r#"{{"line":"unanswered_cancellation","at":"x","booking":"{}","event":"{EVENT}"}}"#, id("k"));
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    let gone = Booking { cancelled: true, ..stored };
    for before in [&[booked("k", 2, id("k"))][..], &[]] {
        let lines = |last: &[&String]| [before, &last.iter().map(|line| (*line).clone()).collect::<Vec<_>>()].concat();
        for known in [&[&cancelled][..], &[&sending, &cancelled]] {
            assert_eq!(checked(&lines(known), &[gone], true).0, []);
            assert_eq!(checked(&lines(known), &[stored], true).0, [Kind::LostCancellation]);
        }
        for open in [&[&unanswered][..], &[&sending], &[&sending, &unanswered]] {
            assert_eq!(checked(&lines(open), &[gone], true).0, []);
            assert_eq!(checked(&lines(open), &[stored], true).0, []);
        }
    }
    let other = cancelled.replace("\"seats\":2", "\"seats\":3");
    assert_eq!(against(&[booked("k", 2, id("k")), other], &[gone]), [Kind::ChangedBooking]);
}

#[test]
fn a_line_that_was_cut_off_is_skipped_and_reported_and_nonsense_is_refused() {
    let whole = booked("k", 2, id("k"));
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    for length in [0, 3, 20, whole.len() - 1] {
        let (cut, told) = (whole[..length].to_owned(), u64::from(length > 0));
        let after = checked(&[whole.clone(), cut.clone()], &[stored], false);
        assert_eq!((after.0, after.1.cut_off), (Vec::new(), told), "{cut}");
        let before = ended(&[cut.clone() + &whole], &[stored]);
        assert_eq!((before.0, before.1.cut_off), (Vec::new(), told), "{cut}: the next run began behind it");
    }
    let with_returns = ended(&[whole + "\r", "\r".to_owned()], &[stored]);
    assert_eq!((with_returns.0, with_returns.1.acknowledged, with_returns.1.cut_off), (Vec::new(), 1, 0));
    let file = tempfile::NamedTempFile::new().unwrap();
    for nonsense in ["", "hello", r#"{"line":"sold"}"#, "{}", ENDED] {
        std::fs::write(file.path(), nonsense).unwrap();
        assert!(record_file::read(file.path(), &mut Findings::default()).is_err(), "{nonsense}");
    }
}

#[test]
fn wherever_a_record_is_cut_off_nothing_is_found_that_is_not_wrong() {
    let of = |key| {
        let sending = booked(key, 2, id(key)).replace("\"booked\"", "\"sending_booking\"");
        [sending, booked(key, 2, id(key))]
    };
    let record = [of("a"), of("b"), of("c")].concat().join("\n") + "\n" + ENDED;
    let stored = ["a", "b", "c"].map(|key| Booking { id: id(key), ..booking(0, 1, 2, false) });
    let whole = checked(std::slice::from_ref(&record), &stored, true);
    assert_eq!((whole.0, whole.1.acknowledged, whole.1.complete), (Vec::new(), 3, true));
    for length in record.find('\n').unwrap() + 1..record.len() {
        let (found, told) = checked(&[record[..length].to_owned()], &stored, true);
        assert_eq!((found, told.complete), (Vec::new(), false), "{}", &record[..length]);
    }
}
