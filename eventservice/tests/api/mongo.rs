//! The service on a MongoDB server that goes away and comes back: what its clients are answered and when, and that no message is lost
//! meanwhile.
//!
//! A proxy before the server behaves as if that were away, since a stand-in in memory keeps nothing when it is stopped.

use std::time::{Duration, Instant};

use contracts::{Contract, EventBooked, Instant as PointInTime};
use messaging::{Bus, Entry};
use mongo::address::MongoUrl;
use process::checks::{Checks, option};
use tempfile::TempDir;
use testing::{
    eventually_mut as eventually,
    mongo_server::{self, MongoServer},
    proxy::{Condition, Proxy},
};
use uuid::Uuid;

use crate::helpers::{Answer, TestApp};

/// What a client is promised.
const ANSWERED: Duration = Duration::from_secs(3);

/// What a busy machine may add to it, with the client on it, too.
const BUSY: Duration = Duration::from_millis(250);

/// After the server's return.
const BACK: Duration = Duration::from_secs(5);

/// A message is tried again every 5 s at the latest.
const HANDLED: Duration = Duration::from_secs(10);

/// Creates an event, and sees that a refusal comes in time and is clear: with the id where it may have happened.
async fn create(app: &TestApp, location: Option<Uuid>) -> Answer {
    let began = Instant::now();
    let answer = app.create(location).await;
    let took = began.elapsed();
    if answer.status != 201 {
        assert!(took < ANSWERED + BUSY, "answered only after {took:?}: {answer:?}");
        assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("1")), "{answer:?}");
        let nothing = answer.body["detail"].as_str().unwrap().ends_with("nothing was changed");
        assert!(nothing || location.is_some() || unknown(&answer).is_some(), "{answer:?}");
    }
    answer
}

/// The event that may be there.
fn unknown(answer: &Answer) -> Option<String> {
    answer.body["event_id"].as_str().map(str::to_owned)
}

/// The service, and what lies between it and a MongoDB server of its own.
struct World {
    app: TestApp,
    proxy: Proxy,
    server: MongoServer,
    folder: TempDir,
}

impl World {
    async fn start() -> Option<Self> {
        let server = mongo_server::own()?;
        let address = server.url("x").trim_start_matches("mongodb://").trim_end_matches("/x").to_owned();
        let proxy = Proxy::to(address.rsplit_once(':').unwrap().1.parse().unwrap()).await;
        let url = Some(format!("mongodb://{}/events?directConnection=true", proxy.address));
        let url = MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &url), option("", &None)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let app = TestApp::start(folder.path(), url).await;
        eventually(BACK, "it is ready", async || app.is_ready().await).await;
        Some(Self { app, proxy, server, folder })
    }
}

/// As if somebody had booked two seats.
fn booked(event: &str) -> Entry {
    let message = EventBooked {
        booking_id: Uuid::now_v7(),
        event_id: event.parse().unwrap(),
        user_id: "guest".into(),
        seats: 2,
        booked_at: PointInTime::now(),
        seats_left: Some(98),
        booked_seats: 2,
        version: 1,
    };
    Entry::new(EventBooked::NAME, true, message.to_json(), None)
}

#[actix_web::test]
async fn away_it_is_a_clear_refusal_in_time_and_back_all_works_by_itself_and_no_message_was_given_up() {
    let Some(World { app, proxy, server: _server, folder: _folder }) = World::start().await else { return };

    // It closes its connections; or it answers nothing any more, and its clients cannot see why.
    for condition in [Condition::Drop(0), Condition::BlackHole] {
        let event = create(&app, None).await.body["id"].as_str().unwrap().to_owned();
        // Under load, so that some are in the middle of it.
        let client = async || loop {
            let answer = create(&app, None).await;
            if answer.status != 201 {
                return unknown(&answer);
            }
        };
        let goes = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            proxy.set(condition);
        };
        let (a, b, c, d, ()) = tokio::join!(client(), client(), client(), client(), goes);
        let unknown = [a, b, c, d].into_iter().flatten().collect::<Vec<_>>();
        assert!(condition == Condition::Drop(0) || !unknown.is_empty(), "what was on its way has an unknown outcome");

        let (bus, entry) = (app.bus.clone(), booked(&event));
        let handled = tokio::spawn(async move { bus.publish(&[entry]).await });
        for _ in 0..4 {
            let (one, two, _) =
                tokio::join!(create(&app, None), create(&app, Some(Uuid::now_v7())), app.get("/events"));
            assert_eq!((one.status, two.status), (503, 503), "{condition:?}");
        }
        assert!(!app.is_ready().await, "{condition:?}");
        assert!(!handled.is_finished(), "{condition:?}: a message was given up: {:?}", handled.await);

        proxy.set(Condition::Good);
        eventually(BACK, "events are created, and it is ready", async || {
            create(&app, None).await.status == 201 && app.is_ready().await
        })
        .await;
        assert_eq!(tokio::time::timeout(HANDLED, handled).await.unwrap().unwrap(), [Ok(())], "{condition:?}");
        let seen = app.get(&format!("/events/{event}")).await.body;
        assert_eq!((&seen["booked_seats"], &seen["seats_left"]), (&2.into(), &98.into()), "{condition:?}");
        for id in unknown {
            let status = app.get(&format!("/events/{id}")).await.status;
            assert!([200, 404].contains(&status), "{condition:?}: asked by the id it was answered: {status}");
        }
    }
    app.stop().await;
}

#[actix_web::test]
async fn a_slow_server_does_not_make_an_answer_later_than_promised() {
    let Some(World { app, proxy, server: _server, folder: _folder }) = World::start().await else { return };
    let location = app.create_location().await;
    // An event at a location is two calls: each is answered in time, and both together are not.
    proxy.set(Condition::Slow(Duration::from_millis(750)));
    assert_eq!(create(&app, Some(location)).await.status, 503);
    proxy.set(Condition::Good);
    eventually(BACK, "it works again", async || create(&app, Some(location)).await.status == 201).await;
    app.stop().await;
}
