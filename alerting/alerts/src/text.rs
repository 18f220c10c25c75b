//! Alerts as Markdown for a chat: a title that fits into a phone's notification, then a part for each alert, or one line for each if
//! many have the same name.
//!
//! Labels can hold text of a client (`eventName`), so everything that would make a link or a heading is escaped. Each part has a
//! limited length, since many must fit into one message.

use jiff::Timestamp;

use crate::webhook::{Alert, Status};

/// The most names in a title.
const NAMED: usize = 3;

/// Up to this number of alerts of one name have a part each; more have one line each.
const IN_FULL: usize = 3;

/// Labels that are shown elsewhere, or are of no use to the reader.
const HIDDEN: [&str; 6] = ["alertname", "job", "severity", "team", "channel", "monitor"];

/// The most other labels that are shown.
const LABELS: usize = 8;

const NAME_MAX: usize = 80;
const VALUE_MAX: usize = 100;
const SUMMARY_MAX: usize = 300;
const DESCRIPTION_MAX: usize = 500;
const LINE_MAX: usize = 160;
const URL_MAX: usize = 500;

/// A piece of Markdown that can be read alone, and the number of alerts in it.
pub struct Part {
    /// The Markdown.
    pub text: String,
    /// The number of alerts.
    pub alerts: usize,
}

