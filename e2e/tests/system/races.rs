//! Many at once: never too many seats sold, never a booking twice, never seats back twice.

use std::future::Future;

use e2e::{Answer, System, samples};
use serde_json::json;

use crate::steps::{all_pages, book, bookings_of, seats, stock, view_shows};

const CLIENTS: usize = 64;

/// Runs all at once, and gives their answers.
async fn at_once<F>(requests: impl Iterator<Item = F>) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let running: Vec<_> = requests.map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for one in running {
        answers.push(one.await.unwrap());
    }
    answers
}

fn with(answers: &[Answer], status: u16) -> Vec<&Answer> {
    answers.iter().filter(|answer| answer.status == status).collect()
}

#[tokio::test]
async fn of_64_clients_after_the_last_10_seats_exactly_10_get_one() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let path = bookings_of(&event);
    let answers = at_once((0..CLIENTS).map(|n| {
        let (api, path) = (system.bookings.clone(), path.clone());
        async move { api.post(&path, &json!({"seats": 1, "user_id": format!("client {n}")})).await }
    }));
    let answers = answers.await;
    assert_eq!((with(&answers, 201).len(), with(&answers, 409).len()), (10, CLIENTS - 10));
    with(&answers, 409).iter().for_each(|answer| drop(answer.problem(409, "sold-out")));
    let stock = stock(&system, &event).await;
    assert_eq!((&stock["seats_left"], &stock["booked_seats"], &stock["version"]), (&0.into(), &10.into(), &10.into()));
    assert_eq!(all_pages(&system.bookings, &path).await.len(), 10);
    assert_eq!(view_shows(&system, &event, 10).await["seats_left"], 0);
}

#[tokio::test]
async fn the_same_key_64_times_at_once_is_one_booking_and_63_replays_of_it() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let (path, key) = (bookings_of(&event), samples::unique("key").replace(' ', "-"));
    let answers = at_once((0..CLIENTS).map(|_| {
        let (api, path, key) = (system.bookings.clone(), path.clone(), key.clone());
        async move { api.post_once(&path, &key, &json!({"seats": 2})).await }
    }));
    let answers = answers.await;
    let (made, replays) = (with(&answers, 201), with(&answers, 200));
    assert_eq!((made.len(), replays.len()), (1, CLIENTS - 1));
    for replay in replays {
        assert_eq!((replay.header("idempotent-replay"), &replay.body), (Some("true"), &made[0].body));
    }
    assert_eq!(stock(&system, &event).await["booked_seats"], 2);
    assert_eq!(all_pages(&system.bookings, &path).await.len(), 1);
}

#[tokio::test]
async fn cancellations_at_once_bring_the_seats_back_once_and_the_view_follows() {
    let system = System::start();
    let event = seats(&system, 10).await;
    book(&system, &event, 3).await.expect(201);
    let id = book(&system, &event, 4).await.expect(201).id();
    view_shows(&system, &event, 7).await;
    let answers = at_once((0..8).map(|_| {
        let (api, path) = (system.bookings.clone(), format!("/bookings/{id}"));
        async move { api.delete(&path).await }
    }));
    let answers = answers.await;
    assert_eq!(with(&answers, 200).len(), 8);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body), "all answers show the same cancellation");
    let stock = stock(&system, &event).await;
    assert_eq!((&stock["seats_left"], &stock["booked_seats"], &stock["version"]), (&7.into(), &3.into(), &3.into()));
    assert_eq!(view_shows(&system, &event, 3).await["seats_left"], 7);
}

#[tokio::test]
async fn bookings_and_cancellations_at_once_leave_no_seat_behind() {
    let system = System::start();
    let event = seats(&system, 20).await;
    let path = bookings_of(&event);
    let answers = at_once((0..CLIENTS).map(|n| {
        let (api, path) = (system.bookings.clone(), path.clone());
        async move {
            let made = api.post(&path, &json!({"seats": n % 3 + 1})).await;
            if made.status == 201 { api.delete(&format!("/bookings/{}", made.id())).await } else { made }
        }
    }));
    let answers = answers.await;
    assert_eq!(with(&answers, 200).len() + with(&answers, 409).len(), CLIENTS);
    assert!(with(&answers, 200).len() >= 6, "the first 6 bookings need 18 of 20 seats at most");
    let stock = stock(&system, &event).await;
    assert_eq!((&stock["seats_left"], &stock["booked_seats"]), (&20.into(), &0.into()));
    assert_eq!(view_shows(&system, &event, 0).await["seats_left"], 20);
}
