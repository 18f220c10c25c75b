//! Each container killed under load and started again; afterwards everything agrees, and no answered booking is lost.

use std::time::Duration;

use e2e::{eventually, strangers};

use crate::stack::{RECORDER, Stack, docker};

/// Kills each of them once, each time with requests under way.
pub(crate) async fn each_under_load(stack: &Stack, services: &[&str]) {
    let record = format!("{}:/record", stack.folder("record"));
    let load = ["load", "--rate", "200", "--connections", "16", "--names", "Recorded", "--events", "5"];
    // It gives up if the system is killed while it makes its events, so they are made before.
    let prepare = [&["run", "--rm", "--no-TTY", "--no-deps", "load"], &load[..], &["--duration", "1"]].concat();
    let prepared = async || stack.try_compose(&prepare).0.then_some(());
    eventually(Duration::from_secs(90), "the load finds or makes its events", prepared).await;

    let run = ["run", "--detach", "--no-deps", "--name", RECORDER, "--volume", &record, "load"];
    let command = [&run[..], &load, &["--duration", "0", "--record", "/record/answers"]].concat();
    docker(&["rm", "--force", RECORDER]);
    stack.compose(&command);
    a_stranger_publishes(stack).await;
    for service in services {
        tokio::time::sleep(Duration::from_secs(4)).await; // so that there is load, before and after
        // Not `docker compose kill`: for `load` that would kill the recorder, too, which `run` made of the same service.
        docker(&["kill", stack.compose(&["ps", "--quiet", service]).trim()]);
        stack.up(&[]);
        stack.step(&format!("{service} was killed and is back"));
    }
    tokio::time::sleep(Duration::from_secs(4)).await;
    let state = docker(&["inspect", "--format", "{{json .State}}", RECORDER]);
    let runs = state.contains(r#""Running":true"#);
    assert!(runs, "the recorder ended early: {state}\n{}", docker(&["logs", "--tail", "25", RECORDER]));
    docker(&["stop", "--time", "30", RECORDER]);
    println!("{}", docker(&["logs", "--tail", "40", RECORDER]));
    docker(&["rm", RECORDER]);

    // No load runs while it is checked.
    stack.up(&["--scale", "load=0"]);
    let verify = ["verify", "--patience", "60", "--against", "/record/answers"];
    let run = ["run", "--rm", "--no-TTY", "--no-deps", "--volume", &record, "load"];
    println!("{}", stack.compose(&[&run[..], &verify].concat()));
    stack.step("verify is clean");
}

/// By a user of its own, at the address of the container, which only Linux reaches: the broker's port is not published.
async fn a_stranger_publishes(stack: &Stack) {
    let control = ["exec", "--no-TTY", "rabbitmq", "rabbitmqctl"];
    stack.compose(&[&control[..], &["add_user", "stranger", "secret"]].concat());
    stack.compose(&[&control[..], &["set_permissions", "--vhost", "/", "stranger", ".*", ".*", ".*"]].concat());
    let container = stack.compose(&["ps", "--quiet", "rabbitmq"]);
    let networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let addresses = docker(&["inspect", "--format", networks, container.trim()]);
    let url = format!("amqp://stranger:secret@{}:5672", addresses.split_whitespace().next().unwrap());
    let dead = ["run", "--rm", "--no-TTY", "--no-deps", "load", "dead"];
    strangers::are_listed_and_redriven(&url, |what| stack.compose(&[&dead[..], what].concat())).await;
    stack.step("whatever a stranger publishes is listed and redriven");
}