/// `firing: A (job), B (job) and 2 more; resolved: C (job)`.
pub fn title(alerts: &[&Alert]) -> String {
    let of = |status| {
        let mut names: Vec<String> = Vec::new();
        for alert in alerts.iter().filter(|alert| alert.status == status) {
            let name = name(alert);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| format!("{}: {}{more}", status.word(), names.join(", ")))
    };
    [of(Status::Firing), of(Status::Resolved)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// All alerts, the most urgent first, so that only less urgent ones are cut off at the end.
pub fn parts(alerts: &[&Alert]) -> Vec<Part> {
    let mut groups: Vec<Vec<&Alert>> = Vec::new();
    for alert in alerts {
        let same = |group: &&mut Vec<&Alert>| (group[0].status, name(group[0])) == (alert.status, name(alert));
        match groups.iter_mut().find(same) {
            Some(group) => group.push(alert),
            None => groups.push(vec![alert]),
        }
    }
    groups.sort_by_key(|group| (group[0].status, urgency(group[0])));
    let each = |group: &Vec<&Alert>| match group.len() {
        0..=IN_FULL => group.iter().map(|alert| in_full(alert)).collect(),
        _ => in_lines(group),
    };
    groups.iter().flat_map(each).collect()
}

fn urgency(alert: &Alert) -> u8 {
    match alert.label("severity") {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    }
}

/// `NAME (job)`.
fn name(alert: &Alert) -> String {
    let name = plain(alert.label("alertname"), NAME_MAX);
    let name = if name.is_empty() { "an alert without a name".into() } else { name };
    match plain(alert.label("job"), NAME_MAX) {
        job if job.is_empty() => name,
        job => format!("{name} ({job})"),
    }
}

fn in_full(alert: &Alert) -> Part {
    let mut text = format!("#### {}: {}\n\n", alert.status.word(), name(alert));
    for (annotation, max) in [("summary", SUMMARY_MAX), ("description", DESCRIPTION_MAX)] {
        let said = plain(alert.annotation(annotation), max);
        if !said.is_empty() {
            text += &format!("{said}\n\n");
        }
    }
    text += &format!("- severity: {}\n", severity(alert));
    for (name, value) in shown(alert) {
        text += &format!("- {name}: {value}\n");
    }
    text += &format!("- {}\n", since(alert));
    if let Some(links) = links(alert) {
        text += &format!("- {links}\n");
    }
    text.push('\n');
    Part { text, alerts: 1 }
}

/// One line for each alert; what all of them share is shown once.
fn in_lines(group: &[&Alert]) -> Vec<Part> {
    let first = group[0];
    let mut text = format!("#### {}: {}, {} alerts\n\n", first.status.word(), name(first), group.len());
    text += &format!("severity: {}", severity(first));
    if let Some(links) = links(first) {
        text += &format!(" · {links}");
    }
    text.push_str("\n\n");
    let line = |alert: &&Alert| {
        let labels: Vec<_> = shown(alert).map(|(name, value)| format!("{name}: {value}")).collect();
        let parts = [labels.join(", "), plain(alert.annotation("summary"), LINE_MAX), since(alert)];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Part { text: format!("- {}\n", parts.join(" · ")), alerts: 1 }
    };
    std::iter::once(Part { text, alerts: 0 }).chain(group.iter().map(line)).collect()
}

fn severity(alert: &Alert) -> String {
    let severity = plain(alert.label("severity"), VALUE_MAX);
    if severity.is_empty() { "none".into() } else { severity }
}

fn shown(alert: &Alert) -> impl Iterator<Item = (String, String)> {
    let labels = alert.labels.iter().filter(|(name, _)| !HIDDEN.contains(&name.as_str())).take(LABELS);
    labels.map(|(name, value)| (plain(name, NAME_MAX), plain(value, VALUE_MAX)))
}

fn since(alert: &Alert) -> String {
    let began = format!("since: {}", time(alert.starts_at));
    match (alert.status, alert.ends_at) {
        (Status::Resolved, Some(end)) => format!("{began}, resolved: {}", time(end)),
        (Status::Resolved, None) | (Status::Firing, _) => began,
    }
}

/// `2026-11-30 02:00:00 UTC`.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn links(alert: &Alert) -> Option<String> {
    let links = [("runbook", "runbook_url"), ("dashboard", "dashboard_url")];
    let link = |(label, annotation)| link(label, alert.annotation(annotation));
    let links: Vec<_> = links.into_iter().filter_map(link).collect();
    (!links.is_empty()).then(|| links.join(" · "))
}

/// A Markdown link, if the URL is that of a page.
pub fn link(label: &str, url: &str) -> Option<String> {
    is_page(url).then(|| format!("[{label}]({})", url.replace('(', "%28").replace(')', "%29")))
}

/// Whether a browser would open the URL as a page, and it is not too long.
pub fn is_page(url: &str) -> bool {
    let page = url.starts_with("http://") || url.starts_with("https://");
    page && url.len() <= URL_MAX && url.chars().all(|c| c.is_ascii_graphic() && !"<>\"`\\".contains(c))
}

/// One line of at most `max` characters, without the characters that make a link, a picture or code in Markdown.
pub fn plain(text: &str, max: usize) -> String {
    let harmless = |c: char| match c {
        '[' => '(',
        ']' => ')',
        '<' => '‹',
        '>' => '›',
        '`' => '\'',
        c if c.is_whitespace() || c.is_control() => ' ',
        c => c,
    };
    let mut line = text.trim().chars().map(harmless);
    let mut short: String = line.by_ref().take(max).collect();
    if line.next().is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use testing::alertmanager::{alert, notification};

    use super::*;
    use crate::webhook::Webhook;

    fn read(alerts: Vec<serde_json::Value>) -> Webhook {
        serde_json::from_value(notification(alerts)).unwrap()
    }

    fn all(webhook: &Webhook) -> Vec<&Alert> {
        webhook.alerts.iter().collect()
    }

    fn markdown(webhook: &Webhook) -> String {
        parts(&all(webhook)).into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn one_alert_says_what_since_when_how_bad_and_where_to_look() {
        let webhook =
            read(vec![alert("firing", "MyEventsOutboxStuck", "127.0.0.1:9101", "Messages wait for 3 minutes")]);
        assert_eq!(title(&all(&webhook)), "firing: MyEventsOutboxStuck (bookingservice)");
        assert_eq!(
            markdown(&webhook),
            "#### firing: MyEventsOutboxStuck (bookingservice)\n\nMessages wait for 3 minutes\n\n- severity: critical\n\
             - instance: 127.0.0.1:9101\n- since: 2026-11-30 02:00:00 UTC\n\
             - [runbook](http://127.0.0.1:8026/runbooks/MyEventsOutboxStuck) · \
             [dashboard](http://127.0.0.1:3000/d/myevents-overview)\n\n"
        );
    }

    #[test]
    fn a_resolved_alert_has_the_same_form_and_says_when_it_ended() {
        let webhook = read(vec![alert("resolved", "A", "1", "was bad")]);
        assert_eq!(title(&all(&webhook)), "resolved: A (bookingservice)");
        let text = markdown(&webhook);
        assert!(text.starts_with("#### resolved: A (bookingservice)"), "{text}");
        assert!(text.contains("- since: 2026-11-30 02:00:00 UTC, resolved: 2026-11-30 02:10:00 UTC\n"), "{text}");
    }

    #[test]
    fn many_alerts_of_one_name_are_a_line_each_and_what_fires_comes_first() {
        let mut alerts = vec![alert("resolved", "B", "x", "over")];
        alerts.extend((0..50).map(|n| alert("firing", "A", &format!("host-{n:02}"), "bad")));
        let webhook = read(alerts);
        assert_eq!(title(&all(&webhook)), "firing: A (bookingservice); resolved: B (bookingservice)");
        let text = markdown(&webhook);
        assert!(
            text.starts_with("#### firing: A (bookingservice), 50 alerts\n\nseverity: critical · [runbook]("),
            "{text}"
        );
        assert_eq!(text.matches("\n- instance: host-").count(), 50);
        assert_eq!(text.matches("[runbook]").count(), 2);
        assert_eq!(parts(&all(&webhook)).iter().map(|part| part.alerts).sum::<usize>(), 51);
    }

    #[test]
    fn a_title_names_three_and_counts_the_rest() {
        let webhook = read((0..5).map(|n| alert("firing", &format!("A{n}"), "1", "s")).collect());
        assert_eq!(
            title(&all(&webhook)),
            "firing: A0 (bookingservice), A1 (bookingservice), A2 (bookingservice) and 2 more"
        );
    }

    #[test]
    fn what_a_client_wrote_becomes_no_link_and_no_heading() {
        let mut evil = alert("firing", "A", "1", "x\n# [free](http://evil) <b>");
        evil["annotations"]["runbook_url"] = "javascript:alert(1)".into();
        evil["annotations"]["dashboard_url"] = "http://127.0.0.1/a)b".into();
        let text = markdown(&read(vec![evil]));
        assert!(text.contains("x # (free)(http://evil) ‹b›"), "{text}");
        assert!(!text.contains("javascript") && text.contains("[dashboard](http://127.0.0.1/a%29b)"), "{text}");
    }
}
