//! The kinds of requests, and how often each is made.

/// A kind of request, one line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    ReadEvent,
    ListEvents,
    ReadSeats,
    ReadBooking,
    ListBookings,
    Book,
    Repeat,
    Cancel,
    Bad,
}

impl Kind {
    /// Each with its name in the report.
    pub(crate) const ALL: [(Self, &str); 9] = [
        (Self::ReadEvent, "read event"),
        (Self::ListEvents, "list events"),
        (Self::ReadSeats, "read seats"),
        (Self::ReadBooking, "read booking"),
        (Self::ListBookings, "list bookings"),
        (Self::Book, "book"),
        (Self::Repeat, "repeat"),
        (Self::Cancel, "cancel"),
        (Self::Bad, "bad request"),
    ];
}

/// What the clients are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Book until enough is sold for a beginning.
    Fill,
    /// The mix of requests.
    Mix,
}

/// What the shares distinguish; a read is one of five kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Read,
    Book,
    Repeat,
    Cancel,
    Bad,
}

/// How often each is made, in relation to the others.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// Reads.
    pub reads: u32,
    /// Bookings.
    pub bookings: u32,
    /// The same booking again, under its key.
    pub repeats: u32,
    /// Cancellations.
    pub cancels: u32,
    /// Requests that must be refused.
    pub bad: u32,
}

impl Shares {
    /// All together; 0 means that there is nothing to do.
    pub fn sum(&self) -> u32 {
        self.reads + self.bookings + self.repeats + self.cancels + self.bad
    }

    pub(crate) fn choose(&self) -> Choice {
        let mut rest = fastrand::u32(0..self.sum());
        for (share, choice) in [
            (self.reads, Choice::Read),
            (self.bookings, Choice::Book),
            (self.repeats, Choice::Repeat),
            (self.cancels, Choice::Cancel),
        ] {
            if rest < share {
                return choice;
            }
            rest -= share;
        }
        Choice::Bad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_comes_as_often_as_its_share_says() {
        let shares = Shares { reads: 60, bookings: 20, repeats: 0, cancels: 15, bad: 5 };
        let count = |choices: &[Choice], choice| choices.iter().filter(|one| **one == choice).count();
        let choices: Vec<_> = (0..100_000).map(|_| shares.choose()).collect();
        for (choice, share) in [(Choice::Read, 60), (Choice::Book, 20), (Choice::Cancel, 15), (Choice::Bad, 5)] {
            let percent = count(&choices, choice) as f64 / 1000.0;
            assert!((percent - f64::from(share)).abs() < 1.5, "{choice:?}: {percent} %");
        }
        assert_eq!(count(&choices, Choice::Repeat), 0);
    }
}
