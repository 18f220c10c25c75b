//! The replicas of both services. A name may stand for other processes than a moment ago, so it is resolved again and again.

use std::{cell::RefCell, time::Duration};

use rest::urls::OpsUrls;
use tokio::time::{Instant, timeout};

/// What is known is right for so long.
const FRESH: Duration = Duration::from_secs(10);

/// Then what was known before is used: a name server that is slow must not stop the page.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The ops ports of all replicas.
pub(crate) struct Replicas {
    /// As they were given.
    given: OpsUrls,
    /// What the names stood for, and when that was asked.
    known: RefCell<Option<(Instant, OpsUrls)>>,
}

impl Replicas {
    pub(crate) fn new(given: OpsUrls) -> Self {
        Self { given, known: RefCell::default() }
    }

    /// Those there are now, as far as that was asked within the last seconds.
    pub(crate) async fn current(&self) -> OpsUrls {
        if let Some((since, urls)) = &*self.known.borrow()
            && since.elapsed() < FRESH
        {
            return urls.clone();
        }
        let found = timeout(TIMEOUT, self.given.of_every_replica()).await;
        let before = self.known.borrow().as_ref().map(|(_, urls)| urls.clone());
        let urls = found.ok().or(before).unwrap_or_else(|| self.given.clone());
        *self.known.borrow_mut() = Some((Instant::now(), urls.clone()));
        urls
    }
}

#[cfg(test)]
mod tests {
    use rest::Target;

    use super::*;

    #[tokio::test]
    async fn numbers_stand_for_themselves_and_are_known_at_once() {
        let target = |port| Target::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        let replicas = Replicas::new(OpsUrls { events: vec![target(1), target(2)], bookings: vec![target(3)] });
        for _ in 0..2 {
            let urls = replicas.current().await;
            let of = |targets: Vec<Target>| targets.into_iter().map(|target| target.url).collect::<Vec<_>>();
            assert_eq!(of(urls.events), ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
            assert_eq!(of(urls.bookings), ["http://127.0.0.1:3"]);
        }
    }
}
