//! Users see errors, or wait.

use std::time::Duration;

use e2e::{eventually, samples};
use serde_json::json;
use testing::{
    mongo_server,
    proxy::{Condition, Proxy},
};

use crate::{
    drill::{Drill, Panel},
    replica::Replica,
    replicated::Replicated,
    system::address,
    traffic::Traffic,
    watch::{Watch, muted},
};

const ERRORS: &str = "MyEventsErrorBudgetBurn";
const SLOW: &str = "MyEventsLatencyBudgetBurn";

/// Requests a second: enough that a share means something, and little for a debug build.
const RATE: u32 = 40;

/// So few that they do not wait for each other's connections to the database as well: that would be another fault.
const SLOW_RATE: u32 = 10;

/// One way; a read waits for both. A relay renews its lease by asking twice within a second: farther away it gives the lease up, which is
/// another fault.
const FAR: Duration = Duration::from_millis(150);

async fn is_relay(replica: &Replica) -> bool {
    replica.ops.metrics().await.sum("myevents_outbox_relay_active", &[]) == 1.0
}

/// The page of the job arrives, although all that is said of the dead instance is muted.
#[tokio::test]
async fn one_of_twenty_requests_fails_while_one_of_two_replicas_is_dead() {
    let fault = ("FAIL_POINT", "book.before_answer:panic".to_owned());
    let Some(mut system) = Replicated::start(2, &[fault]).await else { return };
    let Some(watch) = Watch::start().await else { return };
    let targets = system.found_by(&watch);
    let event = system.event().await;
    // The one that relays is not killed: until another one does, that would be a fault of its own.
    let dead = usize::from(is_relay(&system.bookings[0]).await);
    let living = 1 - dead;
    let reads = Traffic::start(&system.events, &system.bookings[living..=living], RATE, 0);
    reads.is_seen(&watch).await;
    // Each booking panics. The dead one fires before it is down, and is muted then.
    let may = &["MyEventsTargetDown", "MyEventsPanics"];
    let mut drill = Drill::begin("5 % errors, and one of two replicas is dead", watch, targets, may).await;
    let gone = address(&system.bookings[dead]);
    let panel = Panel { dashboard: "slo", title: "Error share", moved: |share| share > 0.0144 };
    let mut bookings = None;
    drill
        .moves(panel, async |watch| {
            let path = format!("/events/{event}/bookings");
            assert_eq!(system.bookings[dead].rest.post(&path, &json!({"seats": 1})).await.status, 500);
            let panics = format!("myevents_http_panics_total{{instance=\"{gone}\"}} > 0");
            eventually(Duration::from_secs(10), "its panic is known", async || {
                (!watch.ask.query(&panics).await.is_empty()).then_some(())
            })
            .await;
            system.bookings[dead].kill();
            drop(reads);
            bookings = Some(Traffic::start(&system.events, &system.bookings[living..=living], RATE, 5));
        })
        .await;
    // Beside the other, since its panic is forgotten soon.
    let alertmanager = drill.watch.alertmanager_api.clone();
    let muted = tokio::spawn(async move {
        eventually(Duration::from_secs(20), "what is said of the dead one is muted", async || {
            let muted = muted(&alertmanager, &gone).await;
            (!muted.is_empty()).then_some(muted)
        })
        .await
    });
    drill.fires(ERRORS).await;
    assert_eq!(muted.await.unwrap(), ["MyEventsPanics"]);
    let down = drill.watch.alerts().await.into_iter().any(|alert| alert.name == "MyEventsTargetDown" && alert.firing);
    assert!(down, "it arrived beside the alert that mutes others");

    for replica in &mut system.bookings {
        if replica.runs() {
            replica.stop();
        }
        replica.plan.env.retain(|(name, _)| *name != "FAIL_POINT");
        replica.start_again();
    }
    drill.is_over(ERRORS).await;
    drop(bookings);
    drill.end().await;
}

/// All answers come, and late: the database is far away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_answers_slowly() {
    let Some(mongo) = mongo_server::own() else { return };
    let way = Proxy::to(mongo.url("x").split([':', '/']).nth(4).unwrap().parse().unwrap()).await;
    let far = format!("mongodb://{}/{}?directConnection=true", way.address, samples::unique("slow").replace(' ', "-"));
    let Some(mut system) = Replicated::start(1, &[("MONGO_URL", far)]).await else { return };
    let Some(watch) = Watch::start().await else { return };
    let targets = system.found_by(&watch);
    let reads = Traffic::start(&system.events, &system.bookings, SLOW_RATE, 0);
    reads.is_seen(&watch).await;
    let mut drill = Drill::begin("the database answers slowly", watch, targets, &[]).await;
    let panel = Panel { dashboard: "slo", title: "Slow share", moved: |share| share > 0.144 };
    drill.moves(panel, async |_| way.set(Condition::Slow(FAR))).await;
    drill.fires(SLOW).await;
    way.set(Condition::Good);
    drill.is_over(SLOW).await;
    drop(reads);
    drill.end().await;
}
