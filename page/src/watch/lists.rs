//! The lists of events that browsers show: asked once a second, once for all that show the same.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    body::MessageBody,
    http::{StatusCode, header::CONTENT_TYPE},
    rt,
    web::{Bytes, Data},
};
use futures_util::future::join_all;
use rest::{Answer, Failure, Request};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use webserver::problem::Problem;

use crate::forward::{Services, silent};

const EVERY: Duration = Duration::from_secs(1);

/// Then the list cannot be had.
const TIMEOUT: Duration = Duration::from_secs(3);

/// So many are asked for in one turn; where there are more, each waits for its turn.
const AT_ONCE: usize = 32;

/// All lists that are shown, by their query. It lives on the page's thread.
pub(crate) struct Lists {
    services: Data<Services>,
    shown: RefCell<BTreeMap<String, Shown>>,
    /// Somebody shows another one.
    came: Notify,
}

struct Shown {
    asked: Option<Instant>,
    /// What it was last: JSON, a page of events or a problem.
    last: watch::Sender<Option<String>>,
}

impl Lists {
    /// Begins when the first list is shown.
    pub(crate) fn start(services: Data<Services>) -> Rc<Self> {
        let lists = Rc::new(Self { services, shown: RefCell::default(), came: Notify::new() });
        rt::spawn(lists.clone().run());
        lists
    }

    /// Looks at the list with this query until the receiver is dropped. It has `None` until it was asked.
    pub(crate) fn show(&self, query: &str) -> watch::Receiver<Option<String>> {
        let mut shown = self.shown.borrow_mut();
        let new = || Shown { asked: None, last: watch::Sender::new(None) };
        let mut last = shown.entry(query.to_owned()).or_insert_with(new).last.subscribe();
        last.mark_changed(); // what is known already is new to who asks
        self.came.notify_one();
        last
    }

    async fn run(self: Rc<Self>) {
        let mut turns = interval(EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.shown.borrow().is_empty() {
                self.came.notified().await;
            } else {
                let only_new = tokio::select! { _ = turns.tick() => false, () = self.came.notified() => true };
                join_all(self.due(only_new).into_iter().map(|query| self.ask(query))).await;
                continue;
            }
            turns.reset_immediately();
        }
    }

    /// Those of this turn: those that were asked longest ago. What nobody shows any more is forgotten.
    fn due(&self, only_new: bool) -> Vec<String> {
        let mut shown = self.shown.borrow_mut();
        shown.retain(|_, shown| shown.last.receiver_count() > 0);
        let mut due: Vec<_> = shown.iter_mut().filter(|(_, shown)| !only_new || shown.asked.is_none()).collect();
        due.sort_by_key(|(_, shown)| shown.asked);
        due.truncate(AT_ONCE);
        let now = Instant::now();
        let query = |(query, shown): (&String, &mut Shown)| {
            shown.asked = Some(now);
            query.clone()
        };
        due.into_iter().map(query).collect()
    }

    async fn ask(&self, query: String) {
        let request = Request::get(if query.is_empty() { "/events".into() } else { format!("/events?{query}") });
        let service = &self.services.events;
        let answered = timeout(TIMEOUT, service.exchange(&request)).await.unwrap_or(Err(Failure::Unanswered));
        let json = answered.map_or_else(|cause| told(&silent(service.name, &request, &cause)), list);
        if let Some(shown) = self.shown.borrow().get(&query) {
            shown.last.send_if_modified(|last| {
                let changes = last.as_ref() != Some(&json);
                *last = Some(json);
                changes
            });
        }
    }
}

/// A page of events, or the problem with it.
fn list(answer: Answer) -> String {
    let is_json = answer.headers.get(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    match String::from_utf8(answer.body.into()).ok().filter(|_| is_json) {
        Some(page) if answer.status.is_success() => page,
        Some(problem) => format!(r#"{{"problem":{problem}}}"#),
        None => {
            let (title, detail) = ("The service answers what is not understood", format!("status {}", answer.status));
            told(&Problem::new(StatusCode::BAD_GATEWAY, "not-understood", title, detail))
        }
    }
}

fn told(problem: &Problem) -> String {
    let body = HttpResponse::into_body(problem.error_response()).try_into_bytes();
    let body = body.unwrap_or_else(|_| Bytes::from_static(b"null")); // it is no stream
    format!(r#"{{"problem":{}}}"#, String::from_utf8_lossy(&body))
}

#[cfg(test)]
mod tests {
    use rest::Target;

    use super::*;
    use crate::upstream::Upstream;

    #[actix_web::test]
    async fn the_same_list_is_asked_once_and_where_there_are_many_each_has_its_turn() {
        let nobody = || Upstream::new("service", vec![Target::parse("http://127.0.0.1:1").unwrap()]);
        let lists = Lists::start(Data::new(Services { events: nobody(), bookings: nobody() }));
        let queries: Vec<_> = (0..40).map(|number| format!("name={number:02}")).collect();
        let shown: Vec<_> = queries.iter().chain(&queries).map(|query| lists.show(query)).collect();
        let [first, second, third] = [true, true, false].map(|only_new| lists.due(only_new));
        assert_eq!((&first[..], &second[..]), (&queries[..AT_ONCE], &queries[AT_ONCE..]));
        assert!(lists.due(true).is_empty(), "none is new");
        let fourth = lists.due(false);
        assert!(third == first && second.iter().all(|query| fourth.contains(query)), "{third:?} {fourth:?}");
        drop(shown);
        assert!(lists.due(false).is_empty() && lists.shown.borrow().is_empty(), "nobody shows them any more");
    }

    #[actix_web::test]
    async fn a_service_that_is_away_is_a_problem_and_is_told_once() {
        let nobody = || Upstream::new("event service", vec![Target::parse("http://127.0.0.1:1").unwrap()]);
        let lists = Lists::start(Data::new(Services { events: nobody(), bookings: nobody() }));
        let mut list = lists.show("");
        while list.borrow_and_update().is_none() {
            list.changed().await.unwrap();
        }
        assert!(list.borrow().as_ref().unwrap().starts_with(r#"{"problem":{"type":"urn:myevents:problem:away","#));
        let again = timeout(EVERY * 2, list.changed()).await;
        assert!(again.is_err(), "it has not changed");
    }
}
