//! One small change to a rule each: what somebody may get wrong, and a test must see.

use e2e::rules::Rule;

/// What windows and offsets are taken from; one step is the next shorter or longer one.
const STEPS: [&str; 16] =
    ["30s", "1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "3d", "30d", "60d"];

/// What each comparison becomes.
const COMPARISONS: [(&str, &[&str]); 6] =
    [("==", &["!="]), ("!=", &["=="]), (">=", &[">"]), ("<=", &["<", ">="]), (">", &[">=", "<"]), ("<", &["<=", ">"])];

/// What each word becomes.
const WORDS: [(&str, &str); 3] = [("and", "or"), ("or", "and"), ("unless", "and")];

/// What several series can be made one by; one becomes each other.
const AGGREGATIONS: [&str; 5] = ["sum", "max", "min", "avg", "count"];

/// Of each rule at least so many.
pub(crate) const ENOUGH: usize = 6;

/// A rule that is a little wrong.
pub(crate) struct Mutant {
    pub(crate) rule: Rule,
    /// What was changed.
    pub(crate) what: String,
    /// The whole file with it.
    pub(crate) file: String,
}

/// All mutants of a rule, which is in the file with this text; its tests compute rules each `interval`.
pub(crate) fn of(rule: &Rule, text: &str, interval: &str) -> Vec<Mutant> {
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let begin: usize = lines[..rule.lines.start].iter().map(|line| line.len()).sum();
    let end = begin + lines[rule.lines.clone()].iter().map(|line| line.len()).sum::<usize>();
    let own = &text[begin..end];

    let mut changes = Changes { own, found: Vec::new() };
    changes.expression();
    changes.durations(interval);
    changes.labels();
    if changes.found.len() < ENOUGH {
        changes.what_is_added_up();
    }
    let make = |(at, old, new): (usize, &str, String)| {
        let file = format!("{}{new}{}", &text[..begin + at], &text[begin + at + old.len()..]);
        let line = own[..at].matches('\n').count() + rule.lines.start + 1;
        Mutant { rule: rule.clone(), what: format!("line {line}: {} -> {}", old.trim(), new.trim()), file }
    };
    changes.found.into_iter().map(make).collect()
}

/// Where something stands in the text of a rule, what it is, and what it becomes.
struct Changes<'t> {
    own: &'t str,
    found: Vec<(usize, &'t str, String)>,
}

impl<'t> Changes<'t> {
    fn add(&mut self, at: usize, old: &'t str, new: impl Into<String>) {
        self.found.push((at, old, new.into()));
    }

    /// Goes through the expression, piece by piece.
    fn expression(&mut self) {
        let own = self.own;
        let begin = own.find("expr:").expect("each rule has an expression") + "expr:".len();
        let ends = ["        for:", "        keep_firing_for:", "        labels:", "      #"];
        let end = ends.iter().filter_map(|next| own[begin..].find(next)).min().map_or(own.len(), |at| begin + at);
        let mut at = begin;
        while at < end {
            let rest = &own[at..end];
            let first = rest.chars().next().unwrap_or(' ');
            at += match first {
                '{' => self.matchers(at, &rest[..rest.find('}').map_or(rest.len(), |close| close + 1)]),
                '[' => {
                    let window = &rest[..rest.find(']').unwrap_or(rest.len())];
                    self.window(at + 1, &window[1..]);
                    window.len()
                }
                c if c.is_ascii_digit() => self.number(at, piece(rest, |c| c.is_ascii_alphanumeric() || c == '.')),
                c if c.is_ascii_alphabetic() => self.word(at, rest),
                '=' | '!' | '<' | '>' => self.comparison(at, rest),
                _ => first.len_utf8(),
            };
        }
        // A guard that is left out: a whole condition on a line of its own, or the one against 0/0.
        let mut at = begin;
        for line in own[begin..end].split_inclusive('\n') {
            if line.trim_start().starts_with("and ") {
                self.add(at, line, "\n");
            }
            at += line.len();
        }
        if let Some(at) = own[begin..end].find(" > 0)") {
            self.add(begin + at, " > 0", "");
        }
    }

    fn matchers(&mut self, at: usize, text: &'t str) -> usize {
        let mut inside = 1;
        for one in text[1..text.len() - 1].split(',') {
            let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| one.contains(operator)).unwrap_or("=");
            let (name, value) = one.split_once(operator).expect("a matcher has an operator");
            let other = match operator {
                "=~" => "!~",
                "!~" => "=~",
                "!=" => "=",
                _ => "!=",
            };
            self.add(at + inside + name.len(), operator, other);
            let (place, value) = (at + inside + name.len() + operator.len() + 1, value.trim_matches('"'));
            match value.split_once('|') {
                Some((first, second)) => {
                    self.add(place, value, first);
                    self.add(place, value, second);
                }
                None => self.add(place, value, format!("{value}x")),
            }
            inside += one.len() + 1;
        }
        text.len()
    }

    fn window(&mut self, at: usize, window: &'t str) {
        // Of a subquery the range. How often it looks is no part of what is meant.
        let window = window.split_once(':').map_or(window, |(range, _)| range);
        let here = STEPS.iter().position(|step| *step == window).unwrap_or_else(|| panic!("{window} is no step"));
        self.add(at, window, STEPS[here - 1]);
        self.add(at, window, STEPS[here + 1]);
    }

    fn number(&mut self, at: usize, text: &'t str) -> usize {
        let before = &self.own[..at];
        if before.ends_with("offset ") {
            self.window(at, text);
        } else if !self.own.contains("expr: vector(1)") {
            let value: f64 = text.parse().unwrap_or_else(|_| panic!("{text} is no number"));
            let others = match text.contains('.') {
                true => [value * 0.9, value * 1.1],
                false if value <= 20.0 => [value - 1.0, value + 1.0],
                false => [(value * 0.9).round(), (value * 1.1).round()],
            };
            for other in others {
                // 0.9 * 0.05 is not quite 0.045.
                self.add(at, text, format!("{}", (other * 1e9).round() / 1e9));
            }
        }
        text.len()
    }

    fn word(&mut self, at: usize, rest: &'t str) -> usize {
        let word = piece(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        if let Some((_, other)) = WORDS.iter().find(|(one, _)| *one == word) {
            self.add(at, word, *other);
        }
        let behind = &rest[word.len()..];
        if !["by", "on"].contains(&word) || !behind.starts_with(" (") {
            return word.len();
        }
        let list = &behind[2..behind.find(')').unwrap_or(behind.len())];
        let names: Vec<_> = list.split(", ").filter(|name| !name.is_empty()).collect();
        for left_out in &names {
            let left: Vec<_> = names.iter().copied().filter(|name| name != left_out).collect();
            self.add(at + word.len() + 2, list, left.join(", "));
        }
        word.len() + 2 + list.len()
    }

    fn comparison(&mut self, at: usize, rest: &'t str) -> usize {
        let (old, others) = COMPARISONS.iter().find(|(one, _)| rest.starts_with(one)).expect("no other is used");
        for other in *others {
            self.add(at, &rest[..old.len()], *other);
        }
        old.len()
    }

    /// `for` and `keep_firing_for`, one evaluation shorter and longer; where there is none, one.
    fn durations(&mut self, interval: &str) {
        let own = self.own;
        for key in ["        for: ", "        keep_firing_for: "] {
            let Some(at) = own.find(key) else { continue };
            let text = piece(&own[at + key.len()..], |c| c != '\n');
            let (lasts, step) = (seconds(text), seconds(interval));
            self.add(at + key.len(), text, format!("{}s", lasts - step));
            self.add(at + key.len(), text, format!("{}s", lasts + step));
        }
        if let (None, Some(at)) = (own.find("        for: "), own.find("        labels: ")) {
            self.add(at, "", format!("        for: {interval}\n"));
        }
    }

    /// What is recorded in few words has little else: which metric, and how its series are made one.
    fn what_is_added_up(&mut self) {
        let own = self.own;
        let begin = own.find("expr: ").expect("it is on one line") + "expr: ".len();
        let expression = own[begin..].lines().next().unwrap_or_default();
        let mut at = begin;
        for word in expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            let others = AGGREGATIONS.iter().filter(|other| AGGREGATIONS.contains(&word) && **other != word);
            others.for_each(|other| self.add(at, word, *other));
            if ["myevents_", "process_", "rabbitmq_"].iter().any(|begin| word.starts_with(begin)) {
                self.add(at, word, format!("{word}x"));
            }
            at += word.len() + 1;
        }
    }

    fn labels(&mut self) {
        for (old, new) in [
            ("severity: critical", "severity: warning"),
            ("severity: warning", "severity: critical"),
            ("severity: none", "severity: info"),
            (", channel: both", ""),
        ] {
            if let Some(at) = self.own.find(old) {
                self.add(at, old, new);
            }
        }
    }
}

fn piece(rest: &str, belongs: impl Fn(char) -> bool) -> &str {
    &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())]
}

/// A duration with one unit.
pub(crate) fn seconds(duration: &str) -> u64 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let number: u64 = number.parse().unwrap_or_else(|_| panic!("{duration} is no duration"));
    match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 3600,
        _ => panic!("{duration} is no duration"),
    }
}
