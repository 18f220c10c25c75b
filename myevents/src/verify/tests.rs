//! Each rule by a few values: a system in order, one thing changed, and the finding that must come.

use contracts::Instant;
use uuid::Uuid;

use super::{
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
    let damages: [(Damage, &[Kind]); 14] = [
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
fn seats_that_were_taken_and_given_back_are_two_changes_where_the_store_does_that() {
    let changed = |version: u64, gives_back: bool| {
        let mut facts = Facts { gives_back, ..in_order() };
        let totals = Totals { seat_changes: version, view_seat_changes: version, ..facts.totals.unwrap() };
        (facts.sold[0].version, facts.shown[0].version, facts.totals) = (version, Some(version), Some(totals));
        found(&facts)
    };
    assert_eq!(changed(5, true), []);
    for (version, gives_back) in [(5, false), (4, true), (1, true)] {
        assert_eq!(changed(version, gives_back).first(), Some(&Kind::Version), "{version} {gives_back}");
    }
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
    bookingservice::domain::id_under("u", key)
}

/// What is found when these lines are held against these bookings.
fn against(lines: &[String], stored: &[Booking<'_>]) -> Vec<Kind> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    let mut findings = Findings::default();
    let mut against = record_file::read(file.path(), &mut findings).unwrap();
    stored.iter().for_each(|booking| against.see(booking, &mut findings));
    against.finish(&mut findings);
    findings.counts.into_keys().collect()
}

#[test]
fn what_was_acknowledged_must_be_there_as_it_was_acknowledged() {
    let lines = [booked("k", 2, id("k"))];
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    assert_eq!(against(&lines, &[stored]), []);
    assert_eq!(against(&lines, &[]), [Kind::LostBooking]);
    let elsewhere = Booking { event_id: Some(Uuid::nil()), ..stored };
    let cancelled = Booking { cancelled: true, ..stored };
    for changed in [Booking { seats: 3, ..stored }, Booking { user_id: "v", ..stored }, elsewhere, cancelled] {
        assert_eq!(against(&lines, &[changed]), [Kind::ChangedBooking], "{changed:?}");
    }
    assert_eq!(against(&lines, &[stored, Booking { id: Uuid::nil(), ..stored }]), [Kind::Doubled]);
    let guest = Booking { id: Uuid::nil(), user_id: "guest", ..stored };
    assert_eq!(against(&lines, &[stored, guest]), []);
}

#[test]
fn a_key_that_was_answered_with_two_bookings_has_booked_twice() {
    let lines = [booked("k", 2, id("k")), booked("k", 2, Uuid::nil())];
    assert_eq!(against(&lines, &[Booking { id: id("k"), ..booking(0, 1, 2, false) }]), [Kind::Doubled]);
}

#[test]
fn what_was_not_answered_is_there_once_as_asked_for_or_not_at_all() {
    let unanswered = format!(r#"{{"line":"unanswered_booking","at":"x","key":"k",{USER},"seats":2}}"#);
    let busy = format!(r#"{{"line":"not_booked","at":"x","key":"k",{USER},"seats":2,"status":503}}"#);
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    for line in [unanswered, busy] {
        assert_eq!(against(std::slice::from_ref(&line), &[]), []);
        assert_eq!(against(std::slice::from_ref(&line), &[stored]), []);
        assert_eq!(against(std::slice::from_ref(&line), &[stored, stored]), [Kind::Doubled]);
        assert_eq!(against(&[line], &[Booking { seats: 1, ..stored }]), [Kind::ChangedBooking]);
    }
}

#[test]
fn a_cancellation_that_was_acknowledged_is_there_and_one_without_an_answer_may_be() {
    let cancelled = format!(r#"{{"line":"cancelled","at":"x","booking":"{}","event":"{EVENT}","seats":2}}"#, id("k"));
    let unanswered =
        format!(r#"{{"line":"unanswered_cancellation","at":"x","booking":"{}","event":"{EVENT}"}}"#, id("k"));
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    let gone = Booking { cancelled: true, ..stored };
    for before in [&[booked("k", 2, id("k"))][..], &[]] {
        let lines = |last: &String| [before, std::slice::from_ref(last)].concat();
        assert_eq!(against(&lines(&cancelled), &[gone]), []);
        assert_eq!(against(&lines(&cancelled), &[stored]), [Kind::LostCancellation]);
        assert_eq!(against(&lines(&unanswered), &[gone]), []);
        assert_eq!(against(&lines(&unanswered), &[stored]), []);
    }
}

#[test]
fn a_line_that_was_cut_off_is_passed_over_and_nonsense_is_refused() {
    let whole = booked("k", 2, id("k"));
    let stored = Booking { id: id("k"), ..booking(0, 1, 2, false) };
    for length in [0, 3, 20, whole.len() - 1] {
        let cut = whole[..length].to_owned();
        assert_eq!(against(&[whole.clone(), cut.clone()], &[stored]), [], "{cut}");
        assert_eq!(against(&[cut + &whole], &[stored]), [], "the next run began behind it");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    for nonsense in ["", "hello", r#"{"line":"sold"}"#, "{}"] {
        std::fs::write(file.path(), nonsense).unwrap();
        assert!(record_file::read(file.path(), &mut Findings::default()).is_err(), "{nonsense}");
    }
}
