//! Targets that Prometheus scrapes: each is an address at which one process after the other lives, as a script says.

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A process that counts. Its times are seconds of the script.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) from: f64,
    pub(crate) until: f64,
    /// Nobody reaches it in between.
    pub(crate) away: (f64, f64),
    /// When it counts, and how many.
    pub(crate) counts: &'static [(f64, u32)],
    /// It is reached so many times, and never again.
    pub(crate) scrapes: usize,
    /// How far its clock is ahead.
    pub(crate) ahead: f64,
}

impl Life {
    /// One that does not end.
    pub(crate) const fn from(from: f64, counts: &'static [(f64, u32)]) -> Self {
        Self { from, until: f64::MAX, away: (0.0, 0.0), counts, scrapes: usize::MAX, ahead: 0.0 }
    }

    pub(crate) const fn until(mut self, until: f64) -> Self {
        self.until = until;
        self
    }

    pub(crate) const fn away(mut self, from: f64, until: f64) -> Self {
        self.away = (from, until);
        self
    }

    pub(crate) const fn scraped_once(mut self) -> Self {
        self.scrapes = 1;
        self
    }

    pub(crate) const fn ahead(mut self, seconds: f64) -> Self {
        self.ahead = seconds;
        self
    }

    fn is_reached(&self, now: f64) -> bool {
        let away = self.away.0 <= now && now < self.away.1;
        self.from <= now && now < self.until && !away
    }

    fn counted(&self, now: f64) -> u32 {
        self.counts.iter().filter(|(at, _)| *at <= now).map(|(_, many)| many).sum()
    }
}

/// A series of one target.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// As it is exported, with its labels.
    pub(crate) name: &'static str,
    /// One after the other.
    pub(crate) lives: Vec<Life>,
}

/// All targets, at one address: the path is a target's number.
pub(crate) struct Targets {
    pub(crate) address: String,
    script: Arc<Script>,
}

impl Targets {
    /// Nobody is there before [`Targets::begin`].
    pub(crate) async fn start(targets: Vec<Vec<Series>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let script = Arc::new(Script { targets, began: OnceLock::new() });
        let here = Arc::clone(&script);
        tokio::spawn(async move {
            let mut scrapes = HashMap::new();
            while let Ok((stream, _)) = listener.accept().await {
                here.answer(stream, &mut scrapes).await;
            }
        });
        Self { address, script }
    }

    /// The script begins now: in seconds since 1970.
    pub(crate) fn begin(&self) -> f64 {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        self.script.began.get_or_init(|| (Instant::now(), since_1970)).1
    }
}

struct Script {
    targets: Vec<Vec<Series>>,
    began: OnceLock<(Instant, f64)>,
}

type Scrapes = HashMap<usize, usize>;

impl Script {
    async fn answer(&self, mut stream: TcpStream, scrapes: &mut Scrapes) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let read = stream.read_buf(&mut head);
            match tokio::time::timeout(Duration::from_secs(1), read).await {
                Ok(Ok(1..)) => {}
                _ => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let number = head.split(' ').nth(1).and_then(|path| path.trim_start_matches('/').parse().ok()).unwrap();
        let text = self.text(number, *scrapes.get(&number).unwrap_or(&0));
        let Some(text) = text else { return }; // nobody is there
        *scrapes.entry(number).or_default() += 1;
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let length = text.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n");
        let _ = stream.write_all(format!("{head}\r\n{text}").as_bytes()).await; // it may have gone away
    }

    /// OpenMetrics, with the moment when each counter began behind its value.
    fn text(&self, number: usize, scrapes: usize) -> Option<String> {
        let (clock, began) = self.began.get()?;
        let now = clock.elapsed().as_secs_f64();
        let mut text = String::new();
        let mut last = "";
        for Series { name, lives } in &self.targets[number] {
            let Some(life) = lives.iter().find(|life| life.is_reached(now) && scrapes < life.scrapes) else { continue };
            let (metric, labels) =
                name.split_once('{').map_or((*name, ""), |(metric, _)| (metric, &name[metric.len()..]));
            let family = metric.trim_end_matches("_total");
            if family != last {
                let _ = writeln!(text, "# TYPE {family} counter"); // into a String it cannot fail
                last = family;
            }
            let _ = writeln!(text, "{name} {}", life.counted(now));
            let _ = writeln!(text, "{family}_created{labels} {:.3}", began + life.from + life.ahead);
        }
        (!text.is_empty()).then(|| text + "# EOF\n")
    }
}
