//! Finds the addresses in what `myevents` prints when it is ready.
//!
//! It looks only for what a reader would look for: a line that is an address alone, which is the page's; and a line that names a service,
//! with the addresses in it; the one that is called metrics is the ops port.

/// The beginnings of the URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// REST of the event service.
    pub events: String,
    /// REST of the booking service.
    pub bookings: String,
    /// Ops port of the event service.
    pub events_ops: String,
    /// Ops port of the booking service.
    pub bookings_ops: String,
    /// The page to book on and to watch; empty where there is none.
    pub page: String,
}

impl Addresses {
    /// Whether nothing is missing of the services; the page's address comes before theirs.
    pub fn complete(&self) -> bool {
        ![&self.events, &self.bookings, &self.events_ops, &self.bookings_ops].into_iter().any(String::is_empty)
    }

    /// Takes the address from a line, if there is one.
    pub fn read(&mut self, line: &str) {
        if line.starts_with("http://") && !line.contains(' ') && self.page.is_empty() {
            self.page = origin(line);
        }
        let lower = line.to_lowercase();
        let is = |service: &str| {
            lower.contains(&format!("{service} service")) || lower.contains(&format!("{service}service"))
        };
        let (rest, ops) = match (is("event"), is("booking")) {
            (true, false) => (&mut self.events, &mut self.events_ops),
            (false, true) => (&mut self.bookings, &mut self.bookings_ops),
            _ => return,
        };
        let mut before = 0;
        for (at, _) in line.match_indices("http://") {
            let url = line[at..].split_whitespace().next().unwrap_or_default();
            let metrics = lower[before..at].contains("metrics") || url.ends_with("/metrics");
            let slot = if metrics { &mut *ops } else { &mut *rest };
            if slot.is_empty() {
                *slot = origin(url);
            }
            before = at;
        }
    }
}

/// `http://127.0.0.1:1234/docs` is at `http://127.0.0.1:1234`.
fn origin(url: &str) -> String {
    let authority = url["http://".len()..].split('/').next().unwrap_or_default();
    format!("http://{}", authority.trim_end_matches(|c: char| !c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_found_among_other_lines() {
        let mut found = Addresses::default();
        for line in [
            "http://127.0.0.1:5",
            "MyEvents is running",
            "  event service    http://127.0.0.1:1/docs   metrics http://127.0.0.1:2/metrics",
            "  booking service  http://127.0.0.1:3/docs   metrics http://127.0.0.1:4/metrics",
            "  curl -d '{\"seats\": 2}' http://127.0.0.1:9/events/x/bookings",
        ] {
            found.read(line);
        }
        let at = |port| format!("http://127.0.0.1:{port}");
        let right = Addresses { events: at(1), bookings: at(3), events_ops: at(2), bookings_ops: at(4), page: at(5) };
        assert_eq!(found, right);
        assert!(found.complete());
    }
}
