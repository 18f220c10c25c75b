//! Small pages for people: the ops port's, and those of the inbox. The server renders them completely; they load and run nothing, and
//! each link in them is relative, for a proxy that serves them below a path of its own.

use actix_web::{HttpResponse, http::header};

/// The browser loads, runs, frames and sends nothing, whatever text of a client is on the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; }
h3, article h1 { font-size: 1.05rem; margin: .2rem 0; } h4 { font-size: 1rem; margin: .2rem 0; }
.note { opacity: .75; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; align-items: start; }
.message, .switch { border: 1px solid #8886; border-left: .5rem solid #888; border-radius: .3rem; padding: .4rem .8rem; margin: .6rem 0; overflow-wrap: anywhere; }
.red { border-left-color: #c62828; } .green { border-left-color: #2e7d32; }
.red > strong { color: #c62828; } .green > strong { color: #2e7d32; }
time { opacity: .75; font-size: .85rem; }
table { border-collapse: collapse; } td, th { border: 1px solid #8886; padding: .2rem .5rem; }
pre { overflow-x: auto; background: #8882; padding: .5rem; }
";

/// A whole page around a body. It is loaded again after `refresh` seconds.
pub fn framed(title: &str, refresh: Option<u32>, body: &str) -> String {
    let refresh = refresh.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n"));
    let head = refresh.unwrap_or_default();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{head}<title>{}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n",
        escaped(title)
    )
}

/// The answer with a page.
pub fn answer(page: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(page)
}

/// A text, escaped for HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
