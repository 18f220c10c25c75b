//! A window as a user has it: controls by their names, text that is to be seen. And what must hold in each at its end.

use std::time::{Duration, Instant};

use e2e::eventually;
use serde_json::{Value, json};

use crate::{
    checks::{self, network},
    webdriver::{Element, Session},
};

/// What one sees must have followed by then; the server looks once a second.
pub(crate) const SEEN: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(50);

const FIND: &str = include_str!("find.js");

pub(crate) struct Window {
    pub(crate) session: Session,
    url: String,
    /// What the test breaks on purpose: the beginning of the path, and the status.
    expected: Vec<(&'static str, u16)>,
    /// What was read of the log of requests.
    requests: Vec<Value>,
    ended: bool,
}

impl Window {
    pub(crate) fn new(session: Session, url: &str) -> Self {
        Self { session, url: url.to_owned(), expected: Vec::new(), requests: Vec::new(), ended: false }
    }

    /// Such an answer is no fault in this test: the browser writes it into its console.
    pub(crate) fn expect_answer(&mut self, path: &'static str, status: u16) {
        self.expected.push((path, status));
    }

    /// The controls of such a role and name inside of `within`, a CSS selector and a text that the element has; those that are to be seen.
    async fn find(&self, role: &str, name: &str, within: (&str, &str)) -> Vec<Element<'_>> {
        self.session.elements(FIND, json!([role, name, within.0, within.1])).await
    }

    /// Waits for the one control, and clicks it.
    pub(crate) async fn click(&self, role: &str, name: &str) {
        self.click_in(("body", ""), role, name).await;
    }

    /// The same inside of something.
    pub(crate) async fn click_in(&self, within: (&str, &str), role: &str, name: &str) {
        let what = format!("a click on the {role} {name:?} in {within:?}");
        eventually(SEEN, &what, async || {
            let found = self.find(role, name, within).await;
            found.first()?.click().await.ok()
        })
        .await;
    }

    /// Waits for a control.
    pub(crate) async fn control(&self, within: (&str, &str), role: &str, name: &str) -> Element<'_> {
        let began = Instant::now();
        loop {
            if let Some(found) = self.find(role, name, within).await.into_iter().next() {
                return found;
            }
            assert!(began.elapsed() < SEEN, "no {role} {name:?} in {within:?}: {}", self.text("body").await);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether there is one, now.
    pub(crate) async fn has(&self, within: (&str, &str), role: &str, name: &str) -> bool {
        !self.find(role, name, within).await.is_empty()
    }

    /// All text that is to be seen in the elements of a CSS selector.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('\\n')";
        self.session.run(script, json!([selector])).await.as_str().unwrap().to_owned()
    }

    /// Waits until it can be read somewhere in the elements of a CSS selector.
    pub(crate) async fn reads(&self, selector: &str, text: &str) {
        let said = async || self.text(selector).await;
        let began = Instant::now();
        while !said().await.contains(text) {
            assert!(began.elapsed() < SEEN, "no {text:?} in {selector}: {}", said().await);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What a function with this body returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.session.run(script, json!([])).await
    }

    /// What happened in the network since this was last asked: see [`network`].
    pub(crate) async fn network(&mut self) -> Vec<(String, Value)> {
        let news = self.session.log("performance").await;
        let read = network(&news).collect();
        self.requests.extend(news);
        read
    }

    /// What must hold in each window: see [`checks`]. Each window must be ended.
    pub(crate) async fn end(mut self) {
        self.ended = true;
        checks::every_control_has_a_name(&self.session).await;
        checks::no_error_in_the_console(&self.session, &self.expected).await;
        self.network().await;
        checks::no_request_outside_of(&self.url, &self.requests);
        self.session.end().await;
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        assert!(self.ended || std::thread::panicking(), "the test ends without Window::end, which looks at the log");
    }
}
