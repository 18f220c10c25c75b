//! The encrypted way to RabbitMQ: by certificates that are made here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use amqp::{AmqpBus, Broker};
use messaging::{Bus, Entry};
use metrics::Registry;
use process::checks::{Checks, option};
use testing::{eventually, rabbitmq};

use crate::bus::tuning;

const SOON: Duration = Duration::from_secs(20);

/// Makes an authority, and a certificate of it for localhost; answers with the authority's. `None` without the program.
fn authority(folder: &Path) -> Option<PathBuf> {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for arguments in [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority -days 2"),
        format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names"
            .into(),
    ] {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder).args(arguments.split(' ')).stdin(Stdio::null()).stderr(Stdio::null());
        assert!(openssl.status().ok()?.success(), "openssl {arguments}");
    }
    Some(folder.join("ca.pem"))
}

fn connect(port: u16, ca: &Path) -> AmqpBus {
    let mut checks = Checks::new();
    let (url, ca) = (Some(format!("amqps://guest:guest@localhost:{port}")), Some(ca.display().to_string()));
    let (url, file) = (option("AMQP_BROKER_URL", &url), option("AMQP_BROKER_URL_FILE", &None));
    let broker = Broker::read(&mut checks, url, file, option("AMQP_CA_FILE", &ca));
    checks.finish().unwrap();
    AmqpBus::start(broker.unwrap(), "a test", tuning())
}

#[tokio::test]
async fn who_has_the_ca_file_connects_and_who_has_another_one_gets_the_reason() {
    let Some(server) = rabbitmq::exclusive().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let authorities = ["ours", "another"].map(|name| authority(&folder.path().join(name)));
    let [Some(ours), Some(another)] = authorities else {
        rabbitmq::not_run::<()>("RabbitMQ over TLS", "apt install openssl");
        return;
    };
    let port = server.listens_encrypted(ours.parent().unwrap());

    let bus = connect(port, &ours);
    eventually(SOON, "it connects", async || bus.state().is_ok()).await;
    let note = Entry::new("noteWritten", false, b"{}".to_vec(), None);
    assert_eq!(bus.publish(&[note]).await, [Ok(())]);
    bus.close().await;

    let (bus, registry) = (connect(port, &another), Registry::new());
    bus.register(&registry).unwrap();
    let state = || bus.state().expect_err("nobody vouches for it");
    eventually(SOON, "it is refused", async || state().contains("certificate")).await;
    assert!(!state().contains("guest"), "{}", state());
    let text = String::from_utf8(metrics::answer(&registry.gather(), "", "", false).body).unwrap();
    let refused = r#"myevents_amqp_reconnects_total{reason="tls"} "#;
    let count = text.lines().find_map(|line| line.strip_prefix(refused)?.parse::<u32>().ok());
    assert!(count > Some(0), "{text}");
    bus.close().await;
}
