//! `GET /api/stream`: what a browser is told by itself, as server-sent events: the samples, its list of events whenever a seat
//! changes, and how the load goes.
//!
//! There is no queue for a browser: a stream knows which sample it has sent last, and takes the next from the ring when the browser has
//! taken that. One that is too slow skips some.

use std::{convert::Infallible, rc::Rc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_TYPE, HeaderName},
    web::{Bytes, Data},
};
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;
use webserver::{input::Query, problem::Problem};

use crate::{
    play::{Play, PlayState},
    watch::{
        lists::Lists,
        ring::Stored,
        sampler::{Listener, Sampler},
    },
};

/// Further ones are refused. Each has a connection, and the page has 256.
const STREAMS_MAX: usize = 200;

/// Of those that a browser has missed meanwhile, so many are sent; where there are more, only the newest. A minute of them.
const MISSED_MAX: usize = 30;

/// After so long without anything else a comment is sent, so that nobody on the way takes the connection for a dead one.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The longest query of a list.
const LIST_MAX: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The query of the list that is shown.
    #[serde(default)]
    list: String,
    /// The last sample that the browser has.
    after: Option<u64>,
}

pub(crate) async fn stream(
    request: HttpRequest,
    asked: Query<Asked>,
    sampler: Data<Rc<Sampler>>,
    lists: Data<Rc<Lists>>,
    play: Data<Play>,
    stop: Data<CancellationToken>,
) -> Result<HttpResponse, Problem> {
    let Query(Asked { list, after }) = asked;
    if list.len() > LIST_MAX || !list.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        let right = format!(
            "it must be a query like name=ki&limit=20 of at most {LIST_MAX} characters, percent-encoded once more"
        );
        return Err(Problem::bad_request("list", right));
    }
    if sampler.listeners() >= STREAMS_MAX {
        return Err(Problem::unavailable(format!("{STREAMS_MAX} tabs look at this page already; close some of them")));
    }
    let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let mut play = play.subscribe();
    play.mark_changed(); // what is known already is new to who asks
    let reader = Reader {
        play,
        listener: sampler.listen(),
        list: lists.show(&list),
        stop: stop.as_ref().clone(),
        // A number that no sample has yet is of another run of this page.
        sent: after.max(last).filter(|after| *after <= sampler.newest()).unwrap_or_default(),
        begun: false,
    };
    let pieces = unfold(reader, async |mut reader| Some((Ok::<_, Infallible>(reader.next().await?), reader)));
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "text/event-stream")).force_close();
    response.insert_header((HeaderName::from_static("x-accel-buffering"), "no")); // nginx would keep the events back
    Ok(response.streaming(pieces))
}

/// One stream.
struct Reader {
    listener: Listener,
    list: watch::Receiver<Option<String>>,
    play: watch::Receiver<PlayState>,
    stop: CancellationToken,
    /// The number of the last sample that was sent.
    sent: u64,
    begun: bool,
}

impl Reader {
    /// What is sent next; `None` when the page stops.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            return Some(self.history().into());
        }
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = self.listener.changed() => {
                    let samples = self.samples();
                    if !samples.is_empty() {
                        return Some(samples.into());
                    }
                }
                changed = self.list.changed() => {
                    changed.expect("the sender lives as long as there are receivers");
                    if let Some(list) = &*self.list.borrow_and_update() {
                        return Some(event("seats", None, list).into());
                    }
                }
                changed = self.play.changed() => {
                    changed.expect("the page has it as long as it answers");
                    let state = serde_json::to_string(&*self.play.borrow_and_update()).expect("it has only string keys");
                    return Some(event("play", None, &state).into());
                }
                () = sleep(HEARTBEAT) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    fn history(&mut self) -> String {
        let samples = self.listener.after(self.sent);
        let items: Vec<_> = samples.iter().map(|sample| sample.json(false)).collect();
        let last = samples.last().map(|sample| sample.id);
        self.sent = last.unwrap_or(self.sent);
        "retry: 2000\n".to_owned() + &event("history", last, &format!(r#"{{"items":[{}]}}"#, items.join(",")))
    }

    fn samples(&mut self) -> String {
        let missed = self.listener.after(self.sent);
        self.sent = missed.last().map_or(self.sent, |sample| sample.id);
        let skipped = missed.len() > MISSED_MAX;
        let rest = if skipped { &missed[missed.len() - 1..] } else { &missed };
        let one = |sample: &Stored| event("sample", Some(sample.id), &sample.json(skipped));
        rest.iter().map(one).collect()
    }
}

/// The text of an event.
fn event(name: &str, id: Option<u64>, data: &str) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    let lines: String = data.lines().map(|line| format!("data: {line}\n")).collect();
    format!("event: {name}\n{id}{lines}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_as_browsers_read_it() {
        assert_eq!(event("sample", Some(7), "{}"), "event: sample\nid: 7\ndata: {}\n\n");
        assert_eq!(event("seats", None, "{\n}"), "event: seats\ndata: {\ndata: }\n\n");
    }
}
