//! Markdown as safe HTML: without HTML of the writer, without pictures, and with links only to pages. A message can hold text of any
//! client.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use alerts::text::is_page;

/// The HTML of a text.
pub(super) fn to_html(markdown: &str) -> String {
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| {
        if let Event::Html(html) | Event::InlineHtml(html) = event {
            return Some(Event::Text(html));
        }
        if let Event::Start(Tag::Link { link_type, dest_url, title, id }) = event {
            return Some(Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id }));
        }
        // The alternative text of a picture stays.
        let begins = matches!(event, Event::Start(Tag::Image { .. } | Tag::HtmlBlock));
        let ends = matches!(event, Event::End(TagEnd::Image | TagEnd::HtmlBlock));
        (!begins && !ends).then_some(event)
    });
    let mut page = String::new();
    html::push_html(&mut page, events);
    page
}

/// The URL of a page or of another runbook (a link to the file `NAME.md` becomes one to the page `NAME`); any other URL becomes `#`.
fn harmless(url: CowStr<'_>) -> CowStr<'_> {
    let name = url.strip_suffix(".md").unwrap_or(&url);
    let beside = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (is_page(&url), beside) {
        (true, _) => url,
        (false, true) => name.to_owned().into(),
        (false, false) => "#".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::to_html;

    #[test]
    fn what_is_ours_is_shown() {
        let html =
            to_html("# A\n\n- [x](http://127.0.0.1:3000/d/y)\n- [B](B.md)\n\n| a | b |\n|---|---|\n| 1 | `2` |\n");
        for part in [
            "<h1>A</h1>",
            "<a href=\"http://127.0.0.1:3000/d/y\">x</a>",
            "<a href=\"B\">B</a>",
            "<table>",
            "<code>2</code>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn nothing_that_anybody_sends_is_run_or_loaded() {
        for evil in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "a <b onclick=x>b</b>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,x)",
            "[x](\" onclick=\"x)",
            "![x](http://evil/pixel.png)",
            "<javascript:alert(1)>",
            "<div>\n\n<script>alert(1)</script>\n\n</div>",
            "`</code><script>`",
            "[x]: javascript:alert(1)\n\n[x]",
        ] {
            let html = to_html(evil);
            let ours = ["p>", "/p>", "code>", "/code>", "a href=\"#\">", "/a>"];
            for tag in html.split('<').skip(1) {
                assert!(ours.iter().any(|begin| tag.starts_with(begin)), "{evil}: {html}");
            }
        }
    }
}
