//! The last steps of an alert on its way to people. `myevents bridge` and `myevents inbox` run it; the services know nothing of it.
//!
//! - [`alerts`]: what Alertmanager sends, and how it reads as a text; read it first
//! - [`dingtalk`]: what DingTalk's robot takes and answers
//! - [`bridge`]: passes alerts on to such a robot, and says whether they arrived
//! - [`inbox`]: shows the alerts that arrive, and stands in for the robot

mod alerts;
pub mod bridge;
mod dingtalk;
pub mod inbox;
