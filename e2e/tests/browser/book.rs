//! Booking and cancelling, as somebody with a mouse does it.

use std::time::{Duration, Instant};

use e2e::eventually;

use crate::{
    chromium::{Chromium, DESK},
    pictures::{self, OTHERS},
    place::Place,
    window::SEEN,
};

/// So long after the booking service has answered may another window be behind.
const BEHIND: Duration = Duration::from_secs(2);

#[tokio::test]
async fn an_event_is_booked_in_two_clicks_and_is_in_my_bookings() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Winter concert", 120).await;
    place.event("Harbour run", 40).await;
    pictures::with_others(&place, OTHERS).await;
    let window = chromium.open(place.page(), DESK).await;
    window.reads("#book", "120 of 120 seats left").await;
    pictures::lines(&window).await;

    window.click("button", "One seat more for Winter concert").await;
    window.click("button", "Book seats for Winter concert").await;

    window.reads("#book", "Booked: 2 seats for Winter concert.").await;
    window.reads("#book", "118 of 120 seats left").await;
    window.control(("body", ""), "button", "Cancel 2 seats of Winter concert").await;
    assert_eq!(place.sold(&event).await, 2);
    pictures::draw(&window, "book").await;
    window.end().await;
}

#[tokio::test]
async fn the_bar_moves_in_another_window_within_two_seconds() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    place.event("Open air", 10).await;
    let (mine, yours) = (chromium.open(place.page(), DESK).await, chromium.open(place.page(), DESK).await);
    yours.reads("#book", "10 of 10 seats left").await;
    let width = async || yours.run(BAR).await.as_f64().unwrap();
    let before = width().await;

    mine.click("button", "Book seats for Open air").await;
    mine.reads("#book", "Booked: 1 seat for Open air.").await;
    let booked = Instant::now();
    yours.reads("#book", "9 of 10 seats left").await;
    assert!(booked.elapsed() < BEHIND, "{:?}", booked.elapsed());
    eventually(BEHIND, "the bar moves", async || (width().await != before).then_some(())).await;

    mine.end().await;
    yours.end().await;
}

/// How wide the part of the bar is that stands for what is booked.
const BAR: &str = "return document.querySelector('#book .bar > *').getBoundingClientRect().width";

#[tokio::test]
async fn a_double_click_makes_one_booking() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Once only", 10).await;
    let window = chromium.open(place.page(), DESK).await;

    window.control(ALL, "button", "Book seats for Once only").await.double_click().await;

    window.reads("#book", "Booked: 1 seat for Once only.").await;
    window.reads("#book", "9 of 10 seats left").await;
    assert_eq!(place.sold(&event).await, 1);
    // Neither a second one that is on its way.
    eventually(BEHIND * 2, "some time", after(BEHIND)).await;
    assert_eq!(place.sold(&event).await, 1);
    window.end().await;
}

#[tokio::test]
async fn what_is_sold_out_or_over_says_so_and_cannot_be_booked() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Small hall", 2).await;
    pictures::with_others(&place, OTHERS).await;
    let window = chromium.open(place.page(), DESK).await;
    assert!(!window.text("#book").await.contains("Sold out"));
    window.control(ALL, "button", "Book seats for Small hall").await;
    pictures::lines(&window).await;

    place.book(&event, 2).await;

    window.reads("#book", "Sold out").await;
    let can_be_booked = async || window.has(ALL, "button", "Book seats for Small hall").await;
    eventually(SEEN, "no button", async || (!can_be_booked().await).then_some(())).await;
    pictures::draw(&window, "sold-out").await;
    window.end().await;
}

#[tokio::test]
async fn seats_that_somebody_else_has_taken_are_told_in_words() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Last seats", 3).await;
    let mut window = chromium.open(place.page(), DESK).await;
    window.expect_answer("/bookings", 409);
    window.control(ALL, "field", "Seats for Last seats").await.write("3").await;

    place.book(&event, 1).await; // and the click comes before the page knows
    window.click("button", "Book seats for Last seats").await;

    window.reads("#book", "Not enough seats are left").await;
    assert_eq!(place.sold(&event).await, 1);
    window.end().await;
}

#[tokio::test]
async fn a_value_that_is_wrong_is_told_in_words_beside_its_field() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    place.event("Any event", 10).await;
    let mut window = chromium.open(place.page(), DESK).await;
    window.expect_answer("/bookings", 422);
    window.control(ALL, "field", "Seats for Any event").await.write("0").await;
    window.click("button", "Book seats for Any event").await;
    window.reads("#book", "A value is not right").await;
    window.reads("#book", "seats").await;
    window.end().await;
}

#[tokio::test]
async fn a_cancelled_booking_gives_its_seats_back() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Changed plans", 10).await;
    let window = chromium.open(place.page(), DESK).await;
    window.click("button", "Book seats for Changed plans").await;
    window.reads("#book", "9 of 10 seats left").await;

    window.click("button", "Cancel 1 seat of Changed plans").await;
    window.click("button", "Yes, cancel").await;

    window.reads("#book", "Cancelled").await;
    window.reads("#book", "10 of 10 seats left").await;
    assert_eq!(place.sold(&event).await, 0);
    window.end().await;
}

#[tokio::test]
async fn an_event_is_created() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let window = chromium.open(place.page(), DESK).await;
    window.click("button", "Create an event").await;
    window.control(ALL, "field", "Name").await.write("Made here").await;
    window.control(ALL, "field", "Seats (empty: no limit)").await.write("25").await;
    window.click("button", "Create the event").await;
    window.reads("#book", "Created: Made here.").await;
    window.reads("#book", "25 of 25 seats left").await;
    window.end().await;
}

#[tokio::test]
async fn a_name_that_looks_like_html_is_text() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let hostile = "<img src=x onerror=alert(1)>";
    place.event(hostile, 10).await;
    let window = chromium.open(place.page(), DESK).await;
    window.reads("#book", hostile).await;
    window.click("button", &format!("Book seats for {hostile}")).await;
    window.reads("#book", &format!("Booked: 1 seat for {hostile}.")).await;
    assert_eq!(window.run("return document.images.length").await, 0);
    window.end().await;
}

const ALL: (&str, &str) = ("body", "");

/// A look that finds something after a while.
fn after(while_: Duration) -> impl FnMut() -> std::future::Ready<Option<()>> {
    let began = Instant::now();
    move || std::future::ready((began.elapsed() > while_).then_some(()))
}
