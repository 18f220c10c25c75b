//! The configuration, and its table of routes, of which amtool is asked row by row.

use std::{fs, path::PathBuf, process::Command};

use e2e::dashboard::workspace;

use super::programs::amtools;

pub(crate) fn configuration() -> PathBuf {
    workspace().join("prometheus/alertmanager/alertmanager.yml")
}

pub(crate) fn text() -> String {
    fs::read_to_string(configuration()).unwrap()
}

/// A row of the table in the comment at the top.
struct Row {
    labels: Vec<String>,
    receiver: String,
    after: String,
    again: String,
}

fn table() -> Vec<Row> {
    let text = text();
    let (_, below) = text.split_once("#   labels of the alert").unwrap();
    let lines = below.lines().skip(1).map_while(|line| line.strip_prefix("#   "));
    let rows: Vec<_> = lines
        .map(|line| {
            let cells: Vec<_> = line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
            let [labels, receiver, _who, after, again] = cells[..] else { panic!("five cells: {line}") };
            let labels = labels.split(' ').map(str::to_owned).collect();
            Row { labels, receiver: receiver.to_owned(), after: after.to_owned(), again: again.to_owned() }
        })
        .collect();
    assert!(rows.len() >= 6, "only {} rows", rows.len());
    rows
}

#[test]
fn the_configuration_is_valid() {
    for amtool in amtools() {
        let output = Command::new(&amtool).arg("check-config").arg(configuration()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", amtool.display());
    }
}

#[test]
fn each_row_of_the_table_of_routes_is_what_alertmanager_does() {
    for amtool in amtools() {
        for row in table() {
            let mut routes = Command::new(&amtool);
            routes.args(["config", "routes", "test", "--config.file"]).arg(configuration());
            let output = routes.arg(format!("--verify.receivers={}", row.receiver)).args(&row.labels).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}, {:?}: {said}", amtool.display(), row.labels);
        }
    }
}

/// amtool does not show the waits of a route, so they are looked up in the file.
#[test]
fn the_waits_of_the_table_are_those_of_the_routes() {
    let text = text();
    let (_, tree) = text.split_once("\nroute:\n").unwrap();
    let (tree, _) = tree.split_once("\ninhibit_rules:").unwrap();
    let (root, routes) = tree.split_once("\n  routes:\n").unwrap();
    let wait = |part: &str, name: &str| {
        let line = part.lines().find_map(|line| line.trim().strip_prefix(&format!("{name}: ")).map(str::to_owned));
        line.map(|line| line.split(' ').next().unwrap().to_owned())
    };
    for row in table().iter().filter(|row| row.after != "-") {
        let matches = |route: &&str| {
            let matcher = route.split(['\'', '\n']).nth(1).unwrap().replace([' ', '"'], "");
            row.labels.contains(&matcher)
        };
        let route = routes.split("- matchers: [").skip(1).find(matches).unwrap_or_default();
        let of = |name| wait(route, name).or_else(|| wait(root, name)).unwrap();
        assert_eq!(of("group_wait"), row.after.replace(' ', ""), "{:?}", row.labels);
        // The dead-man's switch is looked at three times a minute: the comment there says why.
        let again = if row.receiver == "watchdog" { "50s".to_owned() } else { row.again.replace(' ', "") };
        assert_eq!(of("repeat_interval"), again, "{:?}", row.labels);
    }
}

/// Alertmanager expands no variables, so the README makes a file for a real mail server with sed.
#[test]
fn what_the_readme_makes_for_production_is_valid() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let (_, command) = readme.split_once("\nsed -e '/mailpit:1025/d'").unwrap();
    let (command, _) = command.split_once(" >$S/alertmanager.yml").unwrap();
    let mut sed = Command::new("sh");
    sed.current_dir(workspace()).args(["-c", &format!("sed -e '/mailpit:1025/d'{command}")]);
    let made = String::from_utf8(sed.output().unwrap().stdout).unwrap();
    for line in [
        "  smtp_smarthost: YOUR-SERVER:587",
        "  smtp_require_tls: true",
        "  smtp_auth_password_file: /run/secrets/smtp-password",
        "      - to: oncall@YOUR-DOMAIN",
        "      - { url: \"https://YOUR-SWITCH\", send_resolved: false }",
    ] {
        assert_eq!(made.lines().filter(|made| *made == line).count(), 1, "{line}: {made}");
    }
    let of_this_machine = made.lines().filter(|line| !line.trim_start().starts_with('#'));
    let left: Vec<_> = of_this_machine.filter(|line| line.contains("mailpit") || line.contains("inbox")).collect();
    assert!(left.is_empty(), "{left:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alertmanager.yml");
    fs::write(&file, made).unwrap();
    for amtool in amtools() {
        let output = Command::new(&amtool).arg("check-config").arg(&file).output().unwrap();
        assert!(output.status.success(), "{}: {}", amtool.display(), String::from_utf8_lossy(&output.stderr));
    }
}

/// amtool still accepts the old form.
#[test]
fn matchers_are_written_in_todays_form_only() {
    for line in text().lines().filter(|line| !line.trim_start().starts_with('#')) {
        for old in ["match:", "match_re:", "source_match:", "source_match_re:", "target_match:", "target_match_re:"] {
            assert!(!line.trim_start_matches([' ', '-']).starts_with(old), "{line}");
        }
    }
}

#[test]
fn no_secret_stands_in_it() {
    for line in text().lines().map(|line| line.trim_start_matches([' ', '-', '#'])) {
        let secret = ["smtp_auth_password:", "auth_password:", "password:", "credentials:", "bearer_token:"];
        assert!(!secret.iter().any(|key| line.starts_with(key)), "{line}");
        assert!(!line.starts_with("access_token"), "{line}");
    }
}
