//! The cases every store must pass.

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::{Instant as PointInTime, SeatsChanged};
use eventservice::{
    domain::{Event, EventDraft, EventRecord, HallDraft, Location, LocationDraft, SeatUpdate},
    store::{Filter, Store, UnknownLocation},
};
use messaging::{Effect, outbox::Outbox};
use metrics::Registry;
use paging::Cursor;
use uuid::Uuid;

/// An empty store with what belongs to it.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) registry: Registry,
    /// What must stay as long as the test runs.
    pub(crate) _kept: Box<dyn Any>,
}

impl Fixture {
    pub(crate) async fn add(&self, name: &str, start: &str, location_id: Option<Uuid>) -> Event {
        let event = event(name, start, location_id, Some(100));
        self.store.create_event(event.clone(), None).await.unwrap().unwrap();
        event
    }

    async fn messages(&self) -> Vec<String> {
        self.outbox.pending(1000).await.unwrap().into_iter().map(|entry| entry.message.name).collect()
    }

    fn view(&self) -> f64 {
        self.registry.value("myevents_view_seat_changes").unwrap()
    }

    /// All events that the filter lets pass, read in pages of two.
    pub(crate) async fn found(&self, filter: Filter) -> Vec<String> {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.events(filter.clone(), after, 2).await.unwrap();
            let Some(last) = page.last() else { return names };
            after = Some(Cursor { number: last.record().start_date.as_millis(), id: last.id() });
            names.extend(page.into_iter().map(|event| event.record().name.clone()));
        }
    }
}

fn event(name: &str, start: &str, location_id: Option<Uuid>, capacity: Option<u64>) -> Event {
    let (start_date, end_date) = (start.parse().unwrap(), "2030-01-01T00:00:00Z".parse().unwrap());
    let capacity = capacity.map(u64::cast_signed);
    Event::new(EventDraft { name: name.into(), location_id, start_date, end_date, capacity }).unwrap()
}

pub(crate) fn some_event() -> Event {
    event("Tango", "2027-01-01T00:00:00Z", None, None)
}

fn location(name: &str) -> Location {
    let halls = [("Main", 50), ("Small \"one\"", 5)].map(|(name, capacity)| HallDraft { name: name.into(), capacity });
    let (name, address, country, halls) = (name.into(), "a".into(), "c".into(), halls.into());
    let (open_time, close_time) = (Some("18:00".into()), Some("02:00".into()));
    Location::new(LocationDraft { name, address, country, open_time, close_time, halls }).unwrap()
}

fn update(event_id: Uuid, version: u64) -> SeatUpdate {
    SeatUpdate::from(SeatsChanged { event_id, seats_left: Some(100 - version), booked_seats: version, version })
}

pub(crate) async fn an_event_is_stored_as_it_was_given_and_its_message_is_in_the_outbox(f: &Fixture) {
    let limited = f.add("Tango", "2027-01-01T00:00:00.123Z", None).await;
    let EventRecord { booked_seats, seats_left, .. } = limited.record();
    assert_eq!((booked_seats, seats_left), (&0, &Some(100)));
    assert_eq!(f.store.event(limited.id()).await.unwrap(), Some(limited));
    let unlimited = event("Open air", "2027-01-01T00:00:00Z", None, None);
    f.store.create_event(unlimited.clone(), None).await.unwrap().unwrap();
    assert_eq!(f.store.event(unlimited.id()).await.unwrap(), Some(unlimited));
    assert_eq!(f.store.event(Uuid::now_v7()).await.unwrap(), None);
    assert_eq!(f.messages().await, ["eventCreated", "eventCreated"]);
}

pub(crate) async fn an_event_at_an_unknown_location_is_refused_and_leaves_nothing(f: &Fixture) {
    let nowhere = event("Tango", "2027-01-01T00:00:00Z", Some(Uuid::now_v7()), None);
    assert_eq!(f.store.create_event(nowhere.clone(), None).await.unwrap(), Err(UnknownLocation));
    assert_eq!(f.store.event(nowhere.id()).await.unwrap(), None);
    assert_eq!(f.messages().await, [""; 0]);
}

pub(crate) async fn a_location_is_stored_as_it_was_given_and_its_message_is_in_the_outbox(f: &Fixture) {
    let mill = location("Old Mill");
    f.store.create_location(mill.clone(), None).await.unwrap();
    assert_eq!(f.store.location(mill.id()).await.unwrap(), Some(mill));
    assert_eq!(f.store.location(Uuid::now_v7()).await.unwrap(), None);
    assert_eq!(f.messages().await, ["locationCreated"]);
}

