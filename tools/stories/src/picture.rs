//! The picture: each step of a request with the time since its beginning, a bar for how long it took since the step before, and who
//! says so.

use std::{collections::BTreeSet, fmt::Write};

use jiff::Timestamp;
use trace::Step;

use super::told::{Found, Told};

/// Characters of the whole time.
const WIDTH: usize = 40;

/// All stories; with fine bars where a terminal shows them.
pub(super) fn draw(found: &Found, is_terminal: bool) -> String {
    let mut text = String::new();
    for told in &found.stories {
        story(&mut text, told, if is_terminal { '█' } else { '#' });
    }
    for silent in &found.silent {
        let _ = writeln!(text, "no answer from {silent}"); // writing into a text cannot fail
    }
    text
}

fn story(text: &mut String, told: &Told, block: char) {
    let story = &told.story;
    let request = match (&story.method, &story.route, story.status) {
        (Some(method), Some(route), Some(status)) => format!("{method} {route}, answered with {status}"),
        (Some(method), None, Some(status)) => format!("{method} of no known URL, answered with {status}"),
        (Some(method), ..) => format!("{method}, not answered"),
        (None, ..) => "the request itself is unknown".to_owned(),
    };
    let _ = writeln!(text, "trace {}: {request}", story.trace_id);
    if let Some(id) = story.resource_id {
        let _ = writeln!(text, "about {id}");
    }
    let Some(began) = told.began() else { return };
    let mut known: Vec<_> = told.steps.iter().collect();
    known.sort_by_key(|(step, (at, _))| (*at, **step));
    let whole = known.last().map_or(0, |(_, (at, _))| micros(began, *at)).max(1);
    let column = |at: Timestamp| micros(began, at) * WIDTH / whole;
    let mut before = began;
    for (step, (at, who)) in known {
        let (from, to) = (column(before), column(*at));
        let bar = format!("{}{}", " ".repeat(from), block.to_string().repeat((to - from).max(1)));
        let offset = micros(began, *at) as f64 / 1000.0;
        let _ = writeln!(text, "  {:<9} {offset:>12.3} ms  {bar:<1$}  {who}", step.name(), WIDTH + 1);
        before = *at;
    }
    // Only what may have happened, as its process says; where the request is unknown, all may have.
    let listed = |step: &&Step| story.steps.iter().any(|known| known.step == **step) || story.method.is_none();
    for step in Step::ALL.iter().filter(listed).filter(|step| !told.steps.contains_key(step)) {
        let _ = writeln!(text, "  {:<9} {:>12}", step.name(), "unknown");
    }
    let processes: BTreeSet<_> = told.steps.values().map(|(_, who)| who).collect();
    let clocks = if processes.len() > 1 { ", each process by its own clock" } else { "" };
    let _ = writeln!(text, "  began at {began:.6}{clocks}\n");
}

fn micros(from: Timestamp, to: Timestamp) -> usize {
    usize::try_from(to.as_microsecond() - from.as_microsecond()).unwrap_or(0)
}
