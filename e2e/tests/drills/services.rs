//! A service is killed, both are, or one is not found any more.

use crate::{
    drill::{Drill, Panel},
    system::{System, TARGETS},
    watch::Watch,
};

#[tokio::test]
async fn a_service_is_killed() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let mut drill =
        Drill::begin("a service is killed", watch, TARGETS, &["MyEventsTargetDown", "MyEventsRelayNotOne"]).await;
    let panel = Panel { dashboard: "overview", title: "Parts running", moved: |up| up < 3.0 };
    drill.moves(panel, async |_| system.bookings.kill()).await;
    drill.fires("MyEventsJobDown").await;
    system.bookings.start_again();
    drill.is_over("MyEventsJobDown").await;
    drill.end().await;
}
