//! The running containers themselves: what they may do, how large they are, and what they take.

use std::{fs, path::Path};

use e2e::not_run;

use crate::stack::{Stack, docker};

/// Built from this repository.
const OURS: [&str; 6] = ["eventservice", "bookingservice", "page", "load", "bridge", "inbox"];

/// Asked of the kernel, not of the configuration: the user of each process, and how its root is mounted.
pub(crate) fn have_no_rights(stack: &Stack) {
    for service in OURS {
        let container = stack.compose(&["ps", "--quiet", service]);
        let pid = docker(&["inspect", "--format", "{{.State.Pid}}", container.trim()]);
        let process = Path::new("/proc").join(pid.trim());
        let Ok(status) = fs::read_to_string(process.join("status")) else {
            return not_run("rights of containers (the Docker engine must run on this machine itself)");
        };
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(field("Uid:"), vec!["65532"; 4], "{service}");
        assert_eq!(field("CapEff:"), ["0000000000000000"], "{service}");
        assert_eq!(field("NoNewPrivs:"), ["1"], "{service}");
        let mounts = fs::read_to_string(process.join("mounts")).unwrap();
        let root = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find(|parts| parts[1] == "/");
        let options = root.unwrap()[3].to_owned();
        assert!(options.split(',').any(|option| option == "ro"), "{service}: its root is {options}");
    }
    stack.step("no container of ours has rights or can write to its root");
}

/// What an image stays below in a release build, in MB. `page`, `load`, `bridge` and `inbox` have the image of `myevents`.
const IMAGES: [(&str, f64); 3] = [("eventservice", 20.0), ("bookingservice", 20.0), ("load", 25.0)];

/// A quick build has its symbols and is larger. The checks (`.ci/run`) have a release build.
pub(crate) fn sizes(stack: &Stack) {
    let set_to = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let release = set_to("PROFILE", "release");
    assert!(release || !set_to("CI", "true"), "with CI=true the images must be those of a release: PROFILE=release");
    for (service, limit) in IMAGES {
        let image = stack.compose(&["images", "--quiet", service]);
        let image = image.lines().next().unwrap().to_owned();
        let bytes: f64 = docker(&["image", "inspect", "--format", "{{.Size}}", &image]).trim().parse().unwrap();
        let size = bytes / 1e6;
        println!("      image of {service}: {size:.1} MB");
        assert!(!release || size < limit, "the image of {service} has {size:.1} MB, which must be below {limit} MB");
    }
}

/// What each container takes just now, beside its limit.
pub(crate) fn memory(stack: &Stack, when: &str) {
    let containers = stack.containers();
    let names: Vec<_> = containers.iter().map(String::as_str).collect();
    let format = "{{.Name}} {{.MemUsage}}";
    let stats = docker(&[&["stats", "--no-stream", "--format", format][..], &names].concat());
    let mut all = 0.0;
    for line in stats.lines() {
        let (name, used) = line.split_once(' ').unwrap();
        all += megabytes(used.split(" / ").next().unwrap());
        println!("      memory {when}: {name} {used}");
    }
    println!("      memory {when}: all together {all:.0} MB");
    assert!(all < 1200.0, "the whole stack takes {all:.0} MB");
}

/// `12.5MiB` in MB.
fn megabytes(text: &str) -> f64 {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap();
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "B" => 1e-6,
        "KiB" => 1024.0 / 1e6,
        "MiB" => 1_048_576.0 / 1e6,
        "GiB" => 1_073_741_824.0 / 1e6,
        other => panic!("an unknown unit: {other}"),
    };
    number.parse::<f64>().unwrap() * unit
}
