//! Event names become label values: any name must come out as it went in, or cut.

use e2e::{System, samples};

use crate::steps::{book, on_sale};

#[tokio::test]
async fn quotes_backslashes_and_chinese_text_come_out_as_they_went_in() {
    let system = System::start();
    for name in [r#"say "hi""#, r"C:\new\table", "春节音乐会", r#"\""#, "{a=\"b\"} 1", "🎷 # HELP", "a,b=c"] {
        let name = samples::unique(name);
        let event = on_sale(&system, &samples::event(&name, 10)).await;
        book(&system, &event, 2).await.expect(201);
        let metrics = system.bookings_ops.metrics().await;
        let labels = [("eventID", event.as_str()), ("eventName", name.as_str())];
        assert!((metrics.sum("myevents_bookings_count", &labels) - 2.0).abs() < 0.1, "{name}");
    }
}

#[tokio::test]
async fn a_long_name_is_cut_at_128_characters() {
    let system = System::start();
    let name = "票".repeat(200);
    let event = on_sale(&system, &samples::event(&name, 10)).await;
    let metrics = system.bookings_ops.metrics().await;
    let sample = metrics.samples("myevents_bookings_count", &[("eventID", &event)]).next().unwrap().clone();
    assert_eq!(sample.labels["eventName"], "票".repeat(128));
}
