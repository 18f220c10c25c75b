//! The runbooks as pages, behind the links of the alerts. `build.rs` has put them into the binary.

use std::fmt::Write;

use super::{
    markdown::to_html,
    page::{escaped, framed},
};

/// Each alert's name with its runbook, in Markdown.
const RUNBOOKS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

/// The page with links to all runbooks.
pub(super) fn list() -> String {
    let mut items = String::new();
    for (name, _) in RUNBOOKS {
        let name = escaped(name);
        writeln!(items, "<li><a href=\"/runbooks/{name}\">{name}</a></li>").expect("a String takes any text");
    }
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
pub(super) fn page(name: &str) -> Option<String> {
    let (name, markdown) = RUNBOOKS.iter().find(|(known, _)| *known == name)?;
    let back = "<p><a href=\"/runbooks\">All runbooks</a> · <a href=\"/\">Inbox</a></p>";
    Some(framed(name, None, &format!("<article>\n{}</article>\n{back}", to_html(markdown))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runbook_is_a_page_and_what_is_none_is_not() {
        let list = list();
        for (name, _) in RUNBOOKS {
            assert!(
                page(name).unwrap().contains("<article>") && list.contains(&format!("/runbooks/{name}\"")),
                "{name}"
            );
        }
        assert!(page("../Cargo").is_none() && page("").is_none());
    }
}
