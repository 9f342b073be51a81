//! The stretch of time that `top` shows: the last hours up to the newest record, or fixed.
//! Asks no clock and no store.

use pmtaq_schema::human::duration;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window, Zone};

use crate::window::{minute, window_text};

const HOUR_S: i64 = 3600;

/// Stretches to choose from, in seconds.
const LAST: [i64; 6] = [900, HOUR_S, 6 * HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S];

/// The stretch of time that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// So many seconds up to the newest record.
    Last(i64),
    /// From a moment up to the newest record.
    Since(Timestamp),
    /// This, whatever is ingested.
    Fixed(Window),
}

/// What is known of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The number of commits.
    pub(super) generation: u64,
    /// The newest record; none in an empty store.
    pub(super) newest: Option<Timestamp>,
}

impl Span {
    /// What the command line asks for: without a word the last day.
    pub(super) fn asked(window: Window, is_last: bool) -> Span {
        match (window.since == Window::ALL.since, window.until == Window::ALL.until) {
            (true, true) => Span::Last(DAY_S),
            (false, true) => Span::Since(window.since),
            _ if is_last => Span::Last(window.until.0 - window.since.0),
            _ => Span::Fixed(window),
        }
    }

    /// All that can be chosen, with `own` first when it is none of the others.
    pub(super) fn choices(own: Span) -> Vec<Span> {
        let mut all: Vec<Span> = LAST.map(Span::Last).to_vec();
        if !all.contains(&own) {
            all.insert(0, own);
        }
        all
    }

    /// The next shorter or longer stretch.
    pub(super) fn next(self, longer: bool) -> Span {
        let Span::Last(seconds) = self else { return self };
        let next = if longer {
            LAST.into_iter().find(|last| *last > seconds)
        } else {
            LAST.into_iter().rev().find(|last| *last < seconds)
        };
        Span::Last(next.unwrap_or(seconds))
    }

    /// The window of it. It ends with the newest record, since accounting files come late, but not
    /// behind `now`: a record of the future comes from a wrong clock.
    pub(super) fn window(self, facts: Facts, now: Timestamp) -> Window {
        let end =
            facts.newest.map_or(now, |newest| Timestamp(newest.0.saturating_add(1).min(now.0)));
        match self {
            Span::Last(seconds) => {
                Window { since: Timestamp(end.0.saturating_sub(seconds)), until: end }
            }
            Span::Since(since) => {
                Window { since, until: end.max(Timestamp(since.0.saturating_add(1))) }
            }
            Span::Fixed(window) => window,
        }
    }

    /// What it is called in a list.
    pub(super) fn name(self, zone: Zone) -> String {
        match self {
            Span::Last(seconds) => length(seconds),
            Span::Since(since) => format!("since {}", minute(since, zone)),
            Span::Fixed(window) => window_text(window, zone),
        }
    }

    /// It and its end, in one line.
    pub(super) fn title(self, window: Window, zone: Zone) -> String {
        match self {
            Span::Last(seconds) => {
                format!("{} to {} {zone}", length(seconds), minute(window.until, zone))
            }
            Span::Since(_) | Span::Fixed(_) => format!("{} {zone}", window_text(window, zone)),
        }
    }
}

/// A length without parts that are nothing: `24h`, `7d`, `1h 30m`.
fn length(seconds: i64) -> String {
    match seconds {
        DAY_S => "24h".to_owned(),
        s if s % DAY_S == 0 => format!("{}d", s / DAY_S),
        s if s % HOUR_S == 0 => format!("{}h", s / HOUR_S),
        s if s % 60 == 0 && s < HOUR_S => format!("{}m", s / 60),
        s => duration(s as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text.as_bytes()).expect("a time")
    }

    #[test]
    fn a_window_ends_with_the_newest_record_but_not_in_the_future() {
        let now = at("2026-03-05T12:00:00Z");
        let of = |newest: &str| {
            let facts = Facts { generation: 1, newest: Some(at(newest)) };
            Span::Last(HOUR_S).window(facts, now)
        };
        assert_eq!(of("2026-03-03T10:30:59Z").until, at("2026-03-03T10:31:00Z"));
        assert_eq!(of("2026-03-03T10:30:59Z").since, at("2026-03-03T09:31:00Z"));
        assert_eq!(of("2031-01-01T00:00:00Z").until, now);
        assert_eq!(Span::Last(HOUR_S).window(Facts::default(), now).until, now);
        let since = Span::Since(at("2026-03-04T00:00:00Z"));
        let window =
            since.window(Facts { generation: 1, newest: Some(at("2026-03-03T00:00:00Z")) }, now);
        assert!(window.since < window.until, "a window is never empty");
    }

    #[test]
    fn the_next_stretch_is_found_from_any() {
        assert_eq!(Span::Last(HOUR_S).next(true), Span::Last(6 * HOUR_S));
        assert_eq!(Span::Last(2 * HOUR_S).next(false), Span::Last(HOUR_S));
        assert_eq!(Span::Last(900).next(false), Span::Last(900));
        let fixed = Span::Fixed(Window::ALL);
        assert_eq!(fixed.next(true), fixed);
        assert_eq!(Span::choices(fixed).len(), 7);
        assert_eq!(Span::choices(Span::Last(DAY_S)).len(), 6);
    }
}
