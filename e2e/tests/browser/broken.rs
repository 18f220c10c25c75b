//! Something breaks while somebody looks at the page: it says so in words, and is well again by itself.

use std::time::Duration;

use e2e::eventually;
use testing::proxy::{Condition, Proxy};

use crate::{
    chromium::{Chromium, DESK},
    pictures::{self, OTHERS},
    place::{PageApart, Place},
    window::SEEN,
};

/// Longer than the page waits for a sign of life, and then before it tries again.
const SILENCE: Duration = Duration::from_secs(30);

const ALL: (&str, &str) = ("body", "");

#[tokio::test]
async fn bookings_are_there_after_a_kill_and_a_reload() {
    let Some(chromium) = Chromium::start().await else { return };
    let mut place = Place::to_be_killed();
    let event = place.event("Survivor", 10).await;
    let mut window = chromium.open(place.page(), DESK).await;
    window.expect_answer("/", 0);
    window.expect_answer("/api/traces/", 404); // stories end with the process
    window.click("button", "Book seats for Survivor").await;
    window.reads("#book", "Booked: 1 seat for Survivor.").await;

    place.server.kill();
    window.reads("#connection", "no connection").await;
    place.start_again();
    window.session.reload().await;

    window.reads("#book", "9 of 10 seats left").await;
    window.control(ALL, "button", "Cancel 1 seat of Survivor").await;
    assert_eq!(place.sold(&event).await, 1);
    window.end().await;
}

#[tokio::test]
async fn a_page_whose_server_comes_back_is_well_again_without_a_reload() {
    let Some(chromium) = Chromium::start().await else { return };
    let mut place = Place::to_be_killed();
    let event = place.event("Still open", 10).await;
    let mut window = chromium.open(place.page(), DESK).await;
    window.expect_answer("/", 0);
    window.expect_answer("/api/traces/", 404); // stories end with the process
    window.reads("#book", "10 of 10 seats left").await;
    window.run("window.isTheSame = true").await;

    place.server.kill();
    window.reads("#connection", "no connection").await;
    place.start_again();
    place.book(&event, 1).await;

    window.reads("#book", "9 of 10 seats left").await;
    window.reads("#connection", "live").await;
    window.click("button", "Book seats for Still open").await;
    window.reads("#book", "Booked: 1 seat for Still open.").await;
    assert_eq!(window.run("return window.isTheSame").await, true);
    window.end().await;
}

#[tokio::test]
async fn a_service_that_is_away_is_told_in_words_and_heals_by_itself() {
    let Some(chromium) = Chromium::start().await else { return };
    let mut place = Place::to_be_killed();
    let event = place.event("Patience", 10).await;
    let page = PageApart::start(&place, &place.server.addresses.bookings, place.folder.path()).await;
    pictures::with_others(&place, OTHERS).await;
    let mut window = chromium.open(&page.url, DESK).await;
    window.expect_answer("/api/", 503);
    window.reads("#book", "10 of 10 seats left").await;
    pictures::lines(&window).await;

    place.server.kill();
    window.reads("#book", "What you see may be old").await;
    window.click("button", "Book seats for Patience").await;
    window.reads(".event", "A service is away: the booking service cannot be reached").await;
    window.reads(".watch-alarm", "does not answer").await;
    window.control(ALL, "button", "Book seats for Patience").await;
    pictures::draw(&window, "away").await;
    place.start_again();

    let healed = async || !window.text("#book").await.contains("What you see may be old");
    eventually(SEEN, "it heals", async || healed().await.then_some(())).await;
    window.click("button", "Book seats for Patience").await;
    window.reads("#book", "9 of 10 seats left").await;
    assert_eq!(place.sold(&event).await, 1);
    window.end().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_and_books_once() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Unsure", 10).await;
    let port = place.server.bookings().address().port();
    let proxy = Proxy::to(port).await;
    let page = PageApart::start(&place, &format!("http://{}", proxy.address), place.folder.path()).await;
    pictures::with_others(&place, OTHERS).await;
    let mut window = chromium.open(&page.url, DESK).await;
    window.expect_answer("/bookings", 503);
    window.reads("#book", "10 of 10 seats left").await;
    pictures::lines(&window).await;

    proxy.set(Condition::Unanswered);
    window.click("button", "Book seats for Unsure").await;
    window.reads("#book", "It is not known whether 1 seat for Unsure was booked").await;
    assert_eq!(place.sold(&event).await, 1, "it was");
    window.control(ALL, "button", "Ask again about Unsure").await;
    pictures::draw(&window, "unknown").await;

    proxy.set(Condition::Good);
    window.click("button", "Ask again about Unsure").await;
    window.reads("#book", "1 seat for Unsure").await;
    window.control(ALL, "button", "Cancel 1 seat of Unsure").await;
    assert_eq!(place.sold(&event).await, 1);
    window.end().await;
}

#[tokio::test]
async fn a_booking_that_may_have_been_made_stays_open_while_the_service_is_away() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Open end", 10).await;
    let proxy = Proxy::to(place.server.bookings().address().port()).await;
    let page = PageApart::start(&place, &format!("http://{}", proxy.address), place.folder.path()).await;
    let mut window = chromium.open(&page.url, DESK).await;
    window.expect_answer("/api/", 503);
    window.reads("#book", "10 of 10 seats left").await;
    proxy.set(Condition::Unanswered);
    window.click("button", "Book seats for Open end").await;
    window.reads("#book", "It is not known whether 1 seat for Open end was booked").await;

    drop(proxy); // from now on nothing can be sent
    window.click("button", "Ask again about Open end").await;
    window.control((".event", "Open end"), "button", "Ask again about Open end").await;
    window.session.reload().await;

    window.control((".mine", "Open end"), "button", "Ask again about Open end").await;
    assert!(!window.text("#book").await.contains("nothing has happened"));
    let cannot_book_anew = window.run("return document.querySelector('.event form').hidden").await;
    assert_eq!(cannot_book_anew, true);
    assert_eq!(place.sold(&event).await, 1);
    window.end().await;
}

#[tokio::test]
async fn a_connection_that_dies_without_an_end_is_not_called_live() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let port = place.page().rsplit(':').next().and_then(|port| port.trim_end_matches('/').parse().ok());
    let proxy = Proxy::to(port.expect("the page has a port")).await;
    let mut window = chromium.open(&format!("http://{}", proxy.address), DESK).await;
    window.expect_answer("/", 0);
    window.reads("#connection", "live").await;
    let says = async |words: &str| window.text("#connection").await.contains(words).then_some(());

    proxy.set(Condition::BlackHole);
    eventually(SILENCE, "the silence is noticed", async || says("no connection").await).await;
    proxy.set(Condition::Drop(0)); // what goes through it stays dead otherwise
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.set(Condition::Good);

    eventually(SILENCE, "it is open again", async || says("live").await).await;
    window.end().await;
}
