//! The threads of a service, in every combination of store and broker, counted all the time under load.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use process::threads::{self, AMQP, MONGO, SERVICE, SQLITE, THREADS_MAX, ThreadGroup};
use testing::{binary, mongo_server, rabbitmq, services::Services};

#[tokio::test]
async fn on_a_file_and_a_broker_a_service_has_the_threads_in_the_table_and_no_more() {
    let Some(broker) = rabbitmq::exclusive().await else { return };
    let services = Services::start(program, &by_name(&broker.virtual_host("threads-sqlite")), None).await;
    under_load(&services, &SQLITE).await;
}

#[tokio::test]
async fn on_mongodb_and_a_broker_a_service_has_the_threads_in_the_table_and_no_more() {
    let (Some(broker), Some(mongo)) = (rabbitmq::exclusive().await, mongo_server::shared()) else { return };
    let run = std::process::id();
    let url = |service: &str| by_name(&mongo.url(&format!("threads-{run}-{service}")));
    let services = Services::start(program, &by_name(&broker.virtual_host("threads-mongo")), Some(&url)).await;
    under_load(&services, &MONGO).await;
}

/// Looking up a name takes a thread of some libraries, and one for each lookup at once.
fn by_name(url: &str) -> String {
    url.replace("127.0.0.1", "localhost")
}

/// Everything but the lookups is there all the time, and those were there: so the highest number is the table's.
async fn under_load(services: &Services, store: &[ThreadGroup]) {
    let table = threads::count(&[&SERVICE, store, &AMQP]);
    let mut load = Command::new(env!("CARGO_BIN_EXE_myevents"));
    load.env_clear().args(["load", "--connections", "64", "--duration", "4"]);
    load.args(["--events-url", &services.events.rest, "--bookings-url", &services.bookings.rest]);
    let mut load = load.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let mut most: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let status = loop {
        for process in [&services.events, &services.bookings] {
            let (threads, most) = (names(process.pid()), most.entry(process.pid()).or_default());
            if threads.len() > most.len() {
                *most = threads;
            }
        }
        if let Some(status) = load.try_wait().unwrap() {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert!(status.success(), "the load is answered");
    for threads in most.values() {
        assert_eq!(threads.len(), table, "the table says {table}, and there were {threads:?}");
    }
    assert!(table <= THREADS_MAX);
}

/// The names of a process's threads.
fn names(pid: u32) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok(); // it may have ended
    tasks.flatten().filter_map(name).map(|name| name.trim().to_owned()).collect()
}

fn program(service: &str) -> Command {
    Command::new(binary::service(service))
}
