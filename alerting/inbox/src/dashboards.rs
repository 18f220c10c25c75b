//! The page behind an alert's link to a dashboard, if no Grafana runs: it says how to start one.

use super::page::{escaped, framed};

/// The page of a dashboard, by its uid as in Grafana's URLs.
pub(super) fn page(uid: &str) -> Option<String> {
    let is_uid = (1..=40).contains(&uid.len()) && uid.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let uid = is_uid.then(|| escaped(uid))?;
    let body = format!(
        "<h1>Dashboard {uid}</h1>\n\
         <p>Grafana shows it, and no Grafana runs here. With Docker: <code>docker compose up -d --build --wait</code>, then \
         <a href=\"http://127.0.0.1:3000/d/{uid}\">http://127.0.0.1:3000/d/{uid}</a>. Its file is in \
         <code>grafana/dashboards</code>.</p>\n\
         <p>Without it: the <a href=\"/runbooks\">runbook</a> of the alert has queries for Prometheus.</p>\n\
         <p><a href=\"/\">Inbox</a></p>"
    );
    Some(framed(&format!("Dashboard {uid}"), None, &body))
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_uid_has_a_page_and_nothing_else_has() {
        assert!(page("myevents-slo").unwrap().contains("http://127.0.0.1:3000/d/myevents-slo\""));
        for other in ["", "a b", "<script>", "../etc", &"a".repeat(41)] {
            assert!(page(other).is_none(), "{other}");
        }
    }
}
