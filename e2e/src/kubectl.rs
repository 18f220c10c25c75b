//! `kubectl`, as a person types it, on the cluster that `KUBECONFIG` names.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::Value;

use crate::{Api, dashboard::workspace};

/// Where everything of `deploy/` lives.
pub const NAMESPACE: &str = "myevents";

/// A command on the namespace, from the root of this repository.
fn command(arguments: &[&str]) -> Command {
    let mut kubectl = Command::new("kubectl");
    kubectl.current_dir(workspace()).args(["--namespace", NAMESPACE]).args(arguments);
    kubectl
}

/// Whether it went well, and all it said.
pub fn try_kubectl(arguments: &[&str]) -> (bool, String) {
    let output = command(arguments).output().unwrap_or_else(|cause| panic!("kubectl cannot be run: {cause}"));
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), format!("{said}{complained}"))
}

/// What it printed, or a panic with what it complained of.
pub fn kubectl(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap_or_else(|cause| panic!("kubectl cannot be run: {cause}"));
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {}: {complained}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The same where it prints JSON.
pub fn json(arguments: &[&str]) -> Value {
    let printed = kubectl(&[arguments, &["--output", "json"]].concat());
    serde_json::from_str(&printed).unwrap_or_else(|cause| panic!("{cause}: {printed}"))
}

/// With something to read: whether it went well, and all it said.
pub fn try_with_input(arguments: &[&str], input: &str) -> (bool, String) {
    let mut kubectl = command(arguments);
    let mut child = kubectl
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl can be run");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("kubectl reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it is our child");
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), format!("{said}{complained}"))
}

/// The same where it must go well.
pub fn with_input(arguments: &[&str], input: &str) -> String {
    let (well, said) = try_with_input(arguments, input);
    assert!(well, "kubectl {}: {said}\n{input}", arguments.join(" "));
    said
}

/// A port of the cluster, here: `kubectl port-forward`, which ends with it.
pub struct Forward {
    child: Child,
    /// What listens there.
    pub api: Api,
}

impl Forward {
    /// `to` is `svc/NAME` or `pod/NAME`. Of a Service it is one pod, and ends with that pod.
    pub fn to(to: &str, port: u16) -> Self {
        let mut kubectl = command(&["port-forward", to, &format!(":{port}")]);
        let mut child = kubectl.stdout(Stdio::piped()).spawn().expect("kubectl can be run");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        stdout.read_line(&mut line).expect("kubectl writes text");
        // Forwarding from 127.0.0.1:40231 -> 8181
        let address = line.strip_prefix("Forwarding from ").and_then(|rest| rest.split(' ').next());
        let Some(address) = address else {
            let _ = child.kill();
            panic!("kubectl port-forward {to} {port}: {line}");
        };
        let api = Api::new(&format!("http://{address}"));
        // It says a line for each connection, and would end where nobody reads them.
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        Self { child, api }
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
