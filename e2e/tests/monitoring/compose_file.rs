//! What must be so in `docker-compose.yml`, whoever changes it: asked of Compose itself, which reads it without an engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use e2e::{
    dashboard::{list, workspace},
    not_run,
};
use serde_json::{Value, json};

/// Built from this repository.
const OURS: [&str; 6] = ["eventservice", "bookingservice", "page", "load", "bridge", "inbox"];

/// The file with all its defaults, or `None` and a word where there is no Compose.
fn services() -> Option<BTreeMap<String, Value>> {
    services_of(&["docker-compose.yml"])
}

/// The same of several files, one on top of the other.
fn services_of(files: &[&str]) -> Option<BTreeMap<String, Value>> {
    let mut compose = Command::new("docker");
    compose.current_dir(workspace()).args(["compose", "--env-file", "/dev/null"]);
    compose.args(files.iter().flat_map(|file| ["--file", file]));
    let output = compose.args(["--profile", "*", "config", "--format", "json"]).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        not_run("docker-compose.yml (needs Docker Compose 2.24 or newer: docs.docker.com/compose/install)");
        return None;
    };
    let mut all: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some(serde_json::from_value(all["services"].take()).unwrap())
}

#[test]
fn every_port_is_published_on_this_machine_only() {
    let Some(services) = services() else { return };
    let mut published = BTreeSet::new();
    for (name, service) in &services {
        for port in list(&service["ports"]) {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name}: {port}");
            published.insert(port["published"].as_str().unwrap().to_owned());
        }
    }
    let right =
        ["15672", "3000", "8025", "8026", "8181", "8282-8289", "8383", "9090", "9091", "9093", "9100", "9101-9108"];
    assert_eq!(published, right.map(str::to_owned).into());
}

#[test]
fn each_service_is_in_the_networks_where_it_belongs() {
    let Some(services) = services() else { return };
    for (name, right) in [
        ("eventservice", &["myevents"][..]),
        ("bookingservice", &["myevents"]),
        ("page", &["myevents"]),
        ("load", &["myevents"]),
        ("mongo", &["myevents"]),
        ("rabbitmq", &["myevents"]),
        ("mongodb-exporter", &["myevents"]),
        ("prometheus", &["monitoring", "myevents"]),
        ("grafana", &["monitoring"]),
        ("alertmanager", &["monitoring"]),
        ("mailpit", &["monitoring"]),
        ("bridge", &["monitoring"]),
        ("inbox", &["monitoring"]),
        ("pushgateway", &["monitoring", "myevents"]),
        ("node-exporter", &["monitoring"]),
        ("fix-permissions", &[]),
    ] {
        let networks = services[name]["networks"].as_object();
        let networks: Vec<_> = networks.into_iter().flatten().map(|(network, _)| network.as_str()).collect();
        assert_eq!(networks, right, "{name}");
    }
    for (name, alias) in [("eventservice", "events"), ("bookingservice", "bookings")] {
        assert_eq!(services[name]["networks"]["myevents"]["aliases"][0], alias);
    }
}

#[test]
fn our_containers_have_no_rights_and_cannot_write_to_their_root() {
    let Some(services) = services() else { return };
    for name in OURS {
        let service = &services[name];
        assert_eq!(service["user"], "65532:65532", "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"][0], "ALL", "{name}");
    }
}

#[test]
fn every_service_is_bounded_pinned_and_comes_back() {
    let Some(services) = services() else { return };
    for (name, service) in &services {
        let image = service["image"].as_str().unwrap();
        let tag = image.rsplit_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest"), "{name}: {image}");
        assert!(service["mem_limit"].is_string() && service["cpus"].is_number(), "{name}: no limits");
        assert!(service["logging"]["options"]["max-size"].is_string(), "{name}: its log could fill the disk");
        let restart = if name == "fix-permissions" { "no" } else { "unless-stopped" };
        assert_eq!(service["restart"], restart, "{name}");
        assert_eq!(service["security_opt"][0], "no-new-privileges:true", "{name}");
    }
    for name in ["mongo", "rabbitmq", "prometheus", "grafana", "alertmanager", "mailpit", "page", "bridge", "inbox"] {
        assert!(services[name]["healthcheck"]["test"].is_array(), "{name}: no health check");
    }
}

