//! `kill -9`: what was answered with 201 is there afterwards, in both services.

use e2e::System;
use serde_json::json;

use crate::steps::{book, bookings_of, seats, stock, view_shows};

#[tokio::test]
async fn a_booking_survives_a_kill_and_reaches_the_event_service_also_if_it_had_no_time_to() {
    let Some(system) = System::start_own("kill -9 and start again") else { return };
    let event = seats(&system, 10).await;
    let made = book(&system, &event, 2).await.expect(201);
    let system = system.kill_and_start_again();
    let path = format!("/bookings/{}", made.id());
    assert_eq!(system.bookings.get(&path).await.expect(200).body, made.body);
    assert_eq!(stock(&system, &event).await["seats_left"], 8);
    assert_eq!(view_shows(&system, &event, 2).await["seats_left"], 8);
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_lost_when_the_process_is_killed_under_load() {
    let Some(system) = System::start_own("kill -9 under load") else { return };
    let event = seats(&system, 100_000).await;
    let clients: Vec<_> = (0..16)
        .map(|n| {
            let (api, path) = (system.bookings.clone(), bookings_of(&event));
            tokio::spawn(async move {
                let mut made = Vec::new();
                for request in 0.. {
                    let key = format!("client-{n}-{request}");
                    let sent = api.request("POST".parse().unwrap(), &path).header("Idempotency-Key", key);
                    // Ends when the process is gone.
                    let Ok(answer) = sent.json(&json!({"seats": 1})).send().await else { break };
                    assert_eq!(answer.status(), 201);
                    let Ok(body) = answer.bytes().await else { break };
                    made.push(body);
                }
                made
            })
        })
        .collect();
    view_shows_at_least(&system, &event, 200).await;
    let system = system.kill_and_start_again();
    let mut acknowledged = 0;
    for client in clients {
        for body in client.await.unwrap() {
            let booking: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let path = format!("/bookings/{}", booking["id"].as_str().unwrap());
            assert_eq!(system.bookings.get(&path).await.expect(200).json(), booking);
            acknowledged += 1;
        }
    }
    // What was stored and whose answer was lost is at most one a client.
    let booked = stock(&system, &event).await["booked_seats"].as_u64().unwrap();
    assert!((acknowledged..=acknowledged + 16).contains(&booked), "{acknowledged} acknowledged, {booked} stored");
    view_shows(&system, &event, booked).await;
}

async fn view_shows_at_least(system: &System, event: &str, booked: u64) {
    let path = format!("/events/{event}");
    e2e::eventually(e2e::SOON, "the load is on its way", || async {
        let view = system.events.get(&path).await.expect(200).json();
        (view["booked_seats"].as_u64() >= Some(booked)).then_some(())
    })
    .await;
}
