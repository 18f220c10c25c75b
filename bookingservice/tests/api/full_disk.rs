//! A real SQLITE_FULL: the file may not grow any further. `e2e` does the same with a small file system.

use serde_json::json;

use crate::helpers::TestApp;

#[tokio::test]
async fn a_full_disk_is_a_503_that_names_the_booking_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start(folder.path()).await;
    let event = app.event(1_000_000).await;
    let mut acknowledged = vec![app.book(event, 1).await.1["id"].clone()];

    app.database.as_ref().unwrap().limit_pages(1).await.unwrap(); // SQLite raises it to what there is already
    let refused = loop {
        let (status, body) = app.book(event, 1).await;
        if status != 201 {
            break (status, body);
        }
        acknowledged.push(body["id"].clone());
    };
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert_eq!(refused.1["type"], json!("urn:myevents:problem:unavailable"));
    let unknown = refused.1["booking_id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/bookings/{unknown}")).await.0, 404);
    assert_eq!(app.get(&format!("/events/{event}")).await.1["booked_seats"], json!(acknowledged.len()));

    app.database.as_ref().unwrap().limit_pages(1_000_000).await.unwrap();
    let (status, body) = app.book(event, 1).await;
    assert_eq!(status, 201, "{body}");
    acknowledged.push(body["id"].clone());

    app.stop().await;
    let app = TestApp::start(folder.path()).await;
    for id in &acknowledged {
        assert_eq!(app.get(&format!("/bookings/{}", id.as_str().unwrap())).await.0, 200);
    }
    assert_eq!(app.get(&format!("/events/{event}")).await.1["booked_seats"], json!(acknowledged.len()));
    app.stop().await;
}
