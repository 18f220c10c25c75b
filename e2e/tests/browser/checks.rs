//! What must hold in each window whatever the test does: no error in the console, no request to anybody else, no control without a name.

use serde_json::{Value, json};

use crate::webdriver::Session;

/// What a user can operate, as the accessibility tree calls it.
const CONTROLS: [&str; 16] = [
    "button",
    "link",
    "textbox",
    "searchbox",
    "spinbutton",
    "combobox",
    "checkbox",
    "radio",
    "slider",
    "switch",
    "tab",
    "menuitem",
    "option",
    "listbox",
    "DisclosureTriangle",
    "progressbar",
];

/// What a screen reader would call "button" and no more helps nobody.
pub(crate) async fn every_control_has_a_name(session: &Session) {
    let tree = session.devtools("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().expect("nodes of the tree");
    let is_shown = |node: &&Value| node["ignored"] != true;
    let is_control = |node: &&Value| node["role"]["value"].as_str().is_some_and(|role| CONTROLS.contains(&role));
    let is_nameless = |node: &&Value| node["name"]["value"].as_str().is_none_or(|name| name.trim().is_empty());
    let nameless: Vec<_> = nodes.iter().filter(is_shown).filter(is_control).filter(is_nameless).collect();
    assert!(nameless.is_empty(), "controls without a name: {nameless:#?}");
}

/// Warnings count, too. `expected` are the failed requests that the test has caused.
pub(crate) async fn no_error_in_the_console(session: &Session, expected: &[(&str, u16)]) {
    let is_expected = |entry: &Value| {
        let text = entry["message"].as_str().unwrap_or_default();
        let of_path = |path: &str| text.split_once("://").is_some_and(|(_, url)| url.contains(path));
        entry["source"] == "network"
            && expected.iter().any(|(path, status)| match status {
                0 => of_path(path) && text.contains("net::ERR_"), // nobody answered
                _ => of_path(path) && text.contains(&format!("status of {status} ")),
            })
    };
    let is_wrong = |entry: &Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
    let log = session.log("browser").await;
    let wrong: Vec<_> = log.iter().filter(|entry| is_wrong(entry) && !is_expected(entry)).collect();
    assert!(wrong.is_empty(), "the console has: {wrong:#?}");
}

/// What the page asks for comes from where it came from itself.
pub(crate) fn no_request_outside_of(url: &str, log: &[Value]) {
    let origin: String = url.split('/').take(3).collect::<Vec<_>>().join("/") + "/";
    let requests = network(log).filter(|(kind, _)| kind == "requestWillBeSent");
    let urls: Vec<_> = requests.map(|(_, request)| request["request"]["url"].as_str().unwrap().to_owned()).collect();
    assert!(urls.iter().any(|url| url.starts_with(&origin)), "the log has no request at all: {urls:?}");
    let others: Vec<_> = urls.iter().filter(|url| !url.starts_with(&origin) && !url.starts_with("data:")).collect();
    assert!(others.is_empty(), "requests to others: {others:?}");
}

/// The requests and answers in the browser's performance log.
pub(crate) fn network(log: &[Value]) -> impl Iterator<Item = (String, Value)> + '_ {
    log.iter().filter_map(|entry| {
        let text: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
        let message = &text["message"];
        let kind = message["method"].as_str()?.strip_prefix("Network.")?;
        Some((kind.to_owned(), message["params"].clone()))
    })
}
