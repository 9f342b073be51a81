//! What people call a stretch of time, as a [`Window`]: `2h`, `yesterday`, `monday`, `-7d`,
//! `2026-03-01`, `2026-03-01T16:00`, unix seconds. Needs to be told what time it is.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::{Timestamp, Window, Zone};

/// Reads `--since`, `--until` and `--last`. Without any of them the window is open: all days.
///
/// # Errors
/// A sentence that names the text and the forms that are understood.
pub(crate) fn window(
    since: Option<&str>,
    until: Option<&str>,
    last: Option<&str>,
    zone: Zone,
    now: Timestamp,
) -> Result<Window, String> {
    let mut window = Window::ALL;
    if let Some(last) = last {
        let seconds = parse_duration_s(last).ok_or_else(|| {
            format!("`{last}` is not a valid duration; write it like 2h, 1d or 3h15m")
        })?;
        window = Window { since: Timestamp(now.0.saturating_sub(seconds)), until: now };
    }
    if let Some(since) = since {
        window.since = moment(since, zone, now)?;
    }
    if let Some(until) = until {
        window.until = moment(until, zone, now)?;
    }
    if window.since >= window.until {
        return Err(format!(
            "the window is empty: it begins at {} and ends at {}",
            window.since, window.until
        ));
    }
    Ok(window)
}

/// A moment as people read it, to the minute; with its offset where the clock shows the same twice.
pub(crate) fn minute(time: Timestamp, zone: Zone) -> String {
    let offset = zone.told_apart(time).unwrap_or_default();
    format!("{}{offset}", zone.local(time).format("%Y-%m-%d %H:%M"))
}

/// A window as people read it, without its zone.
pub(crate) fn window_text(Window { since, until }: Window, zone: Zone) -> String {
    let (first, last) = (Window::ALL.since, Window::ALL.until);
    let since = if since == first { "the beginning".to_owned() } else { minute(since, zone) };
    let until = if until == last { "the end".to_owned() } else { minute(until, zone) };
    format!("{since} to {until}")
}

/// Reads the end of a window that begins at `since`: a time of the day means the first one behind.
///
/// # Errors
/// A sentence that names the text and the forms that are understood.
pub(crate) fn end(
    text: &str,
    zone: Zone,
    now: Timestamp,
    since: Timestamp,
) -> Result<Timestamp, String> {
    let Ok(time) = NaiveTime::parse_from_str(text.trim(), "%H:%M") else {
        return moment(text, zone, now);
    };
    let on = |days: i64| zone.utc(zone.day_of(since, days).and_time(time));
    Ok(if on(0) > since { on(0) } else { on(1) })
}

/// Reads a stretch of time in one text: a day (`yesterday`, `monday`, `2026-03-01`), so long up to
/// now (`2h`), or two moments (`2026-03-01..2026-03-04`, of which the second is not included).
///
/// # Errors
/// A sentence that names the text and the forms that are understood.
pub(crate) fn stretch(text: &str, zone: Zone, now: Timestamp) -> Result<Window, String> {
    if let Some((since, until)) = text.split_once("..") {
        return window(Some(since), Some(until), None, zone, now);
    }
    let since = moment(text, zone, now)?;
    let is_long_ago = |text: &str| parse_duration_s(text.trim_start_matches('-')).is_some();
    if is_long_ago(text) && since < now {
        return Ok(Window { since, until: now });
    }
    if zone.day_start(zone.day_of(since, 0)) != since {
        return Err(format!(
            "`{text}` is a moment; write a day (yesterday, 2026-03-01), the time up to now (2h), \
             or two moments (2026-03-01T10:00..2026-03-01T12:00)"
        ));
    }
    let until = zone.day_start(zone.day_of(since, 1));
    // A day that is not over ends now: what is counted by its length depends on it.
    Ok(Window { since, until: if since < now { until.min(now) } else { until } })
}

