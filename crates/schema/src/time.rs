//! Times as accounting files spell them, and windows of time. UTC seconds inside, always.
//! Knows nothing of the clock: whoever needs "now" is given it.

use std::fmt;

use chrono::{DateTime, NaiveDate};

/// A moment: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// Seconds in a UTC day.
pub const DAY_S: i64 = 86_400;

/// Times outside these years are taken for damage: 1990-01-01 and 2100-01-01, in UTC seconds.
/// `PowerMTA` is younger than the first, and a 32-bit overflow (1970, 2106) falls outside.
const PLAUSIBLE: std::ops::Range<i64> = 631_152_000..4_102_444_800;

impl Timestamp {
    /// Reads a field in any of PMTA's spellings (User's Guide, 11.2.9), or RFC 3339:
    /// `2019-02-08 21:53:41+0000`, `02/08/2019 21:53:41-0500`, `1549662821`,
    /// `2019-02-08T21:53:41.123Z`; or as programs count since 1970: seconds with a fraction, milliseconds, microseconds and
    /// nanoseconds. A missing offset means UTC; a fraction is dropped.
    /// Returns `None` for anything else, and for years outside 1990 to 2099.
    pub fn parse(field: &[u8]) -> Option<Timestamp> {
        let seconds = counted(field).or_else(|| civil(field))?;
        PLAUSIBLE.contains(&seconds).then_some(Timestamp(seconds))
    }

    /// The UTC day that the moment falls on.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_S))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, as the store keeps them: of the units that every
    /// reader of Parquet knows the one with the shortest differences.
    pub const fn millis(self) -> i64 {
        self.0 * 1_000
    }

    /// Microseconds since 1970-01-01T00:00:00Z, as SQL takes them.
    pub const fn micros(self) -> i64 {
        self.0 * 1_000_000
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: `2026-03-01T16:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp(self.0, 0) {
            Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%SZ")),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Reads times one after the other, of which most fall into the minute of the one before.
#[derive(Debug, Default)]
pub struct Times {
    last: Option<Minute>,
}

/// A minute as PMTA spells it: `2019-02-08 21:53:` before the seconds and `+0000` behind them.
#[derive(Debug)]
struct Minute {
    before: [u8; 17],
    behind: [u8; 5],
    start: i64,
}

impl Times {
    /// What [`Timestamp::parse`] gives.
    #[inline]
    pub fn parse(&mut self, field: &[u8]) -> Option<Timestamp> {
        let (Some(before), &[.., tens @ b'0'..=b'5', ones @ b'0'..=b'9', a, b, c, d, e]) =
            (field.first_chunk(), field)
        else {
            return Timestamp::parse(field);
        };
        let (behind, seconds) = ([a, b, c, d, e], i64::from((tens - b'0') * 10 + (ones - b'0')));
        if let Some(minute) = &self.last
            && field.len() == 24
            && minute.before == *before
            && minute.behind == behind
        {
            return Some(Timestamp(minute.start + seconds));
        }
        let time = Timestamp::parse(field)?;
        if field.len() == 24 && before[16] == b':' {
            self.last = Some(Minute { before: *before, behind, start: time.0 - seconds });
        }
        Some(time)
    }
}

/// A UTC day: days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// Reads `2026-03-01`.
    pub fn parse(text: &str) -> Option<Day> {
        let date: NaiveDate = text.parse().ok()?;
        Some(Day(date.to_epoch_days().into()))
    }

    /// The first moment of the day.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0 * DAY_S)
    }
}

impl fmt::Display for Day {
    /// `2026-03-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.write_str(text.split('T').next().unwrap_or(&text))
    }
}

/// A half-open stretch of time, `since <= t < until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First moment inside.
    pub since: Timestamp,
    /// First moment after.
    pub until: Timestamp,
}

impl Window {
    /// All times that a record can have.
    pub const ALL: Window =
        Window { since: Timestamp(PLAUSIBLE.start), until: Timestamp(PLAUSIBLE.end) };

    /// Whether any moment of `day` is inside.
    pub const fn touches(self, day: Day) -> bool {
        day.start().0 < self.until.0 && self.since.0 < day.start().0 + DAY_S
    }
}

/// Seconds since 1970, or their parts, by how many digits there are today.
fn counted(field: &[u8]) -> Option<i64> {
    let digits = field.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match &field[digits..] {
        [] => {}
        [b'.', fraction @ ..] if digits <= 11 => {
            (!fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit)).then_some(())?;
        }
        _ => return None,
    }
    let parts = match digits {
        1..=11 => 1,
        13 => 1_000,
        16 => 1_000_000,
        19 => 1_000_000_000,
        _ => return None,
    };
    Some(number(&field[..digits])? / parts)
}

/// A date, a separator, a time of day, an optional fraction and an optional offset.
fn civil(field: &[u8]) -> Option<i64> {
    let f = field.first_chunk::<19>()?;
    let (year, month, day) = match (f[4], f[7], f[2], f[5]) {
        (b'-', b'-', ..) | (b'/', b'/', ..) => {
            (number(&f[..4])?, number(&f[5..7])?, number(&f[8..10])?)
        }
        (_, _, b'/', b'/') => (number(&f[6..10])?, number(&f[..2])?, number(&f[3..5])?),
        _ => return None,
    };
    if !matches!(f[10], b' ' | b'T' | b't') || f[13] != b':' || f[16] != b':' {
        return None;
    }
    let (hour, minute, second) = (number(&f[11..13])?, number(&f[14..16])?, number(&f[17..19])?);
    // 60 is a leap second (RFC 3339); it counts as the first second of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &field[19..];
    if let [b'.' | b',', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        rest = &fraction[digits..];
    }
    Some(days(year, month, day)? * DAY_S + hour * 3600 + minute * 60 + second - offset(rest)?)
}

