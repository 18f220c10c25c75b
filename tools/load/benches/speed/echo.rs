//! A bare actix server that answers the JSON of a booking request as it came: what HTTP alone costs.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use actix_web::{App, HttpServer, web};
use anyhow::Context;
use rest::Target;
use serde::{Deserialize, Serialize};

/// With this argument the benchmark is that server, in a process of its own like the system.
pub(crate) const ARGUMENT: &str = "--be-the-echo";

/// The body, as a load sends it.
pub(crate) const BODY: &str = r#"{"seats":2,"user_id":"load-0123abcd-17"}"#;

#[derive(Deserialize, Serialize)]
struct Body {
    seats: i64,
    user_id: String,
}

pub(crate) async fn serve() -> anyhow::Result<()> {
    let app = || App::new().route("/", web::post().to(async |body: web::Json<Body>| body));
    // As many workers as a service has.
    let server = HttpServer::new(app).workers(2).bind("127.0.0.1:0")?;
    println!("{}", server.addrs().first().context("it listens")?);
    Ok(server.run().await?)
}

/// The server as a process.
pub(crate) struct Echo {
    child: Child,
    pub(crate) target: Target,
}

impl Echo {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?).arg(ARGUMENT).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("it is piped")?).read_line(&mut address)?;
        let target = Target::parse(&format!("http://{}", address.trim())).context("it told its address")?;
        Ok(Self { child, target })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
