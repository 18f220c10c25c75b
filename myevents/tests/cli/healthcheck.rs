//! `myevents healthcheck`, as a container's health check calls it: with the variables that the process itself was given.

use std::process::Command;

use crate::helpers::{MyEvents, new_folder};

fn healthcheck(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_myevents"));
    let output = check.arg("healthcheck").env_clear().envs(variables.iter().copied()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn a_running_system_is_healthy_and_a_stopped_one_says_where_nobody_answers() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let ports = run.ports();
    // The image sets all of these, and this job must not stumble over those it does not read.
    let variables = [
        ("EVENTS_OPS_ADDR", ports[2].as_str()),
        ("BOOKINGS_OPS_ADDR", ports[3].as_str()),
        ("EVENTS_ADDR", "0.0.0.0:8181"),
        ("DATA_DIR", "/data"),
    ];
    assert_eq!(healthcheck(&variables), (Some(0), String::new()));

    run.stop().await;
    let (code, said) = healthcheck(&variables);
    assert_eq!(code, Some(1));
    assert!(said.contains(&ports[2]) && said.contains("/readyz"), "{said}");
}
