//! Rules are right for every Prometheus that people have: the tools of two Debians, and of today, read them alike.

use std::{env, fs, path::PathBuf};

use e2e::{
    dashboard::workspace,
    not_run,
    rules::{must_be_green, promtools, version},
};

/// That of Debian 12, and that of Debian 13.
const DEBIAN: [&str; 2] = ["2.42.", "2.53."];

/// The one that Compose runs.
fn todays() -> String {
    let compose = fs::read_to_string(workspace().join("docker-compose.yml")).unwrap();
    let (_, rest) = compose.split_once("prom/prometheus:v").unwrap();
    rest.split('}').next().unwrap().to_owned()
}

fn of_version(start: &str) -> Option<PathBuf> {
    promtools().into_iter().find(|tool| version(tool).starts_with(start))
}

/// Today's promtool: with it some tests of a file can be run alone.
pub(crate) fn today() -> Option<PathBuf> {
    let found = of_version(&todays());
    missing(found.is_none(), "today's promtool (.ci/monitoring-tools promtool)");
    found
}

/// Where all must be there, it fails.
fn missing(is: bool, what: &str) {
    if is {
        assert_ne!(env::var("CI").as_deref(), Ok("true"), "with CI=true it must be there: {what}");
        not_run(what);
    }
}

#[test]
fn rules_and_their_tests_are_right_in_the_promtool_of_two_debians_and_of_today() {
    let [older, newer] = DEBIAN;
    for (start, how) in [
        (older, "run this on Debian 12, with `apt install prometheus`"),
        (newer, ".ci/newer-promtool"),
        (&todays(), ".ci/monitoring-tools promtool"),
    ] {
        let tool = of_version(start);
        missing(tool.is_none(), &format!("the tests of rules in promtool {start} ({how})"));
        let Some(tool) = tool else { continue };
        must_be_green(&tool);
        println!("promtool {}: rules and their tests are right", version(&tool));
    }
}
