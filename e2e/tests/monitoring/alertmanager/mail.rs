//! A mail as it arrives: its subject, its text, and the same as a page.

/// What Alertmanager sends: `multipart/alternative` of two parts, each in quoted-printable.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Mail {
    /// From the lines between DATA and the dot, without carriage returns.
    pub(crate) fn read(raw: &str) -> Self {
        let (head, body) = raw.split_once("\n\n").unwrap_or((raw, ""));
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let boundary = field("Content-Type: multipart/alternative;").trim().trim_start_matches("boundary=");
        let parts: Vec<_> = body.split(&format!("--{}", boundary.trim_matches('"'))).collect();
        let part = |kind: &str| {
            let parts = parts.iter().filter_map(|part| part.split_once("\n\n"));
            let mut of_kind = parts.filter(|(head, _)| head.contains(&format!("Content-Type: {kind}")));
            let (_, content) = of_kind.next().unwrap_or_else(|| panic!("no {kind} in {raw}"));
            plain(content)
        };
        Self { subject: field("Subject: ").to_owned(), text: part("text/plain"), html: part("text/html") }
    }

    /// Where its page leads to.
    pub(crate) fn links(&self) -> Vec<String> {
        let links = self.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        links.map(|link| link.replace("&amp;", "&").replace("&#43;", "+")).collect()
    }
}

/// Quoted-printable: `=3D` is a byte, and `=` at the end of a line joins it with the next one.
fn plain(quoted: &str) -> String {
    let joined = quoted.replace("=\n", "");
    let mut parts = joined.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}
