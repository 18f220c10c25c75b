//! For everybody: without a mouse, on a telephone, in the dark, in Chinese.

use e2e::eventually;
use serde_json::json;

use crate::{
    chromium::{Chromium, DESK, Setup},
    pictures::{self, OTHERS},
    place::Place,
    window::{SEEN, Window},
};

const ALL: (&str, &str) = ("body", "");
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const UP: &str = "\u{e013}";

#[tokio::test]
async fn one_can_book_and_cancel_by_keyboard_alone() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event = place.event("No mouse", 10).await;
    let window = chromium.open(place.page(), DESK).await;
    window.reads("#book", "10 of 10 seats left").await;

    tab_to(&window, "Seats for No mouse").await;
    window.session.keys(&[UP, UP]).await;
    tab_to(&window, "Book seats for No mouse").await;
    window.session.keys(&[ENTER]).await;
    window.reads("#book", "Booked: 3 seats for No mouse.").await;
    window.reads("#book", "7 of 10 seats left").await;
    assert_eq!(place.sold(&event).await, 3);

    tab_to(&window, "Cancel 3 seats of No mouse").await;
    window.session.keys(&[ENTER]).await;
    tab_to(&window, "Yes, cancel").await;
    window.session.keys(&[ENTER]).await;
    window.reads("#book", "10 of 10 seats left").await;
    assert_eq!(place.sold(&event).await, 0);
    window.end().await;
}

/// Presses Tab until a control of this name has the focus, and something shows where the focus is.
async fn tab_to(window: &Window, name: &str) {
    let mut seen = Vec::new();
    for _ in 0..80 {
        if seen.last().is_some_and(|focused: &String| focused == name) {
            let marked = window.run("const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'");
            assert_eq!(marked.await, true, "nobody sees that {name:?} has the focus");
            return;
        }
        window.session.keys(&[TAB]).await;
        let focused = window.run("const e = document.activeElement; return e.computedName");
        seen.push(focused.await.as_str().unwrap_or_default().trim().to_owned());
    }
    panic!("Tab does not lead to {name:?}, but to {seen:?}");
}

#[tokio::test]
async fn nothing_scrolls_sideways_on_a_telephone_and_all_can_be_reached() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    let event =
        place.event("A name that is rather long, as names of events tend to be once a committee has met", 10).await;
    place.event(&"Verylongwordwithoutanyspace".repeat(3), 10).await;
    pictures::with_others(&place, OTHERS).await;
    let window = chromium.open(place.page(), Setup { size: (390, 844), ..DESK }).await;
    window.click("button", "Book seats for A name that…").await;
    window.reads("#book", "9 of 10 seats left").await;
    assert_eq!(place.sold(&event).await, 1);
    fits(&window).await;
    window.click("link", "Watch").await;
    let watch_is_seen =
        "return Math.abs(document.getElementById('watch').getBoundingClientRect().top) < innerHeight / 2";
    eventually(SEEN, "the link jumps to Watch", async || (window.run(watch_is_seen).await == true).then_some(())).await;
    window.click("link", "Book").await;
    fits(&window).await;
    pictures::draw(&window, "390").await;
    window.end().await;
}

/// The page is as wide as the window, and no control stands beside it.
async fn fits(window: &Window) {
    let width = window.run("return document.documentElement.scrollWidth").await;
    let beside = "return [...document.querySelectorAll('button, a, input, select')].filter(e => {
        const r = e.getBoundingClientRect(); const skip = e.closest('.skip, .scrolls, .visually-hidden');
        return !skip && e.checkVisibility() && (r.left < 0 || r.right > 391); }).map(e => e.outerHTML)";
    assert_eq!(window.run(beside).await, json!([]));
    let wide = "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 391).map(e => e.outerHTML.slice(0, 120))";
    assert!(width.as_u64().unwrap() <= 390, "{width}: {}", window.run(wide).await);
}

#[tokio::test]
async fn the_page_is_chinese_where_the_browser_is() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    place.event("冬季音乐会", 120).await;
    pictures::with_others(&place, ["海港跑", "博物馆之夜", "合唱与管风琴", "海边电影"]).await;
    let window = chromium.open(place.page(), Setup { language: "zh-CN,zh", ..DESK }).await;
    window.reads("#book", "冬季音乐会").await;
    assert_eq!(window.run("return document.documentElement.lang").await, "zh-CN");
    no_english(&window).await;
    pictures::lines(&window).await;
    pictures::draw(&window, "chinese").await;
    window.end().await;
}

#[tokio::test]
async fn the_switch_changes_the_language_and_stays() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    place.event("2100", 10).await;
    let window = chromium.open(place.page(), DESK).await;
    window.reads("#book", "10 of 10 seats left").await;
    window.control(ALL, "field", "Language").await.choose("zh").await;
    let is = async |language: &str| window.run("return document.documentElement.lang").await == language;
    eventually(SEEN, "it is Chinese", async || is("zh-CN").await.then_some(())).await;
    window.session.reload().await;
    window.reads("#book", "2100").await;
    no_english(&window).await;
    window.control(ALL, "field", "语言").await.choose("en").await;
    eventually(SEEN, "it is English", async || is("en").await.then_some(())).await;
    window.end().await;
}

/// What a user reads or hears, without what is English on purpose: what `lang="en"` says of itself, and names.
async fn no_english(window: &Window) {
    let script = "
        const names = /MyEvents|Grafana|Prometheus|English|JavaScript|broker|store|Play|p50|p95|p99|[0-9a-f-]{36}|https?:\\S*/g;
        const own = [...document.querySelectorAll('body *')].filter(e =>
            e.checkVisibility() && !e.closest('[lang=en], noscript, code, option'));
        const said = own.flatMap(e => [e.ariaLabel, e.title, e.placeholder,
            ...[...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data)]);
        return said.filter(text => /[A-Za-z]{3,}/.test((text ?? '').replace(names, '')));";
    assert_eq!(window.run(script).await, json!([]), "English is left");
}

#[tokio::test]
async fn it_is_dark_where_the_user_likes_it_dark() {
    let Some(chromium) = Chromium::start().await else { return };
    let place = Place::start();
    place.event("Sunday market", 10).await;
    pictures::with_others(&place, OTHERS).await;
    let window = chromium.open(place.page(), Setup { dark: true, ..DESK }).await;
    window.reads("#book", "Sunday market").await;
    let [back, text] = ["background-color", "color"].map(|what| {
        format!("return getComputedStyle(document.body).getPropertyValue('{what}').match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0)")
    });
    let (back, text) = (window.run(&back).await.as_f64().unwrap(), window.run(&text).await.as_f64().unwrap());
    assert!(back < 200.0 && text > 500.0, "{back} {text}");
    pictures::lines(&window).await;
    pictures::draw(&window, "dark").await;
    window.end().await;
}
