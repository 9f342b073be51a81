//! The MTA's own clock: UTC seconds as PowerMTA spells its local time. Knows no file.

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

use crate::text::two;

const QUARTER_S: i64 = 900;
const DAY_S: i64 = 86_400;

/// The local time of a span of days.
#[derive(Clone, Debug)]
pub(crate) struct LocalTime {
    /// UTC second at which the tables begin.
    begin: i64,
    /// Seconds from UTC to local time and their spelling, for each quarter of an hour.
    offsets: Vec<(i64, [u8; 5])>,
    /// Local days since 1970 at which `days` begins.
    first_day: i64,
    /// `2026-03-01` of each local day.
    days: Vec<[u8; 10]>,
}

impl LocalTime {
    /// The clock from `begin` for so many days: in `zone`, or with a fixed offset.
    pub(crate) fn new(begin: i64, days: u32, offset_min: i32, zone: Option<Tz>) -> LocalTime {
        let quarters = i64::from(days) * DAY_S / QUARTER_S;
        let offsets = (0..=quarters)
            .map(|quarter| {
                let offset_s = match zone {
                    Some(zone) => offset_s(zone, begin + quarter * QUARTER_S),
                    None => i64::from(offset_min) * 60,
                };
                (offset_s, spelling(offset_s))
            })
            .collect();
        let first_day = begin.div_euclid(DAY_S) - 1;
        let days = (0..i64::from(days) + 3).map(|day| date(first_day + day)).collect();
        LocalTime { begin, offsets, first_day, days }
    }

    /// Appends `2026-03-01 16:00:00+0000`.
    pub(crate) fn local(&self, time: i64, out: &mut Vec<u8>) {
        let (offset_s, spelling) = self.offset(time);
        let local = time + offset_s;
        out.extend_from_slice(&self.day(local.div_euclid(DAY_S)));
        out.push(b' ');
        time_of_day(local, out);
        out.extend_from_slice(spelling);
    }

    /// `2026-03-01` of the days since 1970.
    pub(crate) fn day(&self, day: i64) -> [u8; 10] {
        let known = usize::try_from(day - self.first_day).ok().and_then(|n| self.days.get(n));
        known.copied().unwrap_or_else(|| date(day))
    }

    /// The local hour, counted since 1970.
    pub(crate) fn hour(&self, time: i64) -> i64 {
        (time + self.offset(time).0).div_euclid(3600)
    }

    /// Appends `2026-03-01T16:00:00`, in UTC.
    pub(crate) fn utc(time: i64, separator: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&date(time.div_euclid(DAY_S)));
        out.push(separator);
        time_of_day(time, out);
    }

    fn offset(&self, time: i64) -> &(i64, [u8; 5]) {
        let quarter = ((time - self.begin) / QUARTER_S).clamp(0, self.offsets.len() as i64 - 1);
        &self.offsets[quarter as usize]
    }
}

/// `2026-03-01` of the days since 1970, of the years 0 to 9999.
pub(crate) fn date(days: i64) -> [u8; 10] {
    let date = i32::try_from(days).ok().and_then(NaiveDate::from_epoch_days).unwrap_or_default();
    let mut out = Vec::with_capacity(10);
    let year = i64::from(date.year());
    two(year / 100, &mut out);
    two(year % 100, &mut out);
    out.push(b'-');
    two(date.month().into(), &mut out);
    out.push(b'-');
    two(date.day().into(), &mut out);
    let mut text = [b'0'; 10];
    text.copy_from_slice(&out);
    text
}

fn time_of_day(time: i64, out: &mut Vec<u8>) {
    let second = time.rem_euclid(DAY_S);
    two(second / 3600, out);
    out.push(b':');
    two(second / 60 % 60, out);
    out.push(b':');
    two(second % 60, out);
}

fn offset_s(zone: Tz, time: i64) -> i64 {
    let utc = DateTime::from_timestamp(time, 0).unwrap_or_default().naive_utc();
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into()
}

fn spelling(offset_s: i64) -> [u8; 5] {
    let mut out = vec![if offset_s < 0 { b'-' } else { b'+' }];
    two(offset_s.abs() / 3600, &mut out);
    two(offset_s.abs() / 60 % 60, &mut out);
    let mut text = [b'0'; 5];
    text.copy_from_slice(&out);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 1_772_323_200; // 2026-03-01 00:00 UTC

    fn local(clock: &LocalTime, time: i64) -> String {
        let mut out = Vec::new();
        clock.local(time, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_fixed_offset_is_added_and_spelled() {
        let new_york = LocalTime::new(DAY, 3, -300, None);
        assert_eq!(local(&new_york, DAY), "2026-02-28 19:00:00-0500");
        let nepal = LocalTime::new(DAY, 3, 345, None);
        assert_eq!(local(&nepal, DAY + 3 * DAY_S - 1), "2026-03-04 05:44:59+0545");
        assert_eq!(local(&LocalTime::new(DAY, 3, 0, None), DAY + 61), "2026-03-01 00:01:01+0000");
    }

    #[test]
    fn in_a_zone_the_offset_changes_with_the_night() {
        let spring = DAY + 28 * DAY_S; // 2026-03-29
        let madrid = LocalTime::new(spring, 2, 0, Some(chrono_tz::Europe::Madrid));
        assert_eq!(local(&madrid, spring + 3599), "2026-03-29 01:59:59+0100");
        assert_eq!(local(&madrid, spring + 3600), "2026-03-29 03:00:00+0200");
    }
}