/// What a machine without AVX does is tried with the text of `/proc/cpuinfo` of another one.
#[test]
fn a_processor_that_cannot_run_mongodb_is_named_in_the_log_of_what_runs_first() {
    let Some(services) = services() else { return };
    let script = services["fix-permissions"]["command"][0].as_str().unwrap().replace("$$", "$");
    let folder = tempfile::tempdir().unwrap();
    let (clone, cpuinfo) = (folder.path().join("clone"), folder.path().join("cpuinfo"));
    fs::create_dir(&clone).unwrap();
    let script = script.replace("/clone", clone.to_str().unwrap()).replace("/proc/cpuinfo", cpuinfo.to_str().unwrap());
    for (processor, can) in [
        ("flags\t\t: fpu sse4_2 avx avx2 rdrand\n", true),
        ("flags\t\t: fpu sse4_2 avx\n", true),
        ("Features\t: fp asimd evtstrm aes fphp asimdhp asimddp\n", true),
        ("flags\t\t: fpu sse4_2 avx512f rdrand\n", false),
        ("Features\t: fp asimd evtstrm crc32 cpuid\n", false),
    ] {
        fs::write(&cpuinfo, processor).unwrap();
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{processor}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.contains("docker-compose.sqlite.yml"), !can, "{processor}: {said}");
    }
}

#[test]
fn mongodb_starts_on_any_kernel_wherever_it_is_started() {
    let Some(services) = services() else { return };
    assert_eq!(services["mongo"]["environment"]["GLIBC_TUNABLES"], "glibc.pthread.rseq=1");
    for file in [
        "README.md",
        "tutorial/by-hand.sh",
        "prometheus/runbooks/MongoDBMemberUnhealthy.md",
        "testing/src/mongo_server.rs",
    ] {
        let text = fs::read_to_string(workspace().join(file)).unwrap();
        assert!(text.contains("GLIBC_TUNABLES=glibc.pthread.rseq=1"), "{file}");
    }
}

/// BusyBox's wget, which most images have, knows `-Y off` only; curl knows `--noproxy` only.
#[test]
fn no_health_check_asks_a_proxy() {
    let Some(services) = services() else { return };
    let mut seen = 0;
    for (name, service) in &services {
        let words: Vec<_> = list(&service["healthcheck"]["test"]).filter_map(Value::as_str).collect();
        let command = words.join(" ");
        for (program, without) in [("wget ", "wget -Y off "), ("curl ", "curl --noproxy '*' ")] {
            seen += command.matches(program).count();
            assert_eq!(command.matches(program).count(), command.matches(without).count(), "{name}: {command}");
        }
    }
    assert!(seen >= 4, "only {seen} were found");
    assert_eq!(services["grafana"]["environment"]["NO_PROXY"], "*", "it asks Prometheus");
}

/// Erlang takes memory for each file that it might open, and some hosts allow a billion.
#[test]
fn rabbitmq_may_open_few_files_wherever_it_is_started() {
    let Some(services) = services() else { return };
    assert_eq!(services["rabbitmq"]["ulimits"]["nofile"], 16384);
    for file in ["README.md", "tutorial/by-hand.sh", "testing/src/rabbitmq/mod.rs"] {
        assert!(fs::read_to_string(workspace().join(file)).unwrap().contains("nofile=16384"), "{file}");
    }
}

#[test]
fn another_engine_is_asked_for_nothing_that_it_refuses() {
    let Some(services) = services_of(&["docker-compose.yml", "docker-compose.other-engine.yml"]) else { return };
    for (name, service) in &services {
        assert!(service["cpus"].is_null(), "{name} has a limit of processors");
        assert!(service["healthcheck"]["start_interval"].is_null(), "{name} has a start_interval");
        for port in list(&service["ports"]) {
            assert!(!port["published"].as_str().unwrap().contains('-'), "{name} has a range: {port}");
        }
    }
}

/// SELinux lets a container read only what has its label. Whatever runs first gives it, to all that others mount.
#[test]
fn what_is_mounted_from_the_clone_is_labelled_for_selinux() {
    let Some(services) = services() else { return };
    let bind =
        |service: &str| list(&services[service]["volumes"]).filter(|one| one["type"] == "bind").collect::<Vec<_>>();
    let labelled: Vec<_> = bind("fix-permissions").into_iter().filter(|one| one["bind"]["selinux"] == "z").collect();
    for name in services.keys().filter(|name| *name != "node-exporter") {
        for mounted in bind(name) {
            let source = mounted["source"].as_str().unwrap();
            assert!(labelled.iter().any(|one| source.starts_with(one["source"].as_str().unwrap())), "{name}: {source}");
        }
    }
}

