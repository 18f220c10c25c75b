//! What comes back, and what each error must look like. A panic here shows the whole answer.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A status, headers and a body.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// Panics where the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "another status than expected: {self:?}");
        self
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|cause| panic!("no JSON ({cause}): {self:?}"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header that is there exactly once, or not at all.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} is there twice: {self:?}");
        Some(value.to_str().unwrap_or_else(|_| panic!("{name} is not ASCII: {self:?}")))
    }

    /// The `id` of what was created.
    #[track_caller]
    pub fn id(&self) -> String {
        text(&self.json(), "id")
    }

    /// Checks that this is the one form of every error (RFC 9457), of this status and kind, and gives it back.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "another status than expected: {self:?}");
        let problem = self.any_problem();
        assert_eq!(problem["type"], format!("urn:myevents:problem:{kind}"), "{self:?}");
        problem
    }

    /// Checks the form of an error of any kind.
    #[track_caller]
    pub fn any_problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert!(text(&problem, "type").starts_with("urn:myevents:problem:"), "{self:?}");
        assert!(!text(&problem, "title").is_empty(), "{self:?}");
        assert!(text(&problem, "detail").len() > 10, "the detail does not help: {self:?}");
        for error in problem["errors"].as_array().into_iter().flatten() {
            assert!(!text(error, "field").is_empty() && !text(error, "detail").is_empty(), "{self:?}");
        }
        problem
    }

    /// The fields that an error names.
    pub fn fields(&self) -> Vec<String> {
        self.json()["errors"].as_array().into_iter().flatten().map(|error| text(error, "field")).collect()
    }
}

/// A text in a JSON object.
#[track_caller]
pub fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {object}")).to_owned()
}

/// A whole number in a JSON object.
#[track_caller]
pub fn number(object: &Value, field: &str) -> u64 {
    object[field].as_u64().unwrap_or_else(|| panic!("no whole number `{field}` in {object}"))
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, self.text())
    }
}
