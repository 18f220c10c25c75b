//! What must hold in every fault of the broker and of the way to it: bookings and events are accepted, `/readyz` stays 200 and
//! its body says what is wrong, and within ten seconds of its end each message has arrived, with no restart by hand.

use std::time::{Duration, Instant};

use e2e::{eventually, samples};
use serde_json::{Value, json};

use crate::{
    replica::Replica,
    world::{World, connected},
};

/// After the end of a fault.
const HEALED: Duration = Duration::from_secs(10);

/// Until a fault is noticed.
pub(crate) const NOTICED: Duration = Duration::from_secs(20);

/// Events on sale before the fault. Each is booked once, so it has one message, and no later one stands in for that.
const EVENTS: usize = 12;

/// The messages of one fault.
#[derive(Default)]
pub(crate) struct Trial {
    fresh: Vec<String>,
    booked: Vec<String>,
    created: Vec<String>,
}

impl Trial {
    /// Before the fault: makes the events.
    pub(crate) async fn begin(world: &World) -> Self {
        let mut trial = Self::default();
        for _ in 0..EVENTS {
            trial.fresh.push(world.event(&samples::unique("fault"), 1).await);
        }
        trial
    }

    /// In the fault: a third of the bookings, and an event, are accepted like at any other time, and nobody is taken away.
    pub(crate) async fn goes_on(&mut self, world: &World) {
        let World { events, bookings, .. } = world;
        for event in self.fresh.drain(..EVENTS / 3) {
            let path = format!("/events/{event}/bookings");
            bookings[0].rest.post(&path, &json!({"seats": 1})).await.expect(201);
            self.booked.push(event);
        }
        let event = samples::event(&samples::unique("created in a fault"), 1);
        self.created.push(events[0].rest.post("/events", &event).await.expect(201).id());
        for replica in world.replicas() {
            replica.ops.get("/readyz").await.expect(200);
        }
    }

    /// What was accepted last has not arrived, neither here nor there: the fault is one.
    pub(crate) async fn nothing_arrives(&self, world: &World) {
        let World { events, bookings, .. } = world;
        let (booked, created) = (self.booked.last().unwrap(), self.created.last().unwrap());
        let shown = events[0].rest.get(&format!("/events/{booked}")).await.expect(200).json();
        assert_eq!(shown["booked_seats"], 0, "it has arrived: {shown}");
        assert_eq!(bookings[0].rest.get(&format!("/events/{created}")).await.status, 404, "it has arrived");
    }

    /// After the end of the fault: all of it arrives in time.
    pub(crate) async fn ends(self, world: &World) {
        let (began, World { events, bookings, .. }) = (Instant::now(), world);
        let left = || HEALED.saturating_sub(began.elapsed());
        for event in &self.booked {
            let what = format!("the booking of event {event} arrives");
            eventually(left(), &what, async || {
                let shown = events[0].rest.get(&format!("/events/{event}")).await.expect(200).json();
                (shown["booked_seats"] == 1).then_some(())
            })
            .await;
        }
        for event in &self.created {
            let what = format!("event {event} arrives");
            eventually(left(), &what, async || {
                (bookings[0].rest.get(&format!("/events/{event}")).await.status == 200).then_some(())
            })
            .await;
        }
        println!("all has arrived {:?} after the end", began.elapsed());
        for replica in world.replicas() {
            eventually(left(), "it says that all is well", async || connected(replica).await.then_some(())).await;
        }
    }
}

/// Waits until it says what is wrong, and is ready all the same. Gives what it says.
pub(crate) async fn says(replica: &Replica, part: &str) -> Value {
    let what = format!("{} says {part:?}", replica.plan.service);
    let report = eventually(NOTICED, &what, async || {
        let report = replica.ops.get("/readyz").await.expect(200).json();
        report["checks"]["broker"]["detail"].as_str().unwrap().contains(part).then_some(report)
    })
    .await;
    assert_eq!((&report["ready"], &report["checks"]["broker"]["required"]), (&json!(true), &json!(false)));
    report["checks"]["broker"]["ok"].clone()
}

/// Lost connections, by one of the reasons that `myevents_amqp_reconnects_total` knows.
pub(crate) async fn lost(replica: &Replica, reason: &str) -> f64 {
    replica.ops.metrics().await.sum("myevents_amqp_reconnects_total", &[("reason", reason)])
}