/// The containers that deliver alerts cannot write to their root, either.
#[test]
fn who_delivers_alerts_has_no_rights_and_cannot_write_to_its_root() {
    let Some(services) = services() else { return };
    for name in ["alertmanager", "mailpit", "pushgateway"] {
        let service = &services[name];
        assert_eq!((&service["read_only"], &service["cap_drop"][0]), (&json!(true), &json!("ALL")), "{name}");
    }
}

/// Alertmanager expands no variables, and mailpit is what stands between it and a real mail server.
#[test]
fn without_a_word_of_the_user_no_mail_and_no_message_leaves_this_machine() {
    let Some(services) = services() else { return };
    let relay = &services["mailpit"]["environment"];
    assert_eq!((&relay["MP_SMTP_RELAY_ALL"], &relay["MP_SMTP_RELAY_HOST"]), (&json!("false"), &json!("")));
    let robot = fs::read_to_string(workspace().join("secrets/dev/dingtalk-webhook-url")).unwrap();
    assert!(robot.starts_with("http://inbox:8026/"), "{robot}");
    assert_eq!(services["bridge"]["environment"]["DINGTALK_SECRET"], Value::Null, "the robot of the inbox wants none");
}

#[test]
fn an_image_has_the_same_pin_wherever_it_is_named() {
    let Some(services) = services() else { return };
    let others = services.iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
    let pins: BTreeSet<_> = others.map(|(_, service)| service["image"].as_str().unwrap()).collect();
    let mut seen = 0;
    for file in [
        "README.md",
        ".env.example",
        "tutorial/by-hand.sh",
        "prometheus/runbooks/MongoDBMemberUnhealthy.md",
        "testing/src/rabbitmq/mod.rs",
        "testing/src/mongo_server.rs",
    ] {
        let text = fs::read_to_string(workspace().join(file)).unwrap();
        for pin in &pins {
            let image = format!("{}:", pin.rsplit_once(':').unwrap().0);
            for (at, _) in text.match_indices(&image) {
                let follows = text[at + image.len()..].starts_with(|c: char| c.is_ascii_digit() || c == 'v');
                let is_an_address = text[..at].ends_with(['/', '@']);
                if follows && !is_an_address {
                    assert!(text[at..].starts_with(pin), "{file} has another {image} than docker-compose.yml: {pin}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 10, "only {seen} images were found");
}

#[test]
fn only_the_load_waits_until_others_are_healthy() {
    let Some(services) = services() else { return };
    for (name, service) in &services {
        for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
            let right = match (name.as_str(), other.as_str()) {
                (_, "fix-permissions") => "service_completed_successfully",
                ("load", _) => "service_healthy",
                _ => "service_started",
            };
            assert_eq!(how["condition"], right, "{name} waits for {other}");
        }
    }
}

/// `FOO` of every `${FOO:-…}`.
fn variables(text: &str) -> BTreeSet<&str> {
    let names = text.split("${").skip(1);
    names.filter_map(|rest| rest.split(|c: char| !c.is_ascii_uppercase() && c != '_').next()).collect()
}

#[test]
fn the_example_names_every_knob_with_its_default() {
    let read = |name| fs::read_to_string(workspace().join(name)).unwrap();
    let (compose, example) = (read("docker-compose.yml"), read(".env.example"));
    let shown: BTreeMap<_, _> = example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('=')).collect();
    let shown: BTreeMap<_, _> = shown.into_iter().filter(|(name, _)| !name.contains(' ')).collect();
    assert_eq!(shown.keys().copied().collect::<BTreeSet<_>>(), variables(&compose));
    for (name, default) in shown {
        assert!(compose.contains(&format!("${{{name}:-{default}}}")), "{name} is not {default} by default");
    }
}

#[test]
fn the_files_that_go_on_top_of_it_are_valid() {
    if services().is_none() {
        return;
    }
    for more in ["docker-compose.sqlite.yml", "docker-compose.other-engine.yml", ".ci/compose.offline.yml"] {
        let mut compose = Command::new("docker");
        compose.current_dir(workspace()).args(["compose", "-f", "docker-compose.yml", "-f", more, "config", "-q"]);
        let output = compose.output().unwrap();
        assert!(output.status.success(), "{more}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{more}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