/// An offset from UTC in seconds: nothing, `Z`, `UTC`, `+0000`, `-05:00` or `+02`.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [] | [b'Z' | b'z'] | b"UTC" | b"GMT" => return Some(0),
        [b' ', rest @ ..] => return offset(rest),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h @ .., b':', m1, m2] if h.len() == 2 => (number(h)?, number(&[*m1, *m2])?),
        [h1, h2, m1, m2] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?),
        [h1, h2] => (number(&[*h1, *h2])?, 0),
        _ => return None,
    };
    (hours <= 15 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Digits as a number.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |n, &b| {
        b.is_ascii_digit().then_some(())?;
        n.checked_mul(10)?.checked_add(i64::from(b - b'0'))
    })
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let (year, month, day) = (year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
    Some(NaiveDate::from_ymd_opt(year, month, day)?.to_epoch_days().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;
    use proptest::prelude::*;

    fn parsed(field: &str) -> Option<String> {
        Timestamp::parse(field.as_bytes()).map(|t| t.to_string())
    }

    #[test]
    fn all_spellings_give_the_same_moment() {
        for field in [
            "2019-02-08 21:53:41+0000",
            "2019-02-08 16:53:41-0500",
            "02/08/2019 21:53:41+0000",
            "1549662821",
            "1549662821999",
            "1549662821.999",
            "1549662821999123",
            "1549662821999123456",
            "2019-02-08 21:53:41,999+0000",
            "2019-02-08 21:53:41 UTC",
            "2019/02/08 21:53:41",
            "2019-02-08T21:53:41Z",
            "2019-02-08T23:53:41.999+02:00",
            "2019-02-08 21:53:41",
        ] {
            assert_eq!(parsed(field).as_deref(), Some("2019-02-08T21:53:41Z"), "{field}");
        }
    }

    #[test]
    fn month_and_year_borders_hold() {
        assert_eq!(parsed("2024-02-29 23:59:59-0100").as_deref(), Some("2024-03-01T00:59:59Z"));
        assert_eq!(parsed("2026-12-31 23:30:00-0100").as_deref(), Some("2027-01-01T00:30:00Z"));
        assert_eq!(parsed("2025-02-29 00:00:00+0000"), None);
        assert_eq!(parsed("2026-04-31 00:00:00+0000"), None);
    }

    #[test]
    fn what_is_no_plausible_time_is_refused() {
        for field in [
            "",
            "-",
            "0",
            "-1",
            "4294967295",
            "2026-13-05 00:00:00+0000",
            "1970-01-01 00:00:00+0000",
            "2106-02-07 06:28:15+0000",
            "2026-01-05 24:00:00+0000",
            "2026-01-05 10:00:00+00000",
            "2026-01-05 10:00:00.+0000",
            "20260105T100000Z",
            "yesterday at noon",
            "99999999999",
            "1549662821.",
            "1549662821.5x",
            "43504.9123",
            "5/1/2026 10:00",
        ] {
            assert_eq!(parsed(field), None, "{field}");
        }
    }

    #[test]
    fn a_window_touches_the_days_it_overlaps() {
        let day = Day::parse("2026-03-01").expect("a date");
        let at = |text: &str| Timestamp::parse(text.as_bytes()).expect("a time");
        let window = |since, until| Window { since: at(since), until: at(until) };
        assert!(window("2026-02-28T23:00:00Z", "2026-03-01T00:00:01Z").touches(day));
        assert!(!window("2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z").touches(day));
        assert!(window("2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z").touches(day));
        assert!(!window("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z").touches(day));
        assert_eq!(day.to_string(), "2026-03-01");
    }

    proptest! {
        #[test]
        fn the_calendar_agrees_with_chrono(n in 7_305_i64..47_482, s in 0_i64..DAY_S) {
            let date = NaiveDate::from_epoch_days(i32::try_from(n)?).expect("in range");
            prop_assert_eq!(days(date.year().into(), date.month().into(), date.day().into()), Some(n));
            let time = Timestamp(n * DAY_S + s);
            prop_assert_eq!(Timestamp::parse(time.to_string().as_bytes()), Some(time));
            prop_assert_eq!(Day::parse(&time.day().to_string()), Some(time.day()));
        }

        #[test]
        fn times_in_turn_are_read_as_each_alone(
            fields in prop::collection::vec(
                "2026-0[12]-2[89] 2[34]:5[89]:[0-6][0-9](|[+]0000|-0130|Z|[.]1234)|0[23]/28/2026 23:59:0[0-9][+]0000|177244[0-9]{4}|2026-01-28 23:59:[0-6][0-9x][+]000[0x]",
                0..40,
            ),
        ) {
            let mut times = Times::default();
            for field in &fields {
                let alone = Timestamp::parse(field.as_bytes());
                prop_assert_eq!(times.parse(field.as_bytes()), alone, "{}", field);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(field in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Timestamp::parse(&field);
        }
    }
}
