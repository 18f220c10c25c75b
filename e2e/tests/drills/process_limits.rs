//! A process uses more than it should: threads, and space on its disk.

use std::fs;

use e2e::small_disk::SmallDisk;

use crate::{
    drill::{Drill, Panel},
    together::{TARGETS, Together},
    watch::Watch,
};

#[tokio::test]
async fn more_than_8_threads() {
    let Some(watch) = Watch::start().await else { return };
    let mut system = Together::start(&watch);
    let mut drill = Drill::begin("more than 8 threads for a service", watch, TARGETS, &[]).await;
    // Two services in one process: 16 are as they should be.
    let panel = Panel { dashboard: "runtime", title: "Threads", moved: |threads| threads > 16.0 };
    drill.moves(panel, async |_| system.start_again(&[("REST_WORKERS", "8")])).await;
    drill.fires("MyEventsHighThreadCount").await;
    system.start_again(&[]);
    drill.is_over("MyEventsHighThreadCount").await;
    drill.end().await;
}

#[tokio::test]
async fn the_data_folder_fills_up() {
    let Some(disk) = SmallDisk::mount("600m") else { return };
    let Some(watch) = Watch::start().await else { return };
    let _system = Together::start_at(&watch, disk.path());
    let mut drill = Drill::begin("the data folder fills up", watch, TARGETS, &[]).await;
    let ballast = disk.path().join("ballast");
    let panel =
        Panel { dashboard: "runtime", title: "Space left for data", moved: |left| left < 512.0 * 1024.0 * 1024.0 };
    drill.moves(panel, async |_| fs::write(&ballast, vec![0; 150 * 1024 * 1024]).unwrap()).await;
    drill.fires("MyEventsDataDirNearlyFull").await;
    // What dashboards ask about SQLite returns nothing in Compose, where it is MongoDB (e2e/tests/compose/missing.rs).
    for selector in ["myevents_store_commit_duration_seconds_bucket", "myevents_data_free_bytes"] {
        assert!(!drill.watch.ask.query(selector).await.is_empty(), "{selector}");
    }
    fs::remove_file(&ballast).unwrap();
    drill.is_over("MyEventsDataDirNearlyFull").await;
    drill.end().await;
}
