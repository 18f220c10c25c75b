//! A drill: a fault, what must be seen of it, and nothing else.
//!
//! Of an alert is seen: that it is pending, that it fires, the message in DingTalk, the mail where one is due, and the same that it is
//! over. At the end every alert that ever fired must be one that the drill names.

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use e2e::{
    dashboard::{self, with_values, workspace},
    eventually,
    rules::{self, Rule},
};

use crate::watch::Watch;

/// How long a step may take. The longest `for` is a minute here, and some thresholds are a minute of real time.
const STEP_TIMEOUT: Duration = Duration::from_secs(150);

/// Until all is up and quiet, on a busy machine.
const CALM: Duration = Duration::from_secs(60);

/// A panel that moves in the fault.
#[derive(Clone, Copy)]
pub(crate) struct Panel {
    /// The dashboard's file, without its end.
    pub(crate) dashboard: &'static str,
    pub(crate) title: &'static str,
    /// What none of its values is before, and one is in the fault.
    pub(crate) moved: fn(f64) -> bool,
}

/// When an alert was seen, in seconds since the fault.
struct Seen {
    alert: String,
    pending: Option<f64>,
    firing: f64,
    dingtalk: Option<f64>,
    mail: Option<f64>,
    resolved: Option<f64>,
}

/// One fault in one system.
pub(crate) struct Drill {
    pub(crate) watch: Watch,
    what: &'static str,
    may: &'static [&'static str],
    fault: Instant,
    /// The same, as others see it.
    clock: SystemTime,
    panel: Option<(Panel, f64)>,
    seen: Vec<Seen>,
    /// When the first alert was asked to be over.
    mended: Option<Instant>,
}

