//! `make monitor` over a system that nobody uses. Its times are not shortened: what would fire later must be pending by then.

use std::{collections::BTreeSet, fs, process::Command, time::Duration};

use e2e::{
    Api, binary,
    dashboard::{list, workspace},
    eventually,
    prometheus::Prometheus,
    server::{Plan, Server},
};

use crate::{drill::write_quiet_row, process::Process, watch::tools};

/// Three scrapes, and each rule that alerts is computed at least once.
const WATCHED: Duration = Duration::from_secs(45);

/// It ends what it has started only if it is asked to end.
struct Monitor(Process);

impl Drop for Monitor {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[tokio::test]
async fn make_monitor() {
    let Some(tools) = tools() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &Plan::default()).unwrap_or_else(|end| panic!("it ended: {end}"));
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let mut command = Command::new(workspace().join("tutorial/monitor.sh"));
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", tools.display())).env("MYEVENTS", binary::myevents());
    command.env("EVENTS_OPS_ADDR", address(&server.addresses.events_ops));
    command.env("BOOKINGS_OPS_ADDR", address(&server.addresses.bookings_ops));
    let _monitor = Monitor(Process::start(folder.path(), "monitor", command));
    let says = async |part: &str| {
        eventually(Duration::from_secs(60), &format!("it says where the {part} is"), async || {
            let text = fs::read_to_string(folder.path().join("monitor.log")).unwrap();
            let line = text.lines().find(|line| line.starts_with(part))?;
            Some(line.split_whitespace().find(|word| word.starts_with("http://"))?.to_owned())
        })
        .await
    };
    let prometheus = Prometheus(Api::new(says("Prometheus").await.trim_end_matches("/alerts")));
    let inbox = Api::new(&says("Inbox").await);
    tokio::time::sleep(WATCHED).await; // it waits for nothing to happen

    let up = prometheus.query("up{job=~\"eventservice|bookingservice\"} == 1").await;
    assert_eq!(up.len(), 2, "{up:?}");
    let rules = prometheus.0.get("/api/v1/rules?type=alert").await.expect(200).json();
    let rules: Vec<_> = list(&rules["data"]["groups"]).flat_map(|group| list(&group["rules"])).collect();
    let of_state = |states: &[&str]| -> BTreeSet<&str> {
        let rules = rules.iter().filter(|rule| states.contains(&rule["state"].as_str().unwrap()));
        rules.map(|rule| rule["name"].as_str().unwrap()).collect()
    };
    assert!(rules.iter().all(|rule| rule["health"] == "ok"), "{rules:#?}");
    assert_eq!(of_state(&["pending", "firing"]), ["Watchdog"].into());
    assert!(of_state(&["inactive"]).len() > 40);
    let arrived = inbox.get("/api/messages").await.expect(200).json();
    assert_eq!(list(&arrived).count(), 0, "{arrived}");
    let watchdog = inbox.get("/api/watchdog").await.expect(200).json();
    assert!(watchdog["last_heard_seconds"].as_f64().is_some_and(|ago| ago <= 65.0), "{watchdog}");
    write_quiet_row("`make monitor` at rest", "the dead-man's switch is heard", WATCHED);
}