pub(crate) async fn the_highest_version_wins_in_any_order(f: &Fixture) {
    let event = f.add("Tango", "2027-01-01T00:00:00Z", None).await.id();
    let effects =
        f.store.apply(vec![update(event, 3), update(event, 1), update(event, 3), update(event, 5)]).await.unwrap();
    assert_eq!(effects, [Effect::Applied, Effect::Stale, Effect::Duplicate, Effect::Applied].map(Some));
    assert_eq!(f.store.apply(vec![update(event, 4)]).await.unwrap(), [Some(Effect::Stale)]);
    let event = f.store.event(event).await.unwrap().unwrap();
    assert_eq!((event.record().booked_seats, event.record().seats_left), (5, Some(95)));
    let began = Instant::now();
    while f.view() != 5.0 {
        // Where other processes apply messages as well, it is right again every few seconds.
        assert!(began.elapsed() < Duration::from_secs(10), "the view shows {}", f.view());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) async fn an_update_of_an_unknown_event_is_said_to_be_one(f: &Fixture) {
    let event = f.add("Tango", "2027-01-01T00:00:00Z", None).await.id();
    let effects = f.store.apply(vec![update(Uuid::now_v7(), 1), update(event, 1)]).await.unwrap();
    assert_eq!(effects, [None, Some(Effect::Applied)]);
}

pub(crate) async fn events_come_in_the_order_they_begin_also_where_many_begin_at_once(f: &Fixture) {
    f.add("late", "2027-01-02T00:00:00Z", None).await;
    for name in ["a", "b", "c", "d", "e"] {
        f.add(name, "2027-01-01T00:00:00Z", None).await;
    }
    f.add("early", "1969-07-20T20:17:40Z", None).await;
    assert_eq!(f.found(Filter::default()).await, ["early", "a", "b", "c", "d", "e", "late"]);
}

pub(crate) async fn filters_hold_together(f: &Fixture) {
    let mill = location("Old Mill");
    f.store.create_location(mill.clone(), None).await.unwrap();
    f.add("Ärger im Park", "2027-01-01T00:00:00Z", Some(mill.id())).await;
    f.add("ÄRGER II", "2027-01-02T00:00:00Z", Some(mill.id())).await;
    f.add("ärger iii", "2027-01-03T00:00:00Z", None).await;
    f.add("100% Tango_x", "2027-01-04T00:00:00Z", None).await;
    let at = |text: &str| Some(text.parse::<PointInTime>().unwrap());
    let name = |text: &str| Some(text.to_owned());
    let all = Filter::default;
    assert_eq!(f.found(Filter { name: name("äRg"), ..all() }).await.len(), 3);
    assert_eq!(f.found(Filter { name: name("100%"), ..all() }).await, ["100% Tango_x"]);
    assert_eq!(f.found(Filter { name: name("%"), ..all() }).await, [""; 0]);
    assert_eq!(f.found(Filter { location_id: Some(mill.id()), ..all() }).await, ["Ärger im Park", "ÄRGER II"]);
    let day = Filter { from: at("2027-01-02T00:00:00Z"), to: at("2027-01-03T00:00:00Z"), ..all() };
    assert_eq!(f.found(day.clone()).await, ["ÄRGER II"]);
    assert_eq!(f.found(Filter { name: name("ä"), location_id: Some(mill.id()), ..day }).await, ["ÄRGER II"]);
}

pub(crate) async fn the_beginning_of_a_greek_word_finds_it(f: &Fixture) {
    f.add("ΟΔΟΣΑΛ", "2027-01-01T00:00:00Z", None).await;
    f.add("Οδός", "2027-01-02T00:00:00Z", None).await;
    let name = |text: &str| Filter { name: Some(text.to_owned()), ..Filter::default() };
    assert_eq!(f.found(name("ΟΔΟΣ")).await, ["ΟΔΟΣΑΛ"]);
    assert_eq!(f.found(name("οδός")).await, ["Οδός"]);
    assert_eq!(f.found(name("ΟΔΌΣ")).await, ["Οδός"]);
}

pub(crate) async fn a_name_is_found_in_whichever_form_its_accents_are_written(f: &Fixture) {
    f.add("Caf\u{e9} Tango", "2027-01-01T00:00:00Z", None).await;
    f.add("CAFE\u{301} Tango", "2027-01-02T00:00:00Z", None).await;
    for name in ["caf\u{e9}", "Cafe\u{301} t", "CAF\u{c9}"] {
        let filter = Filter { name: Some(name.to_owned()), ..Filter::default() };
        assert_eq!(f.found(filter).await, ["Caf\u{e9} Tango", "CAFE\u{301} Tango"], "{name:?}: as they were given");
    }
}

pub(crate) async fn locations_come_in_the_order_they_were_made(f: &Fixture) {
    let made: Vec<_> = ["c", "a", "b"].map(location).into();
    for location in &made {
        f.store.create_location(location.clone(), None).await.unwrap();
    }
    let first = f.store.locations(None, 2).await.unwrap();
    let after = Some(Cursor { number: 0, id: first[1].id() });
    let rest = f.store.locations(after, 2).await.unwrap();
    assert_eq!([first, rest].concat(), made);
}
