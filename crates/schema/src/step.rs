//! Equal steps of the local clock: five minutes, an hour, a day, a week. Where each begins, also
//! across a change of the clock. Never asks what time it is.

use std::fmt;

use chrono::{DateTime, NaiveDateTime};

use crate::size::parse_duration_s;
use crate::time::{DAY_S, Timestamp, Window};
use crate::zone::Zone;

const HOUR_S: i64 = 3600;

/// What a graph can be divided by, from fine to coarse.
const NICE_S: &[i64] = &[
    60,
    120,
    300,
    600,
    900,
    1800,
    HOUR_S,
    2 * HOUR_S,
    3 * HOUR_S,
    6 * HOUR_S,
    12 * HOUR_S,
    DAY_S,
    7 * DAY_S,
    28 * DAY_S,
];

/// How many steps a window may have.
const MAX_STEPS: i64 = 20_000;

/// The length of equal steps. A day and its parts begin at local midnight, weeks on Mondays; a day
/// on which the clock changes has steps of an hour more or fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step(i64);

/// How the step that holds a moment is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// By dividing UTC seconds after so many are added: all offsets of the zone differ by whole steps.
    Utc(i64),
    /// By dividing the seconds that the clock on the wall shows.
    Local,
}

impl Step {
    /// An hour.
    pub const HOUR: Step = Step(HOUR_S);

    /// Reads `5m`, `1h`, `1d`: what divides a day, or days.
    ///
    /// # Errors
    /// A sentence that names the text and what is understood.
    pub fn parse(text: &str) -> Result<Step, String> {
        let seconds = parse_duration_s(text)
            .filter(|seconds| *seconds > 0 && (DAY_S % seconds == 0 || seconds % DAY_S == 0));
        seconds.map(Step).ok_or_else(|| {
            format!(
                "`{text}` is not a valid step; write what divides a day, or days: 5m, 15m, 1h, 6h, 1d, 1w"
            )
        })
    }

    /// The finest nice step of which `window` has at most `count`.
    pub fn fitting(window: Window, count: i64) -> Step {
        let length = window.until.0.saturating_sub(window.since.0);
        let fits = |step: &&i64| length / **step <= count.max(1);
        Step(NICE_S.iter().find(fits).or(NICE_S.last()).copied().unwrap_or(DAY_S))
    }

    /// Its length in seconds, where the clock does not change.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// What its first step is counted from, in seconds of the clock: 1970 began on a Thursday, and
    /// weeks begin on Mondays.
    pub fn origin_s(self) -> i64 {
        if self.0 % (7 * DAY_S) == 0 { -3 * DAY_S } else { 0 }
    }

    /// Which clock tells its steps in `window`.
    pub fn clock(self, window: Window, zone: Zone) -> Clock {
        let mut ahead =
            zone.offsets(window).into_iter().map(|(_, offset)| offset.rem_euclid(self.0));
        let first = ahead.next().unwrap_or_default();
        let is_same = ahead.all(|other| other == first);
        if is_same && self.0 <= HOUR_S { Clock::Utc(first) } else { Clock::Local }
    }

