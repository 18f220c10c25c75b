//! What still waits in the outbox of a stopped system: it was killed, and goes out at the next start.
//!
//! It is applied to the event service's view before that is compared. So one kill gives one finding and not a dozen, and
//! with `--pending-ok` a message that was *lost* is still seen: nothing waits that would bring the view up.

use std::collections::{HashMap, HashSet};

use contracts::{Contract, EventBooked, EventCreated, SeatsChanged};
use messaging::Message;
use uuid::Uuid;

use super::{
    facts::Shown,
    findings::{Findings, Kind},
};

/// What the waiting messages will change.
#[derive(Default)]
pub(super) struct Pending {
    created: HashSet<Uuid>,
    seats: HashMap<Uuid, SeatsChanged>,
}

impl Pending {
    /// Reads them; unless `ok`, that they wait is a finding.
    pub(super) fn read(messages: &[(&'static str, Message)], ok: bool, findings: &mut Findings) -> Self {
        let mut pending = Self::default();
        let mut waiting: HashMap<&str, u64> = HashMap::new();
        for (publisher, message) in messages {
            *waiting.entry(publisher).or_default() += 1;
            if let Err(cause) = pending.take(message) {
                findings.add(Kind::Outbox, || {
                    format!("outbox of {publisher}: message {} is no {}: {cause}", message.id, message.name)
                });
            }
        }
        if !ok {
            let mut waiting: Vec<_> = waiting.into_iter().collect();
            waiting.sort_unstable();
            for (publisher, count) in waiting {
                findings.add(Kind::Outbox, || {
                    format!(
                        "outbox of {publisher}: {count} messages wait; after a kill that is as it should be, and they go \
                         out at the next start (--pending-ok takes them for granted)"
                    )
                });
            }
        }
        pending
    }

    fn take(&mut self, message: &Message) -> Result<(), serde_json::Error> {
        match message.name.as_str() {
            EventCreated::NAME => {
                self.created.insert(EventCreated::from_json(&message.body)?.id);
            }
            EventBooked::NAME => {
                let EventBooked { event_id, seats_left, booked_seats, version, .. } =
                    EventBooked::from_json(&message.body)?;
                self.apply(SeatsChanged { event_id, seats_left, booked_seats, version });
            }
            SeatsChanged::NAME => self.apply(SeatsChanged::from_json(&message.body)?),
            _ => {} // nobody reads it
        }
        Ok(())
    }

    /// Keeps the newest.
    fn apply(&mut self, seats: SeatsChanged) {
        let newer = self.seats.get(&seats.event_id).is_none_or(|known| known.version < seats.version);
        if newer {
            self.seats.insert(seats.event_id, seats);
        }
    }

    /// The event as it will be shown.
    pub(super) fn applied_to(&self, shown: &Shown) -> Shown {
        let newer = |seats: &&SeatsChanged| shown.version.is_some_and(|version| version < seats.version);
        match self.seats.get(&shown.id).filter(newer) {
            None => shown.clone(),
            Some(&SeatsChanged { booked_seats, seats_left, version, .. }) => {
                Shown { booked_seats, seats_left, version: Some(version), ..shown.clone() }
            }
        }
    }

    /// Whether the booking service will get this event.
    pub(super) fn creates(&self, event: Uuid) -> bool {
        self.created.contains(&event)
    }
}
