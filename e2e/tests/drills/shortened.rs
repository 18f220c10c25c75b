//! The files of `prometheus/`, with every time in them divided by the same number: an hour's window is four minutes long.
//!
//! Only times of Prometheus and Alertmanager are shortened: `for`, windows, offsets, intervals. What the rules compare with is as it is,
//! since the services know nothing of a drill: a message that is too old after a minute is so here, too.

use std::{path::Path, time::Duration};

/// By how much times are divided.
#[derive(Clone, Copy)]
pub(crate) struct Factor(pub(crate) u32);

/// A scrape every 15 s becomes one every second.
pub(crate) const USUAL: Factor = Factor(15);

/// The keys whose value is a time.
const KEYS: [&str; 9] = [
    "for",
    "keep_firing_for",
    "interval",
    "scrape_interval",
    "evaluation_interval",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "resolve_timeout",
];

impl Factor {
    /// So long is in a drill what is otherwise so long.
    pub(crate) fn time(self, long: Duration) -> Duration {
        long / self.0
    }

    /// A text of rules, routes or scrapes.
    pub(crate) fn text(self, long: &str) -> String {
        long.lines().map(|line| self.line_of_yaml(line) + "\n").collect()
    }

    fn line_of_yaml(self, line: &str) -> String {
        let (key, value) = line.split_once(": ").unwrap_or((line, ""));
        if KEYS.contains(&key.trim_start_matches([' ', '-'])) {
            let (time, rest) = value.split_at(value.find(' ').unwrap_or(value.len()));
            let short = self.duration(time).unwrap_or_else(|| panic!("no time: {line}"));
            return format!("{key}: {short}{rest}");
        }
        self.expression(line)
    }

    /// `rate(x[5m] offset 1h)`: what stands in brackets or behind `offset`.
    pub(crate) fn expression(self, long: &str) -> String {
        let in_brackets = |text: &str| {
            let parts: Option<Vec<_>> = text.split(':').map(|time| self.duration(time)).collect();
            parts.map(|parts| parts.join(":"))
        };
        let mut short = String::new();
        let mut pieces = long.split('[');
        short += pieces.next().unwrap_or_default();
        for piece in pieces {
            let inside = piece.split_once(']').and_then(|(inside, rest)| Some((in_brackets(inside)?, rest)));
            short += &inside.map_or(format!("[{piece}"), |(inside, rest)| format!("[{inside}]{rest}"));
        }
        let mut pieces = short.split(" offset ");
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |before, piece| {
            let end = piece.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
            let (time, rest) = piece.split_at(end);
            format!("{before} offset {}{rest}", self.duration(time).unwrap_or_else(|| time.to_owned()))
        })
    }

    /// `5m`, in milliseconds and shorter; `None` where it is no time.
    fn duration(self, long: &str) -> Option<String> {
        let (number, unit) = long.split_at(long.find(|c: char| !c.is_ascii_digit())?);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        Some(format!("{}ms", self.time(Duration::from_secs(number.parse::<u64>().ok()? * seconds)).as_millis()))
    }

    /// All files of a folder.
    pub(crate) fn folder(self, from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let long = std::fs::read_to_string(entry.path()).unwrap();
            std::fs::write(to.join(entry.file_name()), self.text(&long)).unwrap();
        }
    }
}

#[test]
fn times_become_short_and_names_numbers_and_words_stay() {
    let long = "\
  - name: a, over 1h
    interval: 30s
      - record: job:a:ratio_rate5m
        expr: sum by (job) (rate(a{le=\"0.25\"}[5m])) > 14.4 * 0.001
      - alert: B
        expr: max(a) < max(b offset 2m) or max_over_time(c[1d:5m]) > 60 and d{e=~\"[0-9]+\"}
        for: 2m # not at once
        labels: { severity: critical, long_window: 1h }
          summary: \"For 5 minutes, over 1h\"
";
    let short = "\
  - name: a, over 1h
    interval: 2000ms
      - record: job:a:ratio_rate5m
        expr: sum by (job) (rate(a{le=\"0.25\"}[20000ms])) > 14.4 * 0.001
      - alert: B
        expr: max(a) < max(b offset 8000ms) or max_over_time(c[5760000ms:20000ms]) > 60 and d{e=~\"[0-9]+\"}
        for: 8000ms # not at once
        labels: { severity: critical, long_window: 1h }
          summary: \"For 5 minutes, over 1h\"
";
    assert_eq!(USUAL.text(long), short);
}
