//! An inbox, and a bridge to its robot.

use std::{net::SocketAddr, time::Duration};

use process::checks::{Checks, option};
use reqwest::Response;
use serde_json::Value;
use service::Listen;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::super::{
    Bridge,
    options::Config,
    pace::Rules,
    robot::{Robot, Url},
};
use inbox::{Inbox, robot};

/// Both of them. They end when this is dropped.
pub(super) struct World {
    pub(super) inbox: SocketAddr,
    pub(super) bridge: SocketAddr,
    pub(super) ops: SocketAddr,
    pub(super) stop: DropGuard,
}

/// What a test changes.
pub(super) struct Plan {
    pub(super) robot: robot::Rules,
    pub(super) rules: Rules,
    pub(super) token: &'static str,
    pub(super) secret: &'static str,
    /// Where the robot is instead of in the inbox.
    pub(super) elsewhere: Option<SocketAddr>,
    pub(super) timeout: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        let (robot, rules) = (robot::Rules::default(), Rules::default());
        Self { robot, rules, token: "dev", secret: "", elsewhere: None, timeout: Duration::from_secs(5) }
    }
}

pub(super) fn anywhere() -> Listen {
    Listen { address: "127.0.0.1:0".parse().unwrap(), option: "TEST_ADDR" }
}

pub(super) fn secret(text: &str) -> Option<process::secret::Secret> {
    let text = (!text.is_empty()).then(|| text.to_owned());
    Checks::new().secret(option("SECRET", &text), option("SECRET_FILE", &None))
}

impl World {
    pub(super) fn start(plan: Plan) -> Self {
        let stop = CancellationToken::new();
        let inbox = Inbox::start(inbox::options::Config { listen: anywhere(), rules: plan.robot }).unwrap();
        let address = inbox.address;
        tokio::spawn(inbox.run_until(stop.clone()));
        let robot = plan.elsewhere.unwrap_or(address);
        let url = Url::parse(&format!("http://{robot}/robot/send?access_token={}", plan.token)).unwrap();
        let mut robot = Robot::new(url, secret(plan.secret)).unwrap();
        robot.timeout = plan.timeout;
        let config = Config { listen: anywhere(), ops: anywhere(), robot, rules: plan.rules };
        let bridge = Bridge::build(config, stop.clone()).unwrap();
        let world =
            Self { inbox: address, bridge: bridge.address, ops: bridge.ops_address, stop: stop.clone().drop_guard() };
        tokio::spawn(bridge.run_until(stop));
        world
    }

    /// What Alertmanager or Grafana would send, to `/alertmanager` or `/grafana`.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Response {
        self.post_text(path, body.to_string()).await
    }

    pub(super) async fn post_text(&self, path: &str, body: String) -> Response {
        let post = client().post(format!("http://{}{path}", self.bridge)).header("content-type", "application/json");
        post.body(body).send().await.unwrap()
    }

    /// What arrived, the newest first.
    pub(super) async fn messages(&self) -> Vec<Value> {
        let response = client().get(format!("http://{}/api/messages", self.inbox)).send().await.unwrap();
        response.json().await.unwrap()
    }

    /// How many notifications have ended with this result.
    pub(super) async fn counted(&self, result: &str) -> u64 {
        let text = self.get(&format!("http://{}/metrics", self.ops)).await;
        let name = format!("myevents_notifications_sent_total{{channel=\"dingtalk\",result=\"{result}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("{name} is missing in {text}")).parse().unwrap()
    }

    pub(super) async fn get(&self, url: &str) -> String {
        client().get(url).send().await.unwrap().text().await.unwrap()
    }
}

pub(super) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

/// The seconds of `Retry-After`.
pub(super) fn retry_after(response: &Response) -> u64 {
    response.headers()["retry-after"].to_str().unwrap().parse().unwrap()
}
