//! Chromium, driven by chromedriver: a process of its own for each test, with a profile that nobody has used before.

use std::{
    fs::File,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use e2e::{Api, not_run};
use serde_json::json;
use tempfile::TempDir;
use testing::eventually_mut;

use crate::{STARTS, webdriver::Session, window::Window};

/// How a user's browser is set up.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) size: (u32, u32),
    /// As `Accept-Language` has it.
    pub(crate) language: &'static str,
    pub(crate) dark: bool,
}

/// A desk: what the page is drawn for first.
pub(crate) const DESK: Setup = Setup { size: (1366, 900), language: "en-GB,en", dark: false };

/// Lets a script ask for the accessible name of an element.
const NAMES: &str = "--enable-blink-features=ComputedAccessibilityInfo";

/// The driver. It ends when this is dropped, with every browser that it has started.
pub(crate) struct Chromium {
    api: Api,
    _driver: Driver,
}

struct Driver {
    child: Child,
    folder: TempDir,
}

impl Chromium {
    /// `None`, and a word about it, where there is none.
    pub(crate) async fn start() -> Option<Self> {
        let there =
            |program: &str| Command::new(program).arg("--version").output().is_ok_and(|said| said.status.success());
        if !there("chromium") || !there("chromedriver") {
            not_run("the page in a browser (apt install chromium chromium-driver)");
            return None;
        }
        let mut driver = Driver::start();
        let port = eventually_mut(STARTS, "chromedriver says its port", async || {
            // A port can be free under the one address of localhost, and taken under the other.
            if driver.child.try_wait().unwrap().is_some() {
                driver = Driver::start();
            }
            let said = driver.said();
            let (_, rest) = said.split_once("successfully on port ")?;
            rest.split_once('.').map(|(port, _)| port.to_owned())
        });
        let api = Api::new(&format!("http://localhost:{}", port.await));
        Some(Self { api, _driver: driver })
    }

    /// Opens the page at `url` in a new browser.
    pub(crate) async fn open(&self, url: &str, setup: Setup) -> Window {
        let (width, height) = setup.size;
        // No sandbox: it is not for root, and nothing but our own page is opened.
        let size = format!("--window-size={width},{height}");
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-breakpad", NAMES, &size];
        let capabilities = json!({
            "goog:chromeOptions": {"args": arguments, "prefs": {"intl.accept_languages": setup.language}},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let session = Session::start(&self.api, &capabilities).await;
        // A window has borders, and a desktop's is not as narrow as a telephone.
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        session.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        if setup.dark {
            let features = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
            session.devtools("Emulation.setEmulatedMedia", features).await;
        }
        session.go(url).await;
        Window::new(session, url)
    }
}

impl Driver {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", folder.path()); // where profiles are made
        let log = File::create(folder.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { child: command.process_group(0).spawn().unwrap(), folder }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let kill = format!("kill -KILL -{}", self.child.id()); // the group: browsers are processes of their own
        let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("chromedriver said: {}", self.said());
        }
    }
}
