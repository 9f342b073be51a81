//! What a window is compared with: the windows of its baseline. Reads no records.

use std::str::FromStr;

use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window, Zone};

/// What the window is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versus {
    /// The same hours of the local clock on so many days before.
    SameHour(u32),
    /// The window of the same length right before.
    Previous,
}

impl FromStr for Versus {
    type Err = String;

    fn from_str(text: &str) -> Result<Versus, String> {
        let days = text.strip_prefix("same-hour/").and_then(|days| days.strip_suffix('d'));
        match (text, days.and_then(|days| days.parse().ok())) {
            ("previous", _) => Ok(Versus::Previous),
            ("same-hour", _) => Ok(Versus::SameHour(7)),
            (_, Some(days @ 1..=60)) => Ok(Versus::SameHour(days)),
            _ => Err("write same-hour/7d, with 1 to 60 days, or previous".to_owned()),
        }
    }
}

impl Versus {
    /// What the reader is told that `window` is compared with, of whose baseline there are so many windows.
    pub(crate) fn name(self, window: Window, n_windows: usize) -> String {
        match (self, n_windows, days_apart(window)) {
            (_, 0, _) => "nothing".to_owned(),
            (Versus::Previous, ..) => "the window before".to_owned(),
            (Versus::SameHour(_), 1, 1) => "the same hours on the previous day".to_owned(),
            (Versus::SameHour(_), n, 1) => format!("the same hours on the previous {n} days"),
            (Versus::SameHour(_), 1, days) => format!("the same hours {days} days before"),
            (Versus::SameHour(_), n, days) => {
                format!("the same hours of {n} windows before it, {days} days apart")
            }
        }
    }

    /// The windows to compare with, the nearest first. Days are those of the local clock: 16:00
    /// stays 16:00 when the offset changes.
    pub(crate) fn baseline(self, window: Window, zone: Zone) -> Vec<Window> {
        let length = window.until.0 - window.since.0;
        let from = |since: Timestamp| Window { since, until: Timestamp(since.0 + length) };
        match self {
            Versus::Previous => vec![from(Timestamp(window.since.0 - length))],
            Versus::SameHour(days) => {
                let step = days_apart(window);
                let time = zone.local(window.since).time();
                let day = |n: i64| zone.day_of(window.since, -n * step).and_time(time);
                (1..=i64::from(days)).map(|n| from(zone.utc(day(n)))).collect()
            }
        }
    }
}

/// So many days lie between the windows of a baseline: those of more than a day must not lie over one another.
fn days_apart(window: Window) -> i64 {
    let length = window.until.0 - window.since.0;
    (length + DAY_S - 1).div_euclid(DAY_S).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text.as_bytes()).expect("a time")
    }

    fn of(since: &str, until: &str) -> Window {
        Window { since: at(since), until: at(until) }
    }

    #[test]
    fn the_same_hour_is_that_of_the_local_clock() {
        let zone: Zone = "Europe/Madrid".parse().expect("a zone");
        // The clock changes in the night to 2026-03-29.
        let window = of("2026-03-29T14:00:00Z", "2026-03-29T15:00:00Z");
        let baseline = Versus::SameHour(2).baseline(window, zone);
        assert_eq!(baseline[0], of("2026-03-28T15:00:00Z", "2026-03-28T16:00:00Z"));
        assert_eq!(baseline[1], of("2026-03-27T15:00:00Z", "2026-03-27T16:00:00Z"));
    }

    #[test]
    fn windows_of_the_baseline_do_not_touch_the_window() {
        let window = of("2026-03-09T00:00:00Z", "2026-03-10T03:00:00Z");
        for versus in [Versus::SameHour(7), Versus::Previous] {
            let baseline = versus.baseline(window, Zone::UTC);
            assert!(baseline.iter().all(|other| other.until <= window.since), "{baseline:?}");
            assert!(baseline.windows(2).all(|pair| pair[1].until <= pair[0].since));
        }
    }

    #[test]
    fn the_reader_is_told_how_far_the_windows_are_apart() {
        let day = of("2026-03-09T00:00:00Z", "2026-03-10T00:00:00Z");
        let week = of("2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z");
        let named = |window, n| Versus::SameHour(7).name(window, n);
        assert_eq!(named(day, 1), "the same hours on the previous day");
        assert_eq!(named(day, 7), "the same hours on the previous 7 days");
        assert_eq!(named(week, 1), "the same hours 7 days before");
        assert_eq!(named(week, 2), "the same hours of 2 windows before it, 7 days apart");
        assert_eq!(named(week, 0), "nothing");
        assert_eq!(Versus::Previous.name(week, 1), "the window before");
    }

    #[test]
    fn a_baseline_is_read_by_its_name() {
        assert_eq!("same-hour/7d".parse(), Ok(Versus::SameHour(7)));
        assert_eq!("previous".parse(), Ok(Versus::Previous));
        for wrong in ["same-hour/0d", "same-hour/7", "last week", ""] {
            assert!(wrong.parse::<Versus>().is_err(), "{wrong}");
        }
    }
}