/// Reads one moment. A day means its first moment in `zone`, a time of day the last one such, a
/// duration so long ago.
pub(crate) fn moment(text: &str, zone: Zone, now: Timestamp) -> Result<Timestamp, String> {
    let word = text.trim().to_ascii_lowercase();
    let days_ago = |days: i64| zone.day_start(zone.day_of(now, -days));
    match word.as_str() {
        "now" => return Ok(now),
        "today" => return Ok(days_ago(0)),
        "yesterday" => return Ok(days_ago(1)),
        "tomorrow" => return Ok(days_ago(-1)),
        _ => {}
    }
    if let Ok(weekday) = word.parse::<Weekday>() {
        // The last such day, today included.
        let today = zone.day_of(now, 0).weekday();
        return Ok(days_ago(i64::from(today.days_since(weekday))));
    }
    if let Ok(date) = word.parse::<NaiveDate>() {
        return Ok(zone.day_start(date));
    }
    if let Ok(clock) = NaiveTime::parse_from_str(&word, "%H:%M") {
        let on = |days: i64| zone.utc(zone.day_of(now, days).and_time(clock));
        return Ok(if on(0) <= now { on(0) } else { on(-1) });
    }
    for time in ["%H:%M:%S%.f", "%H:%M"] {
        for date in ["%Y-%m-%dt", "%Y-%m-%d ", "%m/%d/%Y "] {
            let format = format!("{date}{time}");
            if let Ok(local) = NaiveDateTime::parse_from_str(&word, &format) {
                return Ok(zone.utc(local));
            }
            if let Ok(time) = DateTime::parse_from_str(&word, &format!("{format}%#z")) {
                return Ok(Timestamp(time.timestamp()));
            }
        }
    }
    if let Some(ago) = parse_duration_s(word.strip_prefix('-').unwrap_or(&word))
        && !word.bytes().all(|b| b.is_ascii_digit())
    {
        return Ok(Timestamp(now.0.saturating_sub(ago)));
    }
    // What is left says its own offset, or counts seconds.
    Timestamp::parse(text.trim().as_bytes()).ok_or_else(|| {
        format!(
            "`{text}` is not a valid time; write 2h, -7d, yesterday, monday, 14:30, 2026-03-01, \
             2026-03-01T16:00 or unix seconds"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text.as_bytes()).expect("a time")
    }

    fn parsed(text: &str) -> String {
        // A Wednesday.
        let now = at("2026-03-04T10:30:00Z");
        let zone = "Europe/Madrid".parse().expect("a zone");
        moment(text, zone, now).map_or_else(|error| error, |time| time.to_string())
    }

    #[test]
    fn people_name_times_in_many_ways() {
        for (text, expected) in [
            ("2h", "2026-03-04T08:30:00Z"),
            ("-7d", "2026-02-25T10:30:00Z"),
            ("3h15m", "2026-03-04T07:15:00Z"),
            ("today", "2026-03-03T23:00:00Z"),
            ("yesterday", "2026-03-02T23:00:00Z"),
            ("monday", "2026-03-01T23:00:00Z"),
            ("Wednesday", "2026-03-03T23:00:00Z"),
            ("2026-01-07", "2026-01-06T23:00:00Z"),
            ("2026-01-07T16:00", "2026-01-07T15:00:00Z"),
            ("2026-07-07 16:00:30", "2026-07-07T14:00:30Z"),
            ("2026-01-07T16:00:00Z", "2026-01-07T16:00:00Z"),
            ("2026-01-07T16:00:00-05:00", "2026-01-07T21:00:00Z"),
            ("1772640000", "2026-03-04T16:00:00Z"),
            ("1772640000123", "2026-03-04T16:00:00Z"),
            // As accounting files have them, and as answers show them.
            ("2026-03-04 10:00:05+0000", "2026-03-04T10:00:05Z"),
            ("2026-03-04 10:00:05-0500", "2026-03-04T15:00:05Z"),
            ("03/04/2026 10:00:05-0500", "2026-03-04T15:00:05Z"),
            ("03/04/2026 10:00:05", "2026-03-04T09:00:05Z"),
            ("2026-03-04 10:00:05.250", "2026-03-04T09:00:05Z"),
            ("2026-03-04T10:00:05.250+01:00", "2026-03-04T09:00:05Z"),
            ("2025-10-26 02:00:00+02:00", "2025-10-26T00:00:00Z"),
            ("2025-10-26 02:00+01:00", "2025-10-26T01:00:00Z"),
            ("2026-03-04 10:00 -05", "2026-03-04T15:00:00Z"),
            ("now", "2026-03-04T10:30:00Z"),
            ("11:30", "2026-03-04T10:30:00Z"),
            ("11:31", "2026-03-03T10:31:00Z"),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
        assert!(parsed("last tuesday-ish").starts_with("`last tuesday-ish` is not a valid time"));
        assert!(parsed("2026-02-30").contains("is not a valid time"));
    }

    #[test]
    fn a_stretch_is_a_day_or_up_to_now_or_between_two_moments() {
        let now = at("2026-03-30T10:30:00Z");
        let zone = "Europe/Madrid".parse().expect("a zone");
        let window_of = |text: &str| {
            stretch(text, zone, now).map(|Window { since, until }| format!("{since} {until}"))
        };
        for (text, expected) in [
            ("today", "2026-03-29T22:00:00Z 2026-03-30T10:30:00Z"),
            ("tomorrow", "2026-03-30T22:00:00Z 2026-03-31T22:00:00Z"),
            // The clock went ahead: a day of 23 hours.
            ("yesterday", "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"),
            ("2026-03-01", "2026-02-28T23:00:00Z 2026-03-01T23:00:00Z"),
            ("2h", "2026-03-30T08:30:00Z 2026-03-30T10:30:00Z"),
            ("2026-03-01..2026-03-03", "2026-02-28T23:00:00Z 2026-03-02T23:00:00Z"),
            ("10:00..11:00", "2026-03-30T08:00:00Z 2026-03-30T09:00:00Z"),
        ] {
            assert_eq!(window_of(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["2026-03-01T10:00", "someday", "..", "2026-03-03..2026-03-01", ""] {
            assert!(window_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_of_the_day_ends_a_window_where_it_comes_next() {
        let (now, zone) = (at("2026-03-04T10:30:00Z"), "Europe/Madrid".parse().expect("a zone"));
        let since = at("2026-03-03T22:30:00Z");
        let of = |text| end(text, zone, now, since).map(|time| time.to_string());
        assert_eq!(of("01:00").as_deref(), Ok("2026-03-04T00:00:00Z"));
        assert_eq!(of("23:45").as_deref(), Ok("2026-03-03T22:45:00Z"));
        assert_eq!(of("yesterday").as_deref(), Ok("2026-03-02T23:00:00Z"));
    }

    #[test]
    fn a_window_needs_a_beginning_before_its_end() {
        let now = at("2026-03-04T10:30:00Z");
        let of = |since, until, last| window(since, until, last, Zone::UTC, now);
        assert_eq!(of(None, None, None), Ok(Window::ALL));
        let last = of(None, None, Some("1d")).expect("a window");
        assert_eq!((last.since, last.until), (at("2026-03-03T10:30:00Z"), now));
        let error = of(Some("2026-03-02"), Some("2026-03-02"), None).expect_err("empty");
        assert!(error.contains("the window is empty"), "{error}");
    }
}
