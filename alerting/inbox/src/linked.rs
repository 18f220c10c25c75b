//! The pages behind the links of alerts: the runbooks, which `build.rs` has put into the binary, and in place of each dashboard how to
//! start Grafana, since none may run.

use service::html::{escaped, framed};

use super::markdown::to_html;

/// Each alert's name with its runbook, in Markdown.
const RUNBOOKS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

/// The page with links to all runbooks.
pub(super) fn runbooks() -> String {
    let names = RUNBOOKS.iter().map(|(name, _)| escaped(name));
    let items: String = names.map(|name| format!("<li><a href=\"runbooks/{name}\">{name}</a></li>\n")).collect();
    let body = match RUNBOOKS {
        [] => "<p>This build holds no runbooks: there were none in <code>prometheus/runbooks</code>.</p>".to_owned(),
        _ => format!(
            "<p>What to do when an alert fires, one page for each. Their addresses are those of Compose; \
             <code>make monitor</code> prints its own.</p>\n<ul>\n{items}</ul>"
        ),
    };
    framed("Runbooks", None, &format!("<h1>Runbooks</h1>\n{body}"))
}

/// The page of one runbook.
pub(super) fn runbook(name: &str) -> Option<String> {
    let (name, markdown) = RUNBOOKS.iter().find(|(known, _)| *known == name)?;
    let back = "<p><a href=\"../runbooks\">All runbooks</a> · <a href=\"../\">Inbox</a></p>";
    Some(framed(name, None, &format!("<article>\n{}</article>\n{back}", to_html(markdown))))
}

/// The page of a dashboard, by its uid as in Grafana's URLs.
pub(super) fn dashboard(uid: &str) -> Option<String> {
    let is_uid = (1..=40).contains(&uid.len()) && uid.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let uid = is_uid.then_some(uid)?;
    let body = format!(
        "<h1>Dashboard {uid}</h1>\n\
         <p>Grafana shows it, and no Grafana runs here. With Docker: <code>docker compose up -d --build --wait</code>, then \
         <a href=\"http://127.0.0.1:3000/d/{uid}\">http://127.0.0.1:3000/d/{uid}</a>. Its file is in \
         <code>grafana/dashboards</code>.</p>\n\
         <p>Without it: the <a href=\"../../runbooks\">runbook</a> of the alert has queries for Prometheus.</p>\n\
         <p><a href=\"../../\">Inbox</a></p>"
    );
    Some(framed(&format!("Dashboard {uid}"), None, &body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runbook_is_a_page_and_what_is_none_is_not() {
        let list = runbooks();
        for (name, _) in RUNBOOKS {
            assert!(
                runbook(name).unwrap().contains("<article>") && list.contains(&format!("\"runbooks/{name}\"")),
                "{name}"
            );
        }
        assert!(runbook("../Cargo").is_none() && runbook("").is_none());
    }

    #[test]
    fn each_link_is_relative() {
        let of_a_runbook = RUNBOOKS.first().and_then(|(name, _)| runbook(name)).unwrap();
        for page in [runbooks(), of_a_runbook, dashboard("myevents-slo").unwrap()] {
            assert!(!page.contains("href=\"/"), "{page}");
        }
    }

    #[test]
    fn a_uid_has_a_page_and_nothing_else_has() {
        assert!(dashboard("myevents-slo").unwrap().contains("http://127.0.0.1:3000/d/myevents-slo\""));
        for other in ["", "a b", "<script>", "../etc", &"a".repeat(41)] {
            assert!(dashboard(other).is_none(), "{other}");
        }
    }
}
