//! What users do all the time: a `myevents load` in the background.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use e2e::{binary, eventually, samples};

use crate::{replica::Replica, watch::Watch};

/// A hundred requests at the least rate, on a busy machine.
const SEEN: Duration = Duration::from_secs(60);

/// It ends when it is dropped.
pub(crate) struct Traffic(Child);

impl Traffic {
    /// So many requests a second, of which so many of 100 are bookings and the others reads.
    pub(crate) fn start<'r>(
        events: impl IntoIterator<Item = &'r Replica>,
        bookings: impl IntoIterator<Item = &'r Replica>,
        rate: u32,
        booked: u32,
    ) -> Self {
        let urls = |replicas: Vec<&'r Replica>| {
            replicas.into_iter().map(|replica| replica.urls.0.as_str()).collect::<Vec<_>>().join(",")
        };
        let mut command = Command::new(binary::myevents());
        command.env_clear().args(["load", "--duration", "0", "--capacity", "0", "--patience", "30"]);
        command.args(["--events-url", &urls(events.into_iter().collect())]);
        command.args(["--bookings-url", &urls(bookings.into_iter().collect())]);
        command.args(["--names", &samples::unique("traffic").replace(' ', "-"), "--rate", &rate.to_string()]);
        command.args(["--reads", &(100 - booked).to_string(), "--bookings", &booked.to_string()]);
        command.args(["--repeats", "0", "--cancels", "0", "--bad", "0"]);
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("myevents starts"))
    }

    /// Waits until Prometheus has seen enough of it that a share means something.
    pub(crate) async fn is_seen(&self, watch: &Watch) {
        eventually(SEEN, "Prometheus sees the traffic", async || {
            let seen = watch.ask.query("job:myevents_request:increase1h{job=\"bookingservice\"} > 100").await;
            (!seen.is_empty()).then_some(())
        })
        .await;
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
