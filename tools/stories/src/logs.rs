//! Reads the steps from JSON logs at the level debug. A line may begin with the name of a container and a bar, as `docker compose logs`
//! writes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader},
};

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use trace::{Step, Story, TraceId, story::StepTime};
use uuid::Uuid;

use super::{
    Wanted,
    told::{Found, Told, joined},
};

/// A line about a step. Other lines are no such object.
#[derive(Deserialize)]
struct Line {
    trace_id: TraceId,
    /// Which story of its process.
    story: u64,
    step: Step,
    at: Timestamp,
    resource_id: Option<Uuid>,
    message_id: Option<Uuid>,
    method: Option<String>,
    route: Option<String>,
    status: Option<u16>,
}

/// The stories of all logs.
pub(super) fn read(files: &[String], wanted: Wanted) -> anyhow::Result<Found> {
    let mut stories = BTreeMap::new();
    for file in files {
        let lines: Box<dyn BufRead> = match file.as_str() {
            "-" => Box::new(io::stdin().lock()),
            path => Box::new(BufReader::new(File::open(path).with_context(|| format!("{path} cannot be opened"))?)),
        };
        for line in lines.lines() {
            // What is no UTF-8 is no line of ours.
            match line {
                Ok(line) => add(&mut stories, file, &line),
                Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {}
                Err(cause) => return Err(cause).with_context(|| format!("{file} cannot be read")),
            }
        }
    }
    Ok(Found { stories: of(stories, wanted), asked: files.to_vec(), ..Found::default() })
}

/// Those that are wanted. Only stories of their traces are joined: a log has many others.
fn of(stories: Stories, wanted: Wanted) -> Vec<Told> {
    let is = |story: &Story| matches!(wanted, Wanted::Resource(id) if story.resource_id == Some(id));
    let made: BTreeSet<_> =
        stories.values().filter(|story| is(story)).map(|story| story.trace_id.to_string()).collect();
    let traces =
        if made.is_empty() { wanted.trace().map(|id| id.to_string()).into_iter().collect() } else { made.clone() };
    let told = stories.into_iter().filter(|((_, trace, _), _)| traces.contains(trace));
    let mut joined = joined(told.map(|((who, ..), story)| Told::by(&who, story)));
    joined.retain(|told| made.is_empty() || is(&told.story));
    joined
}

/// A story by who tells it, its trace, and its number in the process.
type Stories = BTreeMap<(String, String, u64), Story>;

fn add(stories: &mut Stories, file: &str, text: &str) {
    let Some(json) = text.find('{').filter(|_| text.contains("\"trace_id\"") && text.contains("\"step\"")) else {
        return;
    };
    let Ok(line) = serde_json::from_str::<Line>(&text[json..]) else { return };
    let container = text[..json].trim().trim_end_matches('|').trim();
    let who = if container.is_empty() { file } else { container };
    let key = (who.to_owned(), line.trace_id.to_string(), line.story);
    let story = stories.entry(key).or_insert_with(|| Story {
        trace_id: line.trace_id,
        resource_id: None,
        method: None,
        route: None,
        status: None,
        message_ids: Vec::new(),
        steps: Vec::new(),
    });
    story.resource_id = line.resource_id.or(story.resource_id);
    story.message_ids.extend(line.message_id);
    story.status = line.status.or(story.status);
    story.method = line.method.or(story.method.take());
    story.route = line.route.or(story.route.take());
    if story.at(line.step).is_none() {
        story.steps.push(StepTime { step: line.step, at: Some(line.at) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn what_was_made_is_found_with_all_that_is_known_of_its_request_and_nothing_else() {
        let (mut stories, made, message) = (Stories::new(), Uuid::from_u128(7), Uuid::from_u128(8));
        let trace: TraceId = TRACE.parse().unwrap();
        let mut line = |who: &str, trace: TraceId, story: u32, step: &str, more: &str| {
            let at = "2026-11-21T08:00:00.000001Z";
            let json = format!(r#"{{"trace_id":"{trace}","story":{story},"step":"{step}","at":"{at}"{more}}}"#);
            add(&mut stories, who, &json);
        };
        line("b", trace, 1, "stored", &format!(r#","resource_id":"{made}""#));
        line("b", trace, 1, "published", &format!(r#","message_id":"{message}""#));
        line("b", trace, 2, "answered", r#","method":"GET","status":200"#);
        line("b", TraceId::new(), 3, "received", "");
        line("e", trace, 1, "applied", &format!(r#","message_id":"{message}""#));
        let found = |wanted| -> Vec<_> { of(stories.clone(), wanted).iter().map(|told| told.steps.len()).collect() };
        assert_eq!(found(Wanted::Resource(made)), [3]);
        let mut all = found(Wanted::Trace(trace));
        all.sort_unstable();
        assert_eq!(all, [1, 3]);
        assert_eq!(found(Wanted::Resource(TRACE.parse().unwrap())).len(), 2, "the request id is the trace id");
        assert_eq!(found(Wanted::Resource(message)), [0; 0]);
    }

    #[test]
    fn lines_about_steps_become_a_story_and_all_others_are_left_out() {
        let mut stories = Stories::new();
        let (made, message) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let step = |step: &str, more: &str| {
            let at = "2026-11-21T08:00:00.000001Z";
            format!(r#"{{"level":"DEBUG","trace_id":"{TRACE}","story":3,"step":"{step}","at":"{at}"{more}}}"#)
        };
        for line in [
            step("received", ""),
            format!("bookings-1  | {}", step("received", "")),
            step("stored", &format!(r#","resource_id":"{made}""#)),
            step("confirmed", &format!(r#","message_id":"{message}""#)),
            step("answered", r#","method":"POST","route":"/a/{id}","status":201"#),
            step("eaten", ""),
            r#"{"trace_id":"#.into(),
            "INFO ready".into(),
        ] {
            add(&mut stories, "a.log", &line);
        }
        let [own, container] = &stories.into_iter().collect::<Vec<_>>()[..] else { panic!("two processes") };
        assert_eq!((own.0.0.as_str(), container.0.0.as_str()), ("a.log", "bookings-1"));
        let story = &own.1;
        assert_eq!(
            (story.resource_id, story.message_ids.clone(), story.status),
            (Some(made), vec![message], Some(201))
        );
        assert_eq!(story.steps.len(), 4);
        assert_eq!(story.route.as_deref(), Some("/a/{id}"));
    }
}