impl Drill {
    /// Waits until so many targets are up and nothing but the Watchdog fires. `may`: the other alerts that may follow from the fault.
    pub(crate) async fn begin(what: &'static str, watch: Watch, targets: usize, may: &'static [&'static str]) -> Self {
        eventually(CALM, &format!("{what}: {targets} targets are up"), async || {
            let up = watch.ask.query("count(up == 1)").await;
            up.first().is_some_and(|up| up.value as usize == targets).then_some(())
        })
        .await;
        eventually(CALM, &format!("{what}: nothing fires"), async || {
            let quiet = watch.alerts().await.iter().all(|alert| alert.name == "Watchdog");
            (quiet && watch.notifications.since_heartbeat().await.is_some()).then_some(())
        })
        .await;
        Self {
            watch,
            what,
            may,
            fault: Instant::now(),
            clock: SystemTime::now(),
            panel: None,
            seen: Vec::new(),
            mended: None,
        }
    }

    /// The fault begins now. Returns when the panel shows it.
    pub(crate) async fn moves(&mut self, panel: Panel, inject: impl AsyncFnOnce(&mut Watch)) {
        let before = eventually(CALM, &format!("{}: {} shows something", self.what, panel.title), async || {
            Some(self.values(panel).await).filter(|values| !values.is_empty())
        })
        .await;
        assert!(!before.iter().any(|value| (panel.moved)(*value)), "{} shows {before:?}", panel.title);
        self.begins(inject).await;
        eventually(STEP_TIMEOUT, &format!("{}: {} moves", self.what, panel.title), async || {
            self.values(panel).await.into_iter().any(panel.moved).then_some(())
        })
        .await;
        self.panel = Some((panel, self.since()));
    }

    /// The same where no panel could show it.
    pub(crate) async fn begins(&mut self, inject: impl AsyncFnOnce(&mut Watch)) {
        (self.fault, self.clock) = (Instant::now(), SystemTime::now());
        inject(&mut self.watch).await;
    }

    async fn values(&self, panel: Panel) -> Vec<f64> {
        let dashboards = dashboard::all().into_iter().chain(dashboard::exporters());
        let mut dashboards = dashboards.filter(|one| one.file == format!("{}.json", panel.dashboard));
        let dashboard = dashboards.next().unwrap_or_else(|| panic!("no dashboard {}", panel.dashboard));
        let title = format!(" {:?}", panel.title);
        let queries: Vec<_> = dashboard.queries().into_iter().filter(|query| query.place.ends_with(&title)).collect();
        assert!(!queries.is_empty(), "{} has no panel {}", panel.dashboard, panel.title);
        let mut values = Vec::new();
        for query in queries {
            let series = self.watch.ask.query(&self.watch.factor.expression(&with_values(&query.expression))).await;
            values.extend(series.into_iter().map(|one| one.value));
        }
        values
    }

    fn since(&self) -> f64 {
        self.fault.elapsed().as_secs_f64()
    }

    /// The alert is pending, fires, and arrives wherever its labels send it.
    pub(crate) async fn fires(&mut self, alert: &str) {
        let rule = rule(alert);
        let (pending, firing) = self.seen_by_prometheus(&rule).await;
        let (dingtalk, mail) = (self.at_dingtalk("firing", alert).await, self.mailed("firing", &rule).await);
        self.watch.links_open(alert).await;
        self.seen.push(Seen { alert: alert.into(), pending, firing, dingtalk: Some(dingtalk), mail, resolved: None });
    }

    /// The same where DingTalk takes nothing: a mail, and no message.
    pub(crate) async fn fires_by_mail(&mut self, alert: &str) {
        let rule = rule(alert);
        let (pending, firing) = self.seen_by_prometheus(&rule).await;
        let mail = self.mailed("firing", &rule).await;
        assert!(
            mail.is_some() && !self.watch.notifications.by_dingtalk("firing", alert).await,
            "{}: {alert}",
            self.what
        );
        self.seen.push(Seen { alert: alert.into(), pending, firing, dingtalk: None, mail, resolved: None });
    }

    /// DingTalk takes messages again: what still fires arrives there, too.
    pub(crate) async fn arrives_late(&mut self, alert: &str) {
        let late = self.at_dingtalk("firing", alert).await;
        self.seen.iter_mut().find(|seen| seen.alert == alert).expect("it fired").dingtalk = Some(late);
    }

    /// The Watchdog does not arrive any more, which is what the inbox shows in red.
    pub(crate) async fn switch_is_silent_for(&mut self, long: Duration) {
        eventually(STEP_TIMEOUT, &format!("{}: the dead-man's switch is silent", self.what), async || {
            (self.watch.notifications.since_heartbeat().await? >= long).then_some(())
        })
        .await;
        let alert = "the dead-man's switch".into();
        let firing = self.since();
        self.seen.push(Seen { alert, pending: None, firing, dingtalk: None, mail: None, resolved: None });
    }

    /// It arrives again.
    pub(crate) async fn switch_gets_heartbeats(&mut self) {
        let end = Instant::now();
        eventually(STEP_TIMEOUT, &format!("{}: the dead-man's switch gets heartbeats", self.what), async || {
            (self.watch.notifications.since_heartbeat().await? < end.elapsed()).then_some(())
        })
        .await;
        self.seen.last_mut().expect("it was silent").resolved = Some(end.elapsed().as_secs_f64());
    }

    /// When it is pending, where it has a `for`, and when it fires.
    async fn seen_by_prometheus(&self, rule: &Rule) -> (Option<f64>, f64) {
        let fires = format!("{}: {} fires", self.what, rule.name);
        let firing = eventually(STEP_TIMEOUT, &fires, async || self.first(rule, "firing").await).await;
        let pending = self.first(rule, "pending").await;
        assert_eq!(pending.is_some(), !rule.lasts.is_empty(), "{}: whether {} was pending", self.what, rule.name);
        (pending, firing)
    }

    /// When Prometheus first had it in such a state.
    async fn first(&self, rule: &Rule, state: &str) -> Option<f64> {
        let since = self.fault.elapsed().as_millis();
        let labels: String = rule.labels.iter().map(|(name, value)| format!(",{name}=\"{value}\"")).collect();
        let alert = format!("ALERTS{{alertname=\"{}\",alertstate=\"{state}\"{labels}}}", rule.name);
        let first = format!("min(min_over_time(timestamp({alert})[{since}ms:500ms]))");
        let began = self.clock.duration_since(UNIX_EPOCH).expect("it is later").as_secs_f64();
        self.watch.ask.query(&first).await.first().map(|one| one.value - began)
    }

    /// After the end of the fault: it fires no more, and whoever was notified of it is notified of that.
    pub(crate) async fn is_over(&mut self, alert: &str) {
        let rule = rule(alert);
        let end = *self.mended.get_or_insert_with(Instant::now);
        eventually(STEP_TIMEOUT, &format!("{}: {alert} is over", self.what), async || {
            (!self.watch.alerts().await.iter().any(|one| one.is(&rule))).then_some(())
        })
        .await;
        self.at_dingtalk("resolved", alert).await;
        self.mailed("resolved", &rule).await;
        let seen = self.seen.iter_mut().find(|seen| seen.alert == alert).expect("it fired");
        seen.resolved = Some(end.elapsed().as_secs_f64());
    }

    async fn at_dingtalk(&self, word: &str, alert: &str) -> f64 {
        let what = format!("{}: DingTalk gets {word} {alert}", self.what);
        eventually(STEP_TIMEOUT, &what, async || {
            self.watch.notifications.by_dingtalk(word, alert).await.then(|| self.since())
        })
        .await
    }

    /// `None` where no mail is due.
    async fn mailed(&self, word: &str, rule: &Rule) -> Option<f64> {
        let due = rule.labels["severity"] == "critical" || rule.labels.contains_key("channel");
        let what = format!("{}: a mail, {word} {}", self.what, rule.name);
        let mail = async || self.watch.notifications.by_mail(word, &rule.name).await.then(|| self.since());
        if due { Some(eventually(STEP_TIMEOUT, &what, mail).await) } else { None }
    }

    /// Nothing fired since the fault that the drill does not name.
    pub(crate) async fn end(self) {
        // Not before: where a broker starts slowly, a service is missing.
        let since = self.fault.elapsed().as_millis();
        let history = format!("count by (alertname) (count_over_time(ALERTS{{alertstate=\"firing\"}}[{since}ms]))");
        let fired = self.watch.ask.query(&history).await;
        let fired: BTreeSet<_> = fired.into_iter().map(|one| one.labels["alertname"].clone()).collect();
        let named = |alert: &str| {
            alert == "Watchdog" || self.may.contains(&alert) || self.seen.iter().any(|seen| seen.alert == alert)
        };
        let others: Vec<_> = fired.iter().filter(|alert| !named(alert)).collect();
        assert!(others.is_empty(), "{}: these fired, too: {others:?}", self.what);
        if !self.seen.is_empty() {
            self.write_row();
        }
    }

    /// The end of a quiet drill whose panel has moved.
    pub(crate) async fn stays_quiet(self, minutes: u64) {
        let (panel, _) = self.panel.expect("what happened was seen");
        self.stays_quiet_after(&format!("{}, {}", panel.dashboard, panel.title), minutes).await;
    }

    /// The end of a quiet drill, in which so much was seen: so many minutes more (as the rules count them; more than the longest `for` of
    /// what could follow), and then nothing is pending, nothing but the Watchdog has fired, and nobody was notified.
    pub(crate) async fn stays_quiet_after(self, seen: &str, minutes: u64) {
        let long = self.watch.factor.time(Duration::from_secs(60 * minutes));
        tokio::time::sleep(long).await; // it waits for nothing to happen
        let there: Vec<_> = self.watch.alerts().await.into_iter().map(|one| one.name).collect();
        assert_eq!(there, ["Watchdog"], "{}: pending or firing", self.what);
        assert_eq!(self.watch.notifications.messages().await, [""; 0], "{}: messages", self.what);
        assert_eq!(self.watch.notifications.subjects().await, [""; 0], "{}: mails", self.what);
        write_quiet_row(self.what, seen, long);
        self.end().await;
    }

    /// For the table in docs/drills.md, which `.ci/drills table` makes.
    fn write_row(&self) {
        let seconds = |time: Option<f64>| time.map_or("-".into(), |time| format!("{:.0}", time.ceil()));
        let mut rows = String::new();
        for (index, seen) in self.seen.iter().enumerate() {
            let (what, panel) = if index == 0 { (self.what, self.panel) } else { ("", None) };
            let panel = panel.map_or(["".into(), "".into()], |(panel, at)| {
                [format!("{}, {}", panel.dashboard, panel.title), format!("{:.0}", at.ceil())]
            });
            let Seen { alert, pending, firing, dingtalk, mail, resolved } = seen;
            let times = [*pending, Some(*firing), *dingtalk, *mail, *resolved].map(seconds).join(" | ");
            let _ = writeln!(rows, "drill | {what} | {} | {} | {alert} | {times} |", panel[0], panel[1]);
        }
        write_rows(self.what, &rows);
    }
}

/// For the second table there.
pub(crate) fn write_quiet_row(what: &str, seen: &str, watched: Duration) {
    write_rows(what, &format!("quiet | {what} | {seen} | {:.0} |\n", watched.as_secs_f64()));
}

fn write_rows(what: &str, rows: &str) {
    print!("{rows}");
    let folder = workspace().join("target/drills");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(what), rows).unwrap();
}

/// Of several of one name the first: the others only look at longer windows.
fn rule(alert: &str) -> Rule {
    let rule = rules::all().into_iter().find(|rule| rule.alert && rule.name == alert);
    rule.unwrap_or_else(|| panic!("there is no alert {alert}"))
}
