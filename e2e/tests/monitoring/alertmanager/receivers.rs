//! What Alertmanager delivers to: a mail server and a web server that take all and write it down.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use super::mail::Mail;

/// Listens on a free port, and gives each connection to `serve`. Its threads end with the test's process.
fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(connection));
        }
    });
    address
}

/// A request to a webhook.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    /// `/alertmanager`, `/watchdog`.
    pub(crate) path: String,
    pub(crate) json: Value,
}

type Arrived<T> = Arc<Mutex<Vec<T>>>;

/// Both servers, and what has arrived.
pub(crate) struct Receivers {
    pub(crate) smtp: SocketAddr,
    pub(crate) http: SocketAddr,
    mails: Arrived<Mail>,
    hooks: Arrived<Hook>,
}

impl Receivers {
    pub(crate) fn start() -> Self {
        let (mails, hooks): (Arrived<Mail>, Arrived<Hook>) = Default::default();
        let (all_mails, all_hooks) = (Arc::clone(&mails), Arc::clone(&hooks));
        let smtp = listen(move |connection| take_mails(connection, |mail| all_mails.lock().unwrap().push(mail)));
        let http = listen(move |connection| take_hooks(connection, |hook| all_hooks.lock().unwrap().push(hook)));
        Self { smtp, http, mails, hooks }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// What has arrived at a path.
    pub(crate) fn hooks(&self, path: &str) -> Vec<Value> {
        let all = self.hooks.lock().unwrap();
        all.iter().filter(|hook| hook.path == path).map(|hook| hook.json.clone()).collect()
    }
}

/// The server's side of SMTP, for a client that makes no mistakes.
fn take_mails(connection: TcpStream, took: impl Fn(Mail)) {
    let mut answers = connection.try_clone().unwrap();
    let mut say = |line: &str| answers.write_all(format!("{line}\r\n").as_bytes()).is_ok();
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    say("220 test");
    while let Some(line) = lines.next() {
        let went = match line.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
            "DATA" => {
                say("354 go on");
                let body: Vec<_> = lines.by_ref().take_while(|line| line != ".").collect();
                took(Mail::read(&body.join("\n")));
                say("250 taken")
            }
            "QUIT" => return,
            _ => say("250 yes"),
        };
        if !went {
            return;
        }
    }
}

/// Requests of one connection, each answered with 200.
fn take_hooks(connection: TcpStream, took: impl Fn(Hook)) {
    let mut answers = connection.try_clone().unwrap();
    let mut requests = BufReader::new(connection);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if requests.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        requests.read_exact(&mut body).unwrap();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        took(Hook { path, json: serde_json::from_slice(&body).unwrap() });
        if answers.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}
