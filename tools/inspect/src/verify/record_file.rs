//! Reads a record line by line; `load::record` says what a line means.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, bail};
use bookingservice::domain::key::id_under;
use load::record::{self, Line};
use uuid::Uuid;

use super::{
    against::{Against, Asked, Cancelled},
    findings::{Findings, Kind},
};

/// How each line begins. A run that was killed leaves its last line incomplete, and the next run may begin behind it.
const BEGIN: &str = r#"{"line":"#;

/// Reads the file. What the answers themselves contradict is a finding already.
pub(super) fn read(path: &Path, findings: &mut Findings) -> anyhow::Result<Against> {
    let unreadable = || format!("--against {} cannot be read", path.display());
    let file = File::open(path).with_context(unreadable)?;
    let (mut reading, mut lines) = (Reading::default(), 0);
    for (number, text) in BufReader::new(file).split(b'\n').enumerate() {
        let text = text.with_context(unreadable)?;
        let text = String::from_utf8_lossy(&text); // a line that was cut off may end within a character
        let (line, cut_off) =
            parse(&text).with_context(|| format!("line {} of {} is not understood", number + 1, path.display()))?;
        reading.against.checked.cut_off += u64::from(cut_off);
        if let Some(line) = line {
            lines += u64::from(!matches!(line, Line::Ended { .. }));
            reading.take(line, findings);
        }
    }
    if lines == 0 {
        bail!("{} holds no answer, so there is nothing to check", path.display());
    }
    Ok(reading.finish())
}

/// The line, if there is a whole one, and whether there is one that was cut off.
fn parse(text: &str) -> Result<(Option<Line>, bool), serde_json::Error> {
    let text = text.trim_ascii_end(); // some editors end lines with a carriage return
    let begin = text.rfind(BEGIN).unwrap_or(0);
    let last = &text[begin..];
    if last.is_empty() {
        return Ok((None, false));
    }
    if (BEGIN.starts_with(last) || last.starts_with(BEGIN)) && !last.ends_with('}') {
        return Ok((None, true));
    }
    Ok((Some(serde_json::from_str(last)?), begin > 0))
}

#[derive(Default)]
struct Reading {
    against: Against,
    /// What was sent, as long as nothing more is said of it.
    booking: HashMap<Uuid, Asked>,
    cancelling: HashSet<Uuid>,
    /// How the names of the users begin whose runs are over.
    ended: Vec<String>,
}

impl Reading {
    /// A status of 500 and above, a proxy's too, leaves open what came of a request; so does a good one whose body was
    /// not understood.
    fn take(&mut self, line: Line, findings: &mut Findings) {
        match line {
            Line::SendingBooking(asked) => {
                let id = self.asked(&asked);
                self.booking.insert(id, what(&asked));
            }
            Line::Booked { asked, booking, cancelled, .. } => self.booked(&asked, booking, cancelled, findings),
            Line::NotBooked { asked, status: 200..300 | 500.. } | Line::UnansweredBooking(asked) => {
                let id = self.asked(&asked);
                self.against.may_be_booked(id, what(&asked));
            }
            Line::NotBooked { asked, .. } => {
                let id = self.asked(&asked);
                self.against.refused(id);
            }
            Line::SendingCancellation { booking, .. } => {
                self.cancelling.insert(booking);
            }
            Line::Cancelled { booking, event, seats, .. } => {
                let what = Asked { event, seats };
                self.cancelling.remove(&booking);
                let before = self.against.cancelled(booking, what);
                if before != what {
                    findings.add(Kind::ChangedBooking, || {
                        format!("the record contradicts itself: booking {booking} was booked with {before}, and cancelled with {what}")
                    });
                }
            }
            Line::NotCancelled { booking, status: 200..300 | 500.., .. }
            | Line::UnansweredCancellation { booking, .. } => {
                self.cancelling.remove(&booking);
                self.against.may_be_cancelled(booking, Cancelled::Perhaps);
            }
            Line::NotCancelled { booking, .. } => {
                self.cancelling.remove(&booking); // nothing came of it
            }
            Line::Ended { users, .. } => self.ended.push(users),
        }
    }

    fn booked(&mut self, asked: &record::Asked, booking: Uuid, cancelled: bool, findings: &mut Findings) {
        let (id, what) = (self.asked(asked), what(asked));
        let before = self.against.booked(id, what);
        if cancelled {
            self.against.may_be_cancelled(id, Cancelled::Yes);
        }
        let record::Asked { key, user, .. } = asked;
        if booking != id {
            findings.add(Kind::Doubled, || {
                format!("key {key} of {user} was answered with booking {booking}, and books {id}")
            });
        }
        if before != what {
            findings.add(Kind::Doubled, || format!("key {key} of {user} has booked {before} and {what}"));
        }
    }

    /// The id of what was asked for, of which more is said now.
    fn asked(&mut self, asked: &record::Asked) -> Uuid {
        let id = id_under(&asked.user, &asked.key);
        self.against.asks(id, &asked.user);
        self.booking.remove(&id);
        id
    }

    /// What was under way at the end may have happened or not.
    fn finish(self) -> Against {
        let Self { mut against, booking, cancelling, ended } = self;
        for (id, what) in booking {
            against.may_be_booked(id, what);
        }
        for id in cancelling {
            against.may_be_cancelled(id, Cancelled::Perhaps);
        }
        for (user, complete) in &mut against.users {
            *complete = ended.iter().any(|users| user.starts_with(users.as_str()));
        }
        against
    }
}

fn what(asked: &record::Asked) -> Asked {
    Asked { event: asked.event, seats: asked.seats }
}
