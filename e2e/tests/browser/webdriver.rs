//! The WebDriver protocol (W3C): JSON over HTTP, and what chromedriver adds to it. Only what these tests need: a client library would
//! bring twenty crates, and could neither read the browser's log nor ask its DevTools.

use e2e::Api;
use reqwest::Method;
use serde_json::{Value, json};

/// Under this name the protocol hides an element's id.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser that chromedriver has started.
pub(crate) struct Session {
    api: Api,
    path: String,
}

/// An element of the page as it was when it was found. It may be gone since.
pub(crate) struct Element<'s> {
    session: &'s Session,
    id: String,
}

impl Session {
    pub(crate) async fn start(api: &Api, capabilities: &Value) -> Self {
        let answer =
            command(api, Method::POST, "/session", &json!({"capabilities": {"alwaysMatch": capabilities}})).await;
        let started = answer.unwrap_or_else(|cause| panic!("no browser: {cause}"));
        Self { api: api.clone(), path: format!("/session/{}", started["sessionId"].as_str().unwrap()) }
    }

    /// A command of the protocol; the error is what the driver says.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        command(&self.api, method, &format!("{}{path}", self.path), body).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ask(Method::POST, path, &body).await.unwrap_or_else(|cause| panic!("{path} {body}: {cause}"))
    }

    pub(crate) async fn go(&self, url: &str) {
        self.post("/url", json!({"url": url})).await;
    }

    pub(crate) async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    pub(crate) async fn minimize(&self) {
        self.post("/window/minimize", json!({})).await;
    }

    pub(crate) async fn restore(&self) {
        self.post("/window/rect", json!({"x": 0, "y": 0})).await;
    }

    /// What a function with this body returns in the page.
    pub(crate) async fn run(&self, script: &str, arguments: Value) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": arguments})).await
    }

    /// The elements that such a function returns.
    pub(crate) async fn elements(&self, script: &str, arguments: Value) -> Vec<Element<'_>> {
        let found = self.run(script, arguments).await;
        let id =
            |element: &Value| element[ELEMENT].as_str().unwrap_or_else(|| panic!("no element: {element}")).to_owned();
        let found = found.as_array().expect("a list of elements");
        found.iter().map(|element| Element { session: self, id: id(element) }).collect()
    }

    /// Keys for the element that has the focus, each pressed and released.
    pub(crate) async fn keys(&self, keys: &[&str]) {
        let stroke = |key: &&str| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key}));
        let actions: Vec<_> = keys.iter().flat_map(stroke).collect();
        self.post("/actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})).await;
    }

    /// What the window shows, as PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let encoded = self.ask(Method::GET, "/screenshot", &Value::Null).await.unwrap();
        STANDARD.decode(encoded.as_str().unwrap()).unwrap()
    }

    /// A command of the DevTools protocol, with its result.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    /// What was written into a log of the browser since it was last read.
    pub(crate) async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", json!({"type": kind})).await;
        entries.as_array().expect("a list of entries").clone()
    }

    pub(crate) async fn end(&self) {
        self.ask(Method::DELETE, "", &Value::Null).await.unwrap();
    }
}

impl Element<'_> {
    /// A click where a user would click. The error says that it is gone, or what lies above it.
    pub(crate) async fn click(&self) -> Result<(), String> {
        self.session.ask(Method::POST, &format!("/element/{}/click", self.id), &json!({})).await.map(drop)
    }

    /// Two clicks as quick as a mouse sends them.
    pub(crate) async fn double_click(&self) {
        let middle = json!({"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: self.id}});
        let [down, up] = ["pointerDown", "pointerUp"].map(|kind| json!({"type": kind, "button": 0}));
        let actions = [&middle, &down, &up, &down, &up];
        self.session
            .run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", json!([self.json()]))
            .await;
        self.session
            .post("/actions", json!({"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]}))
            .await;
    }

    /// Writes into a field what a user would type.
    pub(crate) async fn write(&self, text: &str) {
        self.session.post(&format!("/element/{}/clear", self.id), json!({})).await;
        self.session.post(&format!("/element/{}/value", self.id), json!({"text": text})).await;
    }

    /// Chooses the option of this value.
    pub(crate) async fn choose(&self, value: &str) {
        let script =
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))";
        self.session.run(script, json!([self.json(), value])).await;
    }

    /// As an argument of a script.
    pub(crate) fn json(&self) -> Value {
        json!({ELEMENT: self.id})
    }
}

async fn command(api: &Api, method: Method, path: &str, body: &Value) -> Result<Value, String> {
    let request = api.request(method, path);
    let request = if body.is_null() { request } else { request.json(body) };
    let answer = e2e::api::send(request).await;
    let value = answer.json()["value"].take();
    if answer.status == 200 { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
}