    /// The steps that meet `window`: for each its begin, and its begin on the clock that tells it,
    /// in seconds; and the end of the last one.
    ///
    /// # Errors
    /// A sentence, when they are more than anyone can look at.
    pub fn divide(
        self,
        window: Window,
        zone: Zone,
    ) -> Result<(Vec<(Timestamp, i64)>, Timestamp), String> {
        if window.until.0.saturating_sub(window.since.0) / self.0 > MAX_STEPS {
            return Err(format!("more than {MAX_STEPS} steps of {self}: choose longer ones"));
        }
        let clock = self.clock(window, zone);
        let shown = |time: Timestamp| match clock {
            Clock::Utc(ahead) => time.0.saturating_add(ahead),
            Clock::Local => time.0.saturating_add(zone.offset_s(time)),
        };
        let moment = |shown: i64| match clock {
            Clock::Utc(ahead) => Timestamp(shown - ahead),
            Clock::Local => zone.utc(on_the_wall(shown)),
        };
        let first = (shown(window.since) - self.origin_s()).div_euclid(self.0) * self.0;
        let mut at = first + self.origin_s();
        let mut steps: Vec<(Timestamp, i64)> = Vec::new();
        while moment(at) < window.until {
            // An hour that the clock skips has no step of its own.
            if steps.last().is_none_or(|(begin, _)| *begin < moment(at)) {
                steps.push((moment(at), at));
            }
            at += self.0;
        }
        Ok((steps, moment(at)))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = [(7 * DAY_S, "w"), (DAY_S, "d"), (HOUR_S, "h"), (60, "m"), (1, "s")]
            .into_iter()
            .find(|(unit, _)| self.0 % unit == 0)
            .unwrap_or((1, "s"));
        write!(f, "{}{name}", self.0 / unit)
    }
}

fn on_the_wall(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(step: &str, since: &str, until: &str, zone: &str) -> Vec<String> {
        let at = |text: &str| Timestamp::parse(text.as_bytes()).expect("a time");
        let window = Window { since: at(since), until: at(until) };
        let zone: Zone = zone.parse().expect("a zone");
        let (steps, end) = Step::parse(step).expect("a step").divide(window, zone).expect("few");
        let begins = steps.iter().map(|(begin, _)| *begin).chain([end]);
        begins.map(|begin| zone.local(begin).format("%d %H:%M").to_string()).collect()
    }

    #[test]
    fn a_step_divides_a_day_or_is_days() {
        for text in ["5m", "90s", "1h", "8h", "1d", "1w", "300"] {
            assert!(Step::parse(text).is_ok(), "{text}");
        }
        for text in ["7m", "0s", "5h", "36h", "", "soon", "-5m"] {
            assert!(Step::parse(text).is_err(), "{text}");
        }
        assert_eq!(Step(5400).to_string(), "90m");
        assert_eq!(Step(7 * DAY_S).to_string(), "1w");
    }

    #[test]
    fn steps_begin_with_the_local_day() {
        assert_eq!(
            steps("6h", "2026-03-01T05:00:00Z", "2026-03-01T18:00:00Z", "Asia/Kolkata"),
            ["01 06:00", "01 12:00", "01 18:00", "02 00:00"]
        );
        assert_eq!(
            steps("1w", "2026-03-04T05:00:00Z", "2026-03-11T18:00:00Z", "UTC"),
            ["02 00:00", "09 00:00", "16 00:00"]
        );
    }

    #[test]
    fn a_day_of_a_change_has_23_or_25_hours() {
        let day = |since, until| steps("1h", since, until, "Europe/Madrid").len() - 1;
        assert_eq!(day("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23);
        assert_eq!(day("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 25);
        assert_eq!(
            steps("12h", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Europe/Madrid"),
            ["25 00:00", "25 12:00", "26 00:00"]
        );
        // Also where the clock is half an hour from those of others.
        assert_eq!(
            steps("1h", "2026-11-01T03:00:00Z", "2026-11-01T06:00:00Z", "America/St_Johns"),
            ["01 00:00", "01 01:00", "01 01:00", "01 02:00", "01 03:00"]
        );
        assert_eq!(
            steps("1h", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "Europe/Madrid"),
            ["29 01:00", "29 03:00", "29 04:00"]
        );
    }

    #[test]
    fn the_finest_that_fits_is_chosen() {
        let window = |hours| Window { since: Timestamp(0), until: Timestamp(hours * HOUR_S) };
        let of = |hours| Step::fitting(window(hours), 150).to_string();
        assert_eq!([1, 24, 72, 24 * 30, 24 * 365].map(of), ["1m", "10m", "30m", "6h", "1w"]);
        let all = Step(60).divide(window(24 * 365), Zone::UTC);
        assert!(all.expect_err("too many").contains("more than 20000 steps of 1m"));
    }
}
