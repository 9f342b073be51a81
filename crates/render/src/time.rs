//! Dates, times and durations as text.
//! Never asks the clock; the one zone it knows is the one it is given.

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Zone};

/// Writes a date, `2026-03-01`. Years outside 0 to 9999 get a sign, as ISO 8601 asks.
pub(crate) fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    match u16::try_from(year) {
        Ok(year) if year <= 9999 => {
            pair(u32::from(year) / 100, out);
            pair(u32::from(year) % 100, out);
        }
        _ => out.extend_from_slice(format!("{year:+05}").as_bytes()),
    }
    out.push(b'-');
    pair(month, out);
    out.push(b'-');
    pair(day, out);
}

/// Writes a time of day, `16:00:00`, with a fraction only if it is not zero.
///
/// `seconds` may be 86,400, which SQL's `24:00:00` is.
pub(crate) fn clock(seconds: i64, nanos: u32, out: &mut Vec<u8>) {
    let seconds = seconds.clamp(0, DAY_S) as u32;
    pair(seconds / 3600, out);
    out.push(b':');
    pair(seconds / 60 % 60, out);
    out.push(b':');
    pair(seconds % 60, out);
    fraction(nanos, out);
}

/// Writes date, `separator` and time of day of seconds since 1970-01-01.
pub(crate) fn instant(seconds: i64, nanos: u32, separator: u8, out: &mut Vec<u8>) {
    date(seconds.div_euclid(DAY_S), out);
    out.push(separator);
    clock(seconds.rem_euclid(DAY_S), nanos, out);
}

/// Moves UTC seconds to the wall clock of `zone`; beyond the years that chrono knows, not at all.
pub(crate) fn local(seconds: i64, zone: Tz) -> i64 {
    let offset = DateTime::from_timestamp(seconds, 0)
        .map(|utc| zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc());
    seconds.saturating_add(i64::from(offset.unwrap_or_default()))
}

/// The offset of a moment as `+02:00` where the wall clock of `zone` shows the same twice, else
/// nothing.
pub(crate) fn told_apart(seconds: i64, zone: Tz) -> String {
    Zone::from(zone).told_apart(Timestamp(seconds)).unwrap_or_default()
}

/// Writes an interval as an ISO 8601 duration, `P1M2DT3.5S`, each part with its own sign.
pub(crate) fn interval(months: i32, days: i32, nanos: i64, out: &mut Vec<u8>) {
    let mut text = String::from("P");
    for (n, letter) in [(months / 12, 'Y'), (months % 12, 'M'), (days, 'D')] {
        if n != 0 {
            text.push_str(&format!("{n}{letter}"));
        }
    }
    if nanos != 0 || text.len() == 1 {
        text.push('T');
        let seconds = nanos / 1_000_000_000;
        for (n, letter) in [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M')] {
            if n != 0 {
                text.push_str(&format!("{n}{letter}"));
            }
        }
        let rest = nanos % 60_000_000_000;
        if rest != 0 || text.ends_with('T') {
            text.push_str(if rest < 0 { "-" } else { "" });
            text.push_str(&(rest.unsigned_abs() / 1_000_000_000).to_string());
            out.extend_from_slice(text.as_bytes());
            fraction((rest.unsigned_abs() % 1_000_000_000) as u32, out);
            text = String::from("S");
        }
    }
    out.extend_from_slice(text.as_bytes());
}

/// Writes `.` and the digits of a fraction of a second without trailing zeros; nothing for zero.
fn fraction(nanos: u32, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    for part in [nanos / 10_000_000, nanos / 100_000 % 100, nanos / 1_000 % 100, nanos / 10 % 100] {
        pair(part, out);
    }
    out.push(b'0' + (nanos % 10) as u8);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

/// Writes a number below 100 as two digits.
fn pair(n: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

/// Returns year, month and day of the proleptic Gregorian calendar, which repeats every 400 years:
/// chrono alone ends with the year 262,143, the engine does not.
fn civil(days: i64) -> (i64, u32, u32) {
    const CYCLE_YEARS: i64 = 400;
    const CYCLE_DAYS: i64 = 146_097;
    let (cycles, day) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    let date = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days);
    let date = date.expect("chrono knows the 400 years from 1970 on");
    (i64::from(date.year()) + cycles * CYCLE_YEARS, date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_day_of_five_centuries_is_the_one_chrono_says() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for n in -100_000..100_000 {
            let day = epoch + chrono::Duration::days(n);
            assert_eq!(civil(n), (i64::from(day.year()), day.month(), day.day()));
        }
    }

    #[test]
    fn a_fraction_is_written_only_if_it_is_not_zero() {
        let at = |seconds, nanos| text(|out| instant(seconds, nanos, b'T', out));
        assert_eq!(at(1_772_380_800, 0), "2026-03-01T16:00:00");
        assert_eq!(at(1_772_380_800, 500_000_000), "2026-03-01T16:00:00.5");
        assert_eq!(at(-1, 1), "1969-12-31T23:59:59.000000001");
    }

    #[test]
    fn a_year_of_more_or_less_than_four_digits_has_a_sign() {
        assert_eq!(text(|out| date(3_000_000, out)), "+10183-09-21");
        assert_eq!(text(|out| date(-800_000, out)), "-0221-09-04");
        assert_eq!(text(|out| date(2_147_483_646, out)), "+5881580-07-10");
    }

    #[test]
    fn the_ends_of_the_number_line_do_not_panic() {
        for seconds in [i64::MIN, i64::MAX] {
            text(|out| instant(local(seconds, Tz::UTC), 0, b' ', out));
        }
        for n in [i64::MIN, i64::MAX] {
            text(|out| interval(i32::MIN, i32::MAX, n, out));
        }
    }

    #[test]
    fn summer_time_moves_the_wall_clock() {
        let madrid = Tz::Europe__Madrid;
        assert_eq!(local(1_772_380_800, madrid) - 1_772_380_800, 3_600);
        assert_eq!(local(1_780_329_600, madrid) - 1_780_329_600, 7_200);
    }

    #[test]
    fn only_a_time_that_comes_twice_names_its_offset() {
        let madrid = Tz::Europe__Madrid;
        assert_eq!(told_apart(1_792_888_200, madrid), "+02:00");
        assert_eq!(told_apart(1_792_891_800, madrid), "+01:00");
        assert_eq!(told_apart(1_792_895_400, madrid), "");
        for seconds in [i64::MIN, i64::MAX] {
            assert_eq!(told_apart(seconds, madrid), "");
        }
    }

    #[test]
    fn intervals_are_iso_8601_durations() {
        let iso = |months, days, nanos| text(|out| interval(months, days, nanos, out));
        assert_eq!(iso(14, 3, 14_706_500_000_000), "P1Y2M3DT4H5M6.5S");
        assert_eq!(iso(0, 0, 0), "PT0S");
        assert_eq!(iso(0, 1, 0), "P1D");
        assert_eq!(iso(0, 0, 3_600_000_000_000), "PT1H");
        assert_eq!(iso(-1, 2, -500_000_000), "P-1M2DT-0.5S");
    }
}
