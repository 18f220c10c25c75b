//! Two replicas of each service on one database and broker: no double, no loss, no oversell, one relay at a time.

use std::time::Duration;

use e2e::eventually;

use crate::{
    tools::{Load, verify},
    world::World,
};

#[tokio::test]
async fn a_load_on_two_replicas_of_each_leaves_everything_in_order() {
    let Some(world) = World::start(2).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut load = Load::start(&world, folder.path(), &["--connections", "16"]);
    eventually(Duration::from_secs(60), "it books", async || (load.recorded("booked") > 1000).then_some(())).await;
    load.stop();

    let told = verify(&world, &["--against", load.record()]);

    assert!(told.contains("0 bookings without an answer"), "nothing was killed: {told}");
    for replica in &world.bookings {
        let booked = replica.ops.metrics().await.sum("myevents_bookings_accepted_total", &[]);
        assert!(booked > 100.0, "each has its share, and {booked} at {}", replica.urls.0);
    }
}
