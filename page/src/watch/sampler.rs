//! Takes the samples, while somebody looks and for a minute longer.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actix_web::{rt, web::Data};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use super::{
    replicas::Replicas,
    ring::{Ring, Stored},
    sample::{Moment, Sampled},
    scrape::scrape,
};

/// How often, and how long it goes on without a listener.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) every: Duration,
    pub(crate) after_the_last: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: Duration::from_secs(2), after_the_last: Duration::from_secs(60) }
    }
}

/// The samples, for all who look. It lives on the page's thread.
pub(crate) struct Sampler {
    ring: RefCell<Ring>,
    /// The number of the newest sample.
    newest: watch::Sender<u64>,
    listeners: Cell<usize>,
    /// When the last listener left.
    left: Cell<Option<Instant>>,
    /// Somebody looks again.
    came: Notify,
}

/// Somebody looks, until this is dropped.
pub(crate) struct Listener {
    sampler: Rc<Sampler>,
    newest: watch::Receiver<u64>,
}

impl Sampler {
    /// Begins when the first listener comes.
    pub(crate) fn start(replicas: Data<Replicas>, pace: Pace) -> Rc<Self> {
        let sampler = Rc::new(Self {
            ring: RefCell::default(),
            newest: watch::Sender::new(0),
            listeners: Cell::new(0),
            left: Cell::new(None),
            came: Notify::new(),
        });
        rt::spawn(sampler.clone().run(replicas, pace));
        sampler
    }

    async fn run(self: Rc<Self>, replicas: Data<Replicas>, pace: Pace) {
        let (begin, mut sampled) = (Instant::now(), Sampled::default());
        // Numbers only grow, also where the page is started anew: samples are rarer than seconds.
        let mut id = since_1970().as_secs();
        let (mut next, mut gap) = (begin, true);
        loop {
            if !self.is_wanted(pace) {
                self.came.notified().await;
                (next, gap) = (Instant::now(), true);
                continue;
            }
            let ops = replicas.current().await;
            id += 1;
            // Before they are asked: most answer at once, and one that hangs must not make the others seem late.
            let now = Moment { id, at: begin.elapsed(), time: since_1970(), gap };
            let (events, bookings) = tokio::join!(scrape(&ops.events), scrape(&ops.bookings));
            let sample = sampled.sample(&now, events, bookings);
            let text = serde_json::to_string(&sample).expect("it has only string keys");
            self.ring.borrow_mut().push(Stored::new(id, gap, text));
            self.newest.send_replace(id);
            // Where one took longer than it should, the next comes at once, and the others keep their distance.
            (next, gap) = ((next + pace.every).max(Instant::now()), false);
            sleep_until(next).await;
        }
    }

    fn is_wanted(&self, pace: Pace) -> bool {
        self.listeners.get() > 0 || self.left.get().is_some_and(|left| left.elapsed() < pace.after_the_last)
    }

    /// Somebody looks.
    pub(crate) fn listen(self: &Rc<Self>) -> Listener {
        self.listeners.set(self.listeners.get() + 1);
        self.came.notify_one();
        Listener { sampler: self.clone(), newest: self.newest.subscribe() }
    }

    /// The number of the newest sample; 0 where there is none.
    pub(crate) fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// How many look.
    pub(crate) fn listeners(&self) -> usize {
        self.listeners.get()
    }
}

impl Listener {
    /// The samples after the one with this number, oldest first.
    pub(crate) fn after(&self, id: u64) -> Vec<Stored> {
        self.sampler.ring.borrow().after(id).cloned().collect()
    }

    /// Waits for a sample that is newer than those that were there when this was called last.
    pub(crate) async fn changed(&mut self) {
        self.newest.changed().await.expect("the sampler lives as long as this");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.sampler.listeners.set(self.sampler.listeners.get() - 1);
        self.sampler.left.set(Some(Instant::now()));
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rest::{Target, urls::OpsUrls};

    use super::*;

    /// Nobody answers there, which takes no time.
    fn replicas() -> Data<Replicas> {
        let nobody = Target::parse("http://127.0.0.1:1").unwrap();
        Data::new(Replicas::new(OpsUrls { events: vec![nobody.clone()], bookings: vec![nobody] }))
    }

    #[actix_web::test]
    async fn it_begins_with_a_listener_ends_a_while_after_the_last_and_says_where_the_gap_is() {
        let pace = Pace { every: Duration::from_millis(20), after_the_last: Duration::from_millis(200) };
        let sampler = Sampler::start(replicas(), pace);
        let count = || sampler.ring.borrow().after(0).len();
        rt::time::sleep(pace.every * 5).await;
        assert_eq!(count(), 0, "nobody looks");

        let mut listener = sampler.listen();
        for _ in 0..3 {
            listener.changed().await;
        }
        drop(listener);
        let seen = count();
        rt::time::sleep(pace.after_the_last / 2).await;
        assert!(count() > seen, "it goes on for a while");
        rt::time::sleep(pace.after_the_last * 2).await;
        let seen = count();
        rt::time::sleep(pace.after_the_last).await;
        assert_eq!(count(), seen, "nobody looks any more");

        let mut listener = sampler.listen();
        listener.changed().await;
        listener.changed().await;
        let gaps = listener.after(0).into_iter().map(|sample| sample.json(false).starts_with(r#"{"gap":true,"#));
        let gaps: Vec<_> = gaps.enumerate().filter(|(_, gap)| *gap).map(|(at, _)| at).collect();
        assert_eq!(gaps, [0, seen]);
    }
}
