//! A new, empty system: how soon it is ready, what it takes, how large the program is.

use std::{fs, time::Duration};

use testing::binary;

use crate::{
    median, now,
    system::System,
    table::{Goal, Table},
};

const STARTS: usize = 5;
const IDLE: Duration = Duration::from_secs(2);

pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    now("starts");
    let mut ready = Vec::new();
    for _ in 0..STARTS {
        ready.push(System::start().await?.ready_ms);
    }
    table.add("start to ready, empty", median(&ready), "ms", Some(Goal::Below(30.0)));
    let system = System::start().await?;
    tokio::time::sleep(IDLE).await;
    table.add("resident memory, idle", system.memory_mb()?, "MB", Some(Goal::Below(20.0)));
    table.add("the stripped binary", fs::metadata(binary::myevents())?.len() as f64 / 1e6, "MB", None);
    Ok(())
}
