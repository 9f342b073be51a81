//! Time zones: what the clock on the wall shows at a UTC moment, and when that rule changes.
//! Facts only; the store is UTC and never asks.

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone,
};
use chrono_tz::Tz;

use crate::time::{Timestamp, Window};

/// A zone of the IANA database, such as `Europe/Madrid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// A name that the IANA database does not have.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time zone; write an IANA name such as `Europe/Madrid` or `UTC`")]
pub struct UnknownZone(String);

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The names of all zones.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// The zone in the words of `chrono-tz`.
    pub fn tz(self) -> Tz {
        self.0
    }

    /// Seconds to add to UTC to get the local time at `moment`.
    pub fn offset_s(self, moment: Timestamp) -> i64 {
        let utc = DateTime::from_timestamp(moment.0, 0).unwrap_or_default().naive_utc();
        i64::from(self.0.offset_from_utc_datetime(&utc).fix().local_minus_utc())
    }

    /// What the clock on the wall shows at `moment`.
    pub fn local(self, moment: Timestamp) -> NaiveDateTime {
        let shifted = moment.0.saturating_add(self.offset_s(moment));
        DateTime::from_timestamp(shifted, 0).unwrap_or_default().naive_utc()
    }

    /// The offset at `moment` as `+02:00`, where the clock on the wall shows the same twice: what
    /// tells the two apart. None at any other time.
    pub fn told_apart(self, moment: Timestamp) -> Option<String> {
        let twice = self.0.from_local_datetime(&self.local(moment));
        matches!(twice, MappedLocalTime::Ambiguous(..)).then(|| offset_text(self.offset_s(moment)))
    }

    /// The moment when the clock on the wall shows `local`. An hour that comes twice (autumn)
    /// means the first time; an hour that is skipped (spring) means the moment of the change.
    pub fn utc(self, local: NaiveDateTime) -> Timestamp {
        let mut probe = local;
        for _ in 0..=24 * 60 {
            if let Some(time) = self.0.from_local_datetime(&probe).earliest() {
                return Timestamp(time.timestamp());
            }
            probe += chrono::Duration::minutes(1);
        }
        Timestamp(local.and_utc().timestamp())
    }

    /// The first moment of the local day `date`.
    pub fn day_start(self, date: NaiveDate) -> Timestamp {
        self.utc(date.and_time(NaiveTime::MIN))
    }

    /// The local day that `moment` falls on, moved by `days`.
    pub fn day_of(self, moment: Timestamp, days: i64) -> NaiveDate {
        let date = self.local(moment).date();
        let step = Days::new(days.unsigned_abs());
        let moved =
            if days < 0 { date.checked_sub_days(step) } else { date.checked_add_days(step) };
        moved.unwrap_or(date)
    }

    /// The offsets that hold inside `window`: each with the first moment since when it holds,
    /// the first of them from the window's beginning. Found by bisection, so it costs some
    /// dozen look-ups a year.
    pub fn offsets(self, window: Window) -> Vec<(Timestamp, i64)> {
        const STEP_S: i64 = 7 * 86_400;
        let mut offsets = vec![(window.since, self.offset_s(window.since))];
        let mut at = window.since.0;
        while at < window.until.0 {
            let next = (at + STEP_S).min(window.until.0);
            let (before, after) = (self.offset_s(Timestamp(at)), self.offset_s(Timestamp(next)));
            if before != after {
                let (mut low, mut high) = (at, next);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if self.offset_s(Timestamp(middle)) == before {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                offsets.push((Timestamp(high), after));
            }
            at = next;
        }
        offsets
    }
}

/// An offset from UTC as `+02:00`.
pub fn offset_text(offset_s: i64) -> String {
    let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

impl From<Tz> for Zone {
    fn from(tz: Tz) -> Zone {
        Zone(tz)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Zone, UnknownZone> {
        Tz::from_str_insensitive(name).map(Zone).map_err(|_| UnknownZone(name.to_owned()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text.as_bytes()).expect("a time")
    }

    fn madrid() -> Zone {
        "europe/madrid".parse().expect("a zone")
    }

    #[test]
    fn a_window_over_both_changes_has_three_offsets() {
        let year = Window { since: at("2026-01-01T00:00:00Z"), until: at("2027-01-01T00:00:00Z") };
        assert_eq!(
            madrid().offsets(year),
            [
                (at("2026-01-01T00:00:00Z"), 3600),
                (at("2026-03-29T01:00:00Z"), 7200),
                (at("2026-10-25T01:00:00Z"), 3600),
            ]
        );
        assert_eq!(Zone::UTC.offsets(year), [(year.since, 0)]);
    }

    #[test]
    fn skipped_and_repeated_hours_have_one_meaning() {
        let local = |text: &str| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a local time")
        };
        assert_eq!(madrid().utc(local("2026-03-29 02:30")), at("2026-03-29T01:00:00Z"));
        assert_eq!(madrid().utc(local("2026-10-25 02:30")), at("2026-10-25T00:30:00Z"));
        assert_eq!(madrid().utc(local("2026-07-01 16:00")), at("2026-07-01T14:00:00Z"));
    }

    #[test]
    fn the_two_hours_of_one_name_are_told_apart_by_their_offsets() {
        let of = |zone: &str, text| zone.parse::<Zone>().expect("a zone").told_apart(at(text));
        assert_eq!(of("Europe/Madrid", "2026-10-25T00:30:00Z").as_deref(), Some("+02:00"));
        assert_eq!(of("Europe/Madrid", "2026-10-25T01:30:00Z").as_deref(), Some("+01:00"));
        assert_eq!(of("America/St_Johns", "2026-11-01T04:00:00Z").as_deref(), Some("-02:30"));
        for time in ["2026-10-24T23:59:59Z", "2026-10-25T02:00:00Z", "2026-03-29T01:00:00Z"] {
            assert_eq!(of("Europe/Madrid", time), None, "{time}");
        }
    }

    #[test]
    fn a_local_day_may_have_23_hours() {
        let zone = madrid();
        let noon = at("2026-03-29T12:00:00Z");
        let (today, tomorrow) = (zone.day_of(noon, 0), zone.day_of(noon, 1));
        assert_eq!(zone.day_start(tomorrow).0 - zone.day_start(today).0, 23 * 3600);
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = "Madrid/Europe".parse::<Zone>().expect_err("unknown").to_string();
        assert!(error.starts_with("`Madrid/Europe` is not a time zone"), "{error}");
    }
}
