//! The pictures of the page in `docs/pictures`, drawn by the tests when they run with `UPDATE=pictures`.

use std::{collections::HashMap, io::Cursor, time::Duration};

use e2e::{dashboard::workspace, eventually};
use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{place::Place, window::Window};

/// What README's readers load.
const LARGEST: usize = 120_000;

/// A rate is over ten seconds.
const RATES: Duration = Duration::from_secs(30);

/// With a sample each two seconds.
const LINES: Duration = Duration::from_secs(60);

/// How many colours a picture has. The others are shades at the edges of letters.
const COLOURS: usize = 256;

/// What else there is to book.
pub(crate) const OTHERS: [&str; 4] = ["Lantern walk", "Night of museums", "Choir and organ", "Film by the sea"];

/// Whether pictures are asked for.
pub(crate) fn asked() -> bool {
    std::env::var("UPDATE").is_ok_and(|what| what == "pictures")
}

/// If pictures are asked for, other people come, book and cancel, until the test ends.
pub(crate) async fn with_others(place: &Place, names: [&str; 4]) {
    if !asked() {
        return;
    }
    let mut ids = Vec::new();
    for (name, seats) in names.into_iter().zip([200, 240, 64, 150]) {
        let id = place.event(name, seats).await;
        place.book(&id, seats * 2 / 5).await;
        ids.push(id);
    }
    let bookings = place.server.bookings();
    tokio::spawn(async move {
        loop {
            let path = format!("/events/{}/bookings", ids[fastrand::usize(..ids.len())]);
            let request = bookings.request(Method::POST, &path).json(&json!({"seats": fastrand::u64(1..4)}));
            let Ok(response) = request.send().await else { return }; // the test has killed the system
            let booking: Value = response.json().await.unwrap_or_default();
            if let (Some(id), 1..) = (booking["id"].as_str(), fastrand::u8(..3)) {
                let _ = bookings.request(Method::DELETE, &format!("/bookings/{id}")).send().await;
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(50..500))).await;
        }
    });
}

/// If pictures are asked for, waits until the charts have lines.
pub(crate) async fn lines(window: &Window) {
    if asked() {
        let known =
            "return [...document.querySelectorAll('.way text')].every(text => !/unknown|未知/.test(text.textContent))";
        eventually(RATES, "rates are known", async || (window.run(known).await == true).then_some(())).await;
        tokio::time::sleep(LINES).await;
    }
}

/// If pictures are asked for, writes `docs/pictures/page-NAME.png` of what the window shows.
pub(crate) async fn draw(window: &Window, name: &str) {
    if !asked() {
        return;
    }
    let end = "document.getAnimations().filter(one => one instanceof CSSTransition).forEach(one => one.finish())";
    window.run(end).await;
    window.run("document.activeElement.blur()").await;
    let picture = with_fewer_colours(&window.session.picture().await);
    assert!(picture.len() <= LARGEST, "{name}: {} bytes", picture.len());
    std::fs::write(workspace().join(format!("docs/pictures/page-{name}.png")), picture).unwrap();
}

/// The most frequent colours as they are, and the nearest of them for the others: half as many bytes.
fn with_fewer_colours(picture: &[u8]) -> Vec<u8> {
    let mut reader = Decoder::new(Cursor::new(picture)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let samples = info.color_type.samples(); // red, green and blue, and how opaque it is
    let colours = || pixels.chunks(samples).map(|pixel| [pixel[0], pixel[1], pixel[2]]);
    let mut counts = HashMap::<_, u32>::new();
    colours().for_each(|colour| *counts.entry(colour).or_default() += 1);
    let mut palette: Vec<_> = counts.keys().copied().collect();
    palette.sort_by_key(|colour| (std::cmp::Reverse(counts[colour]), *colour));
    palette.truncate(COLOURS);
    let far = |a: [u8; 3], b: [u8; 3]| (0..3).map(|i| a[i].abs_diff(b[i]) as u32).map(|d| d * d).sum::<u32>();
    let nearest = |colour| (0..palette.len()).min_by_key(|&index| far(palette[index], colour)).unwrap() as u8;
    let indexes: HashMap<_, _> = counts.keys().map(|&colour| (colour, nearest(colour))).collect();
    let indexed: Vec<u8> = colours().map(|colour| indexes[&colour]).collect();

    let mut written = Vec::new();
    let mut encoder = Encoder::new(&mut written, info.width, info.height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::NoFilter);
    encoder.write_header().unwrap().write_image_data(&indexed).unwrap();
    written
}
