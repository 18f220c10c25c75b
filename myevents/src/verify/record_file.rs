//! Reads a record line by line; `crate::record` says what a line means.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, bail};
use bookingservice::domain::id_under;
use uuid::Uuid;

use super::{
    against::{Against, Asked, Cancelled},
    findings::{Findings, Kind},
};
use crate::record::{self, Line};

/// How each line begins. A run that was killed leaves its last line incomplete, and the next run may begin behind it.
const BEGIN: &str = r#"{"line":"#;

/// Reads the file. What the answers themselves contradict is a finding already.
pub(super) fn read(path: &Path, findings: &mut Findings) -> anyhow::Result<Against> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (mut against, mut lines) = (Against::default(), 0);
    for (number, text) in BufReader::new(file).split(b'\n').enumerate() {
        let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
        let text = String::from_utf8_lossy(&text); // a line that was cut off may end within a character
        let named = || format!("line {} of {} is not understood", number + 1, path.display());
        if let Some(line) = parse(&text).with_context(named)? {
            against.take(line, findings).with_context(named)?;
            lines += 1;
        }
    }
    if lines == 0 {
        bail!("{} holds no answer, so there is nothing to check", path.display());
    }
    Ok(against)
}

/// `None` for an empty line, or one that was cut off.
fn parse(text: &str) -> Result<Option<Line>, serde_json::Error> {
    let begin = text.rfind(BEGIN).unwrap_or(0);
    let whole = &text[begin..];
    if whole.trim().is_empty() || (BEGIN.starts_with(whole) || whole.starts_with(BEGIN)) && !whole.ends_with('}') {
        return Ok(None);
    }
    serde_json::from_str(whole).map(Some)
}

impl Against {
    /// A status of 500 and above, a proxy's too, leaves open what came of a request; so does a good one whose body was
    /// not understood.
    fn take(&mut self, line: Line, findings: &mut Findings) -> anyhow::Result<()> {
        match line {
            Line::Booked { asked, booking, cancelled, .. } => {
                let (what, booking) = (what(&asked)?, booking.parse::<Uuid>()?);
                let id = self.asked(&asked);
                let expected = self.expected.entry(id).or_default();
                let before = *expected.acknowledged.get_or_insert(what);
                expected.may_be_cancelled(if cancelled { Cancelled::Yes } else { Cancelled::No });
                if booking != id {
                    findings.add(Kind::Doubled, || {
                        format!(
                            "key {} of {} was answered with booking {booking}, and books {id}",
                            asked.key, asked.user
                        )
                    });
                }
                if before != what {
                    findings.add(Kind::Doubled, || {
                        format!("key {} of {} has booked {before:?} and {what:?}", asked.key, asked.user)
                    });
                }
            }
            Line::NotBooked { asked, status: 200..300 | 500.., .. } | Line::UnansweredBooking { asked, .. } => {
                let (what, id) = (what(&asked)?, self.asked(&asked));
                let unknown = &mut self.expected.entry(id).or_default().unknown;
                if !unknown.contains(&what) {
                    unknown.push(what);
                }
            }
            Line::Cancelled { booking, event, seats, .. } => {
                let what = Asked { event: event.parse()?, seats };
                let expected = self.expected.entry(booking.parse()?).or_default();
                expected.acknowledged.get_or_insert(what);
                expected.may_be_cancelled(Cancelled::Yes);
            }
            Line::NotCancelled { booking, status: 200..300 | 500.., .. }
            | Line::UnansweredCancellation { booking, .. } => {
                self.expected.entry(booking.parse()?).or_default().may_be_cancelled(Cancelled::Perhaps);
            }
            Line::NotBooked { .. } | Line::NotCancelled { .. } => {} // nothing came of it
        }
        Ok(())
    }

    /// The id of what was asked for.
    fn asked(&mut self, asked: &record::Asked) -> Uuid {
        let id = id_under(&asked.user, &asked.key);
        let expected = self.expected.entry(id).or_default();
        if expected.user.is_none() {
            expected.user = Some(asked.user.as_str().into());
            if !self.users.contains(asked.user.as_str()) {
                self.users.insert(asked.user.as_str().into());
            }
        }
        id
    }
}

fn what(asked: &record::Asked) -> Result<Asked, uuid::Error> {
    Ok(Asked { event: asked.event.parse()?, seats: asked.seats })
}
