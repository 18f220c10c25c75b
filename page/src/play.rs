//! The button that starts a gentle load, one for all who look, and stops it. It ends by itself after ten minutes, and with the page.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{HttpResponse, http::StatusCode, web};
use load::{Plan, seen::Seen};
use rest::urls::Urls;
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use webserver::{
    input::{Json, NoQuery},
    problem::Problem,
};

/// Requests a second.
const RATE: f64 = 20.0;

/// It is forgotten easily, so it ends.
const DURATION: Duration = Duration::from_secs(10 * 60);

/// A rate over less than this says nothing.
const SHORTEST: Duration = Duration::from_millis(500);

/// What the page shows of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlayState {
    /// Whether it may be started here.
    allowed: bool,
    on: bool,
    /// When it began and when it ends, in milliseconds since 1970.
    since: Option<i64>,
    ends: Option<i64>,
    /// Requests a second that are asked for.
    rate: f64,
    /// Answers a second over the last seconds.
    answered_per_second: Option<f64>,
    /// Why it ended, where that was not on purpose.
    error: Option<String>,
    #[serde(flatten)]
    seen: Seen,
}

/// The one load, or none.
pub(crate) struct Play {
    state: watch::Sender<PlayState>,
    urls: Urls,
    /// Cancelled with the page.
    stop: CancellationToken,
    running: Mutex<Option<CancellationToken>>,
}

impl Play {
    pub(crate) fn new(urls: Urls, allowed: bool, stop: CancellationToken) -> Self {
        let (on, error, seen) = (false, None, Seen::default());
        let state =
            PlayState { allowed, on, since: None, ends: None, rate: RATE, answered_per_second: None, error, seen };
        Self { state: watch::Sender::new(state), urls, stop, running: Mutex::default() }
    }

    /// For those who look.
    pub(crate) fn subscribe(&self) -> watch::Receiver<PlayState> {
        self.state.subscribe()
    }

    /// Starts it, unless it is on.
    fn start(self: Arc<Self>) {
        let mut running = self.running.lock().expect("nothing panics while it holds this");
        if running.is_some() {
            return;
        }
        let stop = self.stop.child_token();
        *running = Some(stop.clone());
        drop(running);
        let now = jiff::Timestamp::now().as_millisecond();
        self.state.send_modify(|state| {
            (state.on, state.error, state.answered_per_second, state.seen) = (true, None, None, Seen::default());
            (state.since, state.ends) = (Some(now), Some(now + DURATION.as_millis() as i64));
        });
        actix_web::rt::spawn(async move {
            let ended = self.run(stop).await;
            *self.running.lock().expect("nothing panics while it holds this") = None;
            self.state.send_modify(|state| {
                (state.on, state.ends, state.answered_per_second) = (false, None, None);
                state.error = ended.err().map(|cause| format!("{cause:#}"));
            });
        });
    }

    /// Until it ends; meanwhile it tells how it goes.
    async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        let (seen, mut told) = watch::channel(Seen::default());
        let Urls { events, bookings, .. } = self.urls.clone();
        let plan = Plan { seen: Some(seen), ..Plan::gentle(events, bookings, RATE, DURATION) };
        let tell = async {
            let (mut before, mut at) = (Seen::default(), Instant::now());
            while told.changed().await.is_ok() {
                let (seen, now) = (*told.borrow_and_update(), Instant::now());
                if now - at < SHORTEST {
                    continue; // one phase of the load has ended and the next begins
                }
                let answered = |seen: Seen| seen.requests - seen.unanswered;
                let rate = answered(seen).saturating_sub(answered(before)) as f64 / (now - at).as_secs_f64();
                self.state.send_modify(|state| (state.seen, state.answered_per_second) = (seen, Some(rate)));
                (before, at) = (seen, now);
            }
            std::future::pending().await // the load has told all, and ends
        };
        tokio::select! {
            // Where it is stopped before it began, there is no report, and that is no error.
            performed = load::perform(plan, stop.clone()) => match performed {
                Err(cause) if !stop.is_cancelled() => Err(cause),
                _ => Ok(()),
            },
            never = tell => never,
        }
    }

    fn stop(&self) {
        if let Some(stop) = &*self.running.lock().expect("nothing panics while it holds this") {
            stop.cancel();
        }
    }
}

/// What the button says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    on: bool,
}

/// `GET /api/play`: the state.
pub(crate) async fn show(play: web::Data<Play>, _: NoQuery) -> HttpResponse {
    HttpResponse::Ok().json(&*play.subscribe().borrow())
}

/// `POST /api/play`: the state after it.
pub(crate) async fn press(play: web::Data<Play>, Json(wanted): Json<Wanted>) -> Result<HttpResponse, Problem> {
    if !play.state.borrow().allowed {
        let detail = "no load may be started here; the option PAGE_PLAY=on (--page-play on) of the page allows it";
        let title = "The load is not allowed here";
        return Err(Problem::new(StatusCode::FORBIDDEN, "play-not-allowed", title, detail));
    }
    if wanted.on {
        play.clone().into_inner().start()
    } else {
        play.stop()
    }
    let state = play.state.borrow().clone();
    Ok(HttpResponse::Ok().json(state))
}
