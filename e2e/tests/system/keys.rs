//! `Idempotency-Key`: the same request can be sent again without booking twice.

use e2e::{Answer, System, samples};
use serde_json::{Value, json};

use crate::steps::{bookings_of, seats, stock};

async fn book_under(system: &System, event: &str, key: &str, body: &Value) -> Answer {
    system.bookings.post_once(&bookings_of(event), key, body).await
}

fn is_replay(answer: &Answer, of: &Answer) {
    assert_eq!((answer.status, answer.header("idempotent-replay")), (200, Some("true")), "{answer:?}");
    assert_eq!(answer.body, of.body, "a replay has the same body");
}

#[tokio::test]
async fn the_same_key_gives_the_same_booking_again() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let key = samples::unique("key").replace(' ', "-");
    let first = book_under(&system, &event, &key, &json!({"seats": 2})).await.expect(201);
    assert_eq!(first.id().as_bytes()[14], b'5', "under a key the id is a UUID of version 5");
    for _ in 0..3 {
        is_replay(&book_under(&system, &event, &key, &json!({"seats": 2})).await, &first);
    }
    // `guest` is who books where nobody is named, so this is the same request.
    is_replay(&book_under(&system, &event, &key, &json!({"user_id": "guest", "seats": 2})).await, &first);
    assert_eq!(stock(&system, &event).await["booked_seats"], 2);
}

#[tokio::test]
async fn the_same_key_with_other_seats_or_another_event_is_a_422() {
    let system = System::start();
    let (event, other) = (seats(&system, 10).await, seats(&system, 10).await);
    let key = samples::unique("key").replace(' ', "-");
    book_under(&system, &event, &key, &json!({"seats": 2})).await.expect(201);
    for (event, seats) in [(&event, 3), (&other, 2), (&samples::NOBODY.to_owned(), 2)] {
        let answer = book_under(&system, event, &key, &json!({"seats": seats})).await;
        assert_eq!(answer.any_problem()["status"], 422);
        assert_eq!(answer.fields(), ["Idempotency-Key"]);
    }
    assert_eq!(stock(&system, &event).await["booked_seats"], 2);
    assert_eq!(stock(&system, &other).await["booked_seats"], 0);
}

#[tokio::test]
async fn a_key_belongs_to_a_user() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let key = samples::unique("key").replace(' ', "-");
    let mut seen = Vec::new();
    for user in ["guest", "ann", "bob"] {
        let made = book_under(&system, &event, &key, &json!({"seats": 1, "user_id": user})).await.expect(201);
        assert!(!seen.contains(&made.id()));
        seen.push(made.id());
    }
    assert_eq!(stock(&system, &event).await["booked_seats"], 3);
}

#[tokio::test]
async fn after_a_cancellation_the_key_gives_the_cancelled_booking() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let key = samples::unique("key").replace(' ', "-");
    let made = book_under(&system, &event, &key, &json!({"seats": 2})).await.expect(201);
    let cancelled = system.bookings.delete(&format!("/bookings/{}", made.id())).await.expect(200);
    is_replay(&book_under(&system, &event, &key, &json!({"seats": 2})).await, &cancelled);
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(stock(&system, &event).await["booked_seats"], 0);
}

#[tokio::test]
async fn a_request_that_was_refused_does_not_use_the_key_up() {
    let system = System::start();
    let event = seats(&system, 2).await;
    let key = samples::unique("key").replace(' ', "-");
    book_under(&system, &event, &key, &json!({"seats": 0})).await.expect(422);
    book_under(&system, samples::NOBODY, &key, &json!({"seats": 1})).await.expect(404);
    book_under(&system, &event, &key, &json!({"seats": 3})).await.expect(409);
    book_under(&system, &event, &key, &json!({"seats": 2})).await.expect(201);
}

#[tokio::test]
async fn the_seats_of_a_replay_need_not_be_free_any_more() {
    let system = System::start();
    let event = seats(&system, 2).await;
    let key = samples::unique("key").replace(' ', "-");
    let first = book_under(&system, &event, &key, &json!({"seats": 2})).await.expect(201);
    is_replay(&book_under(&system, &event, &key, &json!({"seats": 2})).await, &first);
}

/// The IETF draft (draft-ietf-httpapi-idempotency-key-header) has the key as a quoted string, and many clients send it bare.
#[tokio::test]
async fn a_quoted_key_is_the_key_within_the_quotes() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let key = samples::unique("key").replace(' ', "-");
    for (bare, quoted) in [
        (key.clone(), format!("\"{key}\"")),
        (format!("{key}/a\"\\b"), format!(r#""{key}/a\"\\b""#)),
        (format!("{key:~<255}"), format!("\"{key:~<255}\"")),
    ] {
        let first = book_under(&system, &event, &quoted, &json!({"seats": 1})).await.expect(201);
        for again in [&bare, &quoted] {
            is_replay(&book_under(&system, &event, again, &json!({"seats": 1})).await, &first);
        }
    }
    assert_eq!(stock(&system, &event).await["booked_seats"], 3);
}

#[tokio::test]
async fn a_key_may_have_255_characters() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let key = format!("{:~<255}", samples::unique("!").replace(' ', "-"));
    book_under(&system, &event, &key, &json!({"seats": 1})).await.expect(201);
    book_under(&system, &event, &key, &json!({"seats": 1})).await.expect(200);
}
