//! Asks every process of a running system, by `/traces/{id}` of its ops port.

use std::time::Duration;

use anyhow::bail;
use rest::{RestClient, shapes::Page, urls::OpsUrls};
use trace::Story;

use super::{
    Wanted,
    told::{Found, Told, joined},
};

/// First for what is wanted; a story that one process has found by what it made, all others know by its trace only.
pub async fn ask(ops: &OpsUrls, wanted: Wanted, timeout: Duration) -> anyhow::Result<Found> {
    let targets = [("bookingservice", &ops.bookings), ("eventservice", &ops.events)];
    let each = targets.into_iter().flat_map(|(name, targets)| targets.iter().map(move |target| (name, target)));
    let mut ports: Vec<_> = each
        .map(|(name, target)| (format!("{name} {}", target.url), RestClient::new(vec![target.clone()], timeout)))
        .collect();
    let (mut told, mut found) = (Vec::new(), Found::default());
    let first = match wanted {
        Wanted::Trace(trace) => trace.to_string(),
        Wanted::Resource(id) => id.to_string(),
    };
    for (who, port) in &mut ports {
        match stories(who, port, &first).await {
            Ok(stories) => told.extend(stories),
            Err(cause) => found.silent.push(format!("{who}: {cause}")),
        }
        found.asked.push(who.clone());
    }
    if found.silent.len() == ports.len() {
        bail!("no process answers: {}", found.silent.join("; "));
    }
    let wanted = joined(told.clone());
    if let Some(one) = wanted.first() {
        for (who, port) in &mut ports {
            // Who was silent a moment ago is named already.
            told.extend(stories(who, port, &one.story.trace_id.to_string()).await.unwrap_or_default());
        }
    }
    // The other requests of its trace are not asked for, where one of them is.
    let is_wanted = |told: &Told| wanted.iter().any(|one| one.is_of(told));
    found.stories = joined(told).into_iter().filter(is_wanted).collect();
    Ok(found)
}

async fn stories(who: &str, port: &mut RestClient, id: &str) -> anyhow::Result<Vec<Told>> {
    let page: Option<Page<Story>> = port.get(&format!("/traces/{id}")).await?;
    Ok(page.map_or_else(Vec::new, |page| page.items.into_iter().map(|story| Told::by(who, story)).collect()))
}
