//! The system at work, as the page shows it.

use std::fs;

use e2e::{answer::text, eventually};
use serde_json::Value;
use testing::eventually_mut;

use crate::{
    chromium::{Chromium, DESK},
    pictures::{self, OTHERS},
    place::Place,
    window::{SEEN, Window},
};

const ALL: (&str, &str) = ("body", "");

#[tokio::test]
async fn a_dead_letter_is_shown_with_its_cause_and_does_its_work_when_it_is_redriven() {
    let Some(chromium) = Chromium::start().await else { return };
    let mut place = Place::to_be_killed();
    let event = place.event("Lost and found", 10).await;
    let data = place.folder.path().join("data");
    // The event service loses its database, so it cannot take what it hears of the event.
    place.server.kill();
    let aside = place.folder.path().join("aside");
    fs::create_dir(&aside).unwrap();
    move_database(&data, &aside);
    place.start_again();
    place.book(&event, 2).await;
    let mut window = chromium.open(place.page(), DESK).await;
    window.expect_answer("/", 0);
    window.reads(".dead-count", "1").await;
    window.click("button", "Show them").await;
    window.reads("#watch", &event).await; // the cause names it
    window.run("document.querySelector('.dead-count').closest('section').scrollIntoView({block: 'center'})").await;
    pictures::draw(&window, "dead-letters").await;

    place.server.kill();
    fs::create_dir(place.folder.path().join("other")).unwrap();
    move_database(&data, &place.folder.path().join("other"));
    move_database(&aside, &data);
    place.start_again();
    window.reads("#connection", "live").await;
    window.reads(".dead-count", "1").await;
    window.click("button", "Send all again").await;

    let count = async || window.text(".dead-count").await;
    eventually(SEEN, "there is none any more", async || (count().await == "0").then_some(())).await;
    window.reads("#book", "8 of 10 seats left").await;
    window.end().await;
}

fn move_database(from: &std::path::Path, to: &std::path::Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("eventservice.db") {
            fs::rename(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_load_is_started_and_stopped() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    for name in ["Winter concert", "Harbour run", "Night of museums"] {
        place.event(name, 500).await;
    }
    let window = chromium.open(place.page(), DESK).await;
    window.click("button", "Start a gentle load").await;
    window.control(ALL, "button", "Stop the load").await;
    let requests = r"return Number(document.body.innerText.match(/Requests: (\d+)/)?.[1] ?? 0)";
    eventually(SEEN, "requests are counted", async || (window.run(requests).await.as_u64() > Some(20)).then_some(()))
        .await;
    pictures::lines(&window).await;
    pictures::draw(&window, "load").await;
    window.click("button", "Stop the load").await;
    window.control(ALL, "button", "Start a gentle load").await;
    window.end().await;
}

#[tokio::test]
async fn a_restart_is_drawn_without_negative_rates() {
    let Some(chromium) = Chromium::start().await else { return };
    let mut place = Place::to_be_killed();
    let event = place.event("Restarted", 1000).await;
    let mut window = chromium.open(place.page(), DESK).await;
    window.expect_answer("/", 0);
    for _ in 0..30 {
        place.book(&event, 1).await;
    }
    shows_rates(&window).await;
    place.server.kill();
    place.start_again();
    place.book(&event, 1).await;
    window.reads("#connection", "live").await;
    shows_rates(&window).await;
    let text = window.text("#watch").await;
    let negative = window.run("return document.getElementById('watch').innerText.match(/[-−]\\d/g)").await;
    assert!(negative.is_null(), "{negative} in {text}");
    window.end().await;
}

async fn shows_rates(window: &Window) {
    eventually(SEEN, "a figure is drawn", async || {
        (window.run("return document.querySelectorAll('#watch canvas').length").await.as_u64() > Some(0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_hidden_tab_closes_its_stream_and_opens_it_again() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("Behind others", 10).await;
    let mut window = chromium.open(place.page(), DESK).await;
    window.reads("#connection", "live").await;
    let stream = streams(&window.network().await);
    assert_eq!(stream.len(), 1, "{stream:?}");

    window.session.minimize().await;
    assert_eq!(window.run("return document.hidden").await, true);
    let mut since = Vec::new();
    eventually_mut(SEEN, "the stream is closed", async || {
        since.extend(window.network().await);
        let ended = |(kind, what): &(String, Value)| kind.starts_with("loadingF") && what["requestId"] == stream[0];
        since.iter().any(ended).then_some(())
    })
    .await;
    place.book(&event, 1).await;
    assert_eq!(streams(&since), [""; 0], "a hidden tab needs none");

    window.session.restore().await;
    window.reads("#book", "9 of 10 seats left").await;
    assert_eq!(streams(&window.network().await).len(), 1);
    window.end().await;
}

/// The ids of the requests that are streams.
fn streams(log: &[(String, Value)]) -> Vec<String> {
    let requests = log.iter().filter(|(kind, _)| kind == "requestWillBeSent").map(|(_, what)| what);
    let streams =
        requests.filter(|what| what["request"]["url"].as_str().is_some_and(|url| url.contains("/api/stream")));
    streams.map(|what| text(what, "requestId")).collect()
}

#[tokio::test]
async fn a_booking_leads_to_its_story() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    place.event("Well told", 10).await;
    pictures::with_others(&place, OTHERS).await;
    let window = chromium.open(place.page(), DESK).await;
    window.click("button", "Book seats for Well told").await;
    window.click("link", "What happened to it: the booking of Well told").await;
    window.reads("#trace", "POST").await;
    window.reads("#trace table", "applied").await;
    pictures::draw(&window, "trace").await;
    window.end().await;
}
