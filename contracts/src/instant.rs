//! A point in time, as MyEvents writes it everywhere: UTC, cut to milliseconds, `2026-11-21T08:00:00.000Z`.
//!
//! Milliseconds because MongoDB keeps no more: an instant that came back from a store must equal the one that went in.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// UTC with millisecond precision, within the years 0000 to 9999 that RFC 3339 can write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

/// A text or number that is no [`Instant`].
#[derive(Debug, thiserror::Error)]
#[error(
    "not an instant: write it like 2026-11-21T08:00:00Z or 2026-11-21T09:00:00+01:00 (RFC 3339, years 0000 to 9999)"
)]
pub struct InstantError;

const EARLIEST_MS: i64 = -62_167_219_200_000; // 0000-01-01T00:00:00.000Z
const LATEST_MS: i64 = 253_402_207_200_999; // 9999-12-30T22:00:00.999Z, where jiff ends

impl Instant {
    /// Now, cut to milliseconds.
    pub fn now() -> Self {
        Self::cut(Timestamp::now()).expect("the clock shows a year before 10000")
    }

    /// From milliseconds since 1970; an error outside the years 0000 to 9999.
    pub fn from_millis(ms: i64) -> Result<Self, InstantError> {
        if !(EARLIEST_MS..=LATEST_MS).contains(&ms) {
            return Err(InstantError);
        }
        Timestamp::from_millisecond(ms).map(Self).map_err(|_| InstantError)
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    fn cut(at: Timestamp) -> Result<Self, InstantError> {
        // `as_millisecond` rounds towards zero; before 1970 that would be up, so floor it.
        Self::from_millis(i64::try_from(at.as_nanosecond().div_euclid(1_000_000)).map_err(|_| InstantError)?)
    }
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, InstantError> {
        if !is_rfc3339(text.as_bytes()) {
            return Err(InstantError);
        }
        Self::cut(text.parse().map_err(|_| InstantError)?)
    }
}

/// Whether it has the one shape that RFC 3339 knows; whether there is such a day is jiff's to say. jiff by itself takes far
/// more (a space for the `T`, `20270101T08`, `+01`, a comma, a second 60), and who sends that has made a mistake.
fn is_rfc3339(text: &[u8]) -> bool {
    let like = |text: &[u8], shape: &[u8]| {
        let fits = |(byte, shape): (&u8, &u8)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte.eq_ignore_ascii_case(other), // RFC 3339 takes `t` and `z`, too
        };
        text.len() == shape.len() && text.iter().zip(shape).all(fits)
    };
    let Some((time, rest)) = text.split_at_checked(19) else { return false };
    let digits = rest.strip_prefix(b".").map(|rest| rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let offset = match digits {
        None => rest,
        Some(0) => return false,
        Some(digits) => &rest[1 + digits..],
    };
    let hours_and_minutes =
        |text: &[u8]| like(text, b"00:00") && &text[..2] <= b"23".as_slice() && &text[3..] <= b"59".as_slice();
    let offset_fits = match offset {
        [b'+' | b'-', offset @ ..] => hours_and_minutes(offset),
        other => like(other, b"Z"),
    };
    like(time, b"0000-00-00T00:00:00") && &time[17..] <= b"59".as_slice() && offset_fits
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_converted_and_the_rest_is_cut_to_milliseconds() {
        let at: Instant = "2026-11-21T09:00:00.123999+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-21T08:00:00.123Z");
    }

    #[test]
    fn an_instant_before_1970_is_cut_downwards_and_survives_the_round_trip() {
        let at: Instant = "1969-12-31T23:59:59.9999Z".parse().unwrap();
        assert_eq!(at.to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Instant::from_millis(at.as_millis()).unwrap(), at);
    }

    #[test]
    fn what_rfc_3339_cannot_write_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-11-21",
            "2026-11-21T08:00:00",
            "-000001-01-01T00:00:00Z",
            "+010000-01-01T00:00:00Z",
            "2026-11-21T08:00:00Z[UTC]",
            "9999-12-31T23:59:59Z",
            "2026-13-01T00:00:00Z",
            "２026-11-21T08:00:00Z",
            "2027-01-01 08:00:00Z",
            "20270101T080000.000Z",
            "2027-01-01T08:00:00,5Z",
            "2027-01-01T08:00:00.Z",
            "2027-01-01T08:00:00+01:00:30",
            "2027-01-01T08:00:00+01",
            "2027-01-01T08:00:00+0100",
            "2027-01-01T08:00:00+24:00",
            "2027-01-01T08:00:00+01:60",
            "2027-01-01T08:00+01:00",
            "2027-01-01T08:00:60Z",
            "2027-01-01T24:00:00Z",
            "2027-02-29T08:00:00Z",
            "2027-01-01T08:00:00ZZ",
            "2027-01-01T08:00:00\u{2212}01:00",
        ] {
            assert!(text.parse::<Instant>().is_err(), "{text:?} was taken");
        }
        assert!("0000-01-01T00:00:00Z".parse::<Instant>().is_ok());
        assert!("9999-12-30T21:59:59.999Z".parse::<Instant>().is_ok());
    }

    #[test]
    fn every_form_that_rfc_3339_knows_is_taken() {
        for text in [
            "2027-01-01T08:00:00Z",
            "2027-01-01T08:00:00.0Z",
            "2027-01-01t08:00:00z",
            "2027-01-01T08:00:00.000000000+00:00",
            "2027-01-01T13:45:00+05:45",
            "2026-12-31T23:00:00-09:00",
        ] {
            assert_eq!(text.parse::<Instant>().unwrap().to_string(), "2027-01-01T08:00:00.000Z", "{text}");
        }
    }
}
