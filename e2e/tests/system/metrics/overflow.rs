//! The guard against too many series: 1,000 events have series of their own, all others are counted together.

use e2e::{Exposition, System, samples};

use crate::{
    metrics::forms,
    steps::{book, known_to_bookings},
};

const EVENTS: usize = 1500;
const LIMIT: usize = 1000;
const AT_ONCE: usize = 32;

/// Creates so many events and books a seat of each.
async fn booked_events(system: &std::sync::Arc<System>, count: usize) {
    let mut workers = Vec::new();
    for worker in 0..AT_ONCE {
        let system = system.clone();
        workers.push(tokio::spawn(async move {
            for _ in (worker..count).step_by(AT_ONCE) {
                let body = samples::event(&samples::unique("Many"), 10);
                let event = system.events.post("/events", &body).await.expect(201).id();
                known_to_bookings(&system, &event).await;
                book(&system, &event, 2).await.expect(201);
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
}

fn pairs(metrics: &Exposition) -> usize {
    metrics.samples("myevents_bookings_count", &[]).count()
}

#[tokio::test]
async fn after_1500_events_the_overflow_counter_rises_and_the_number_of_series_does_not() {
    let Some(system) = System::start_own("1,500 events") else { return };
    let system = std::sync::Arc::new(system);
    booked_events(&system, LIMIT + 100).await;
    let full = system.bookings_ops.metrics().await;
    assert_eq!(pairs(&full), LIMIT + 1, "1,000 events and _other");
    booked_events(&system, EVENTS - LIMIT - 100).await;
    let now = system.bookings_ops.metrics().await;
    assert_eq!(now.series(), full.series(), "not one series more");
    let overflow = [("metric", "myevents_bookings_count")];
    assert!((now.sum("myevents_label_overflow_total", &overflow) - 500.0).abs() < 0.1);
    assert!((full.sum("myevents_label_overflow_total", &overflow) - 100.0).abs() < 0.1);
    let other = [("eventID", "_other"), ("eventName", "_other")];
    assert!((now.sum("myevents_bookings_count", &other) - 1000.0).abs() < 0.1);
    assert!((now.sum("myevents_bookings_count", &[]) - 3000.0).abs() < 0.1, "no seat is left uncounted");
    if let Some(said) = forms::agree(&system.bookings_ops).await {
        assert_eq!(said.of("myevents_bookings_count").count(), LIMIT + 1, "in each of the three forms");
    }
}
