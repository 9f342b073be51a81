//! Where the ticks of an axis stand and what they say: round numbers, round times. Draws nothing.

use chrono::{DateTime, Datelike, Timelike};
use pmtaq_schema::Unit;
use pmtaq_schema::time::DAY_S;

use super::model::Chart;
use crate::time::{local, told_apart};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3600;

/// Round durations between ticks, in seconds.
const DURATIONS_S: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0, 432_000.0,
];

/// Round times between ticks, in seconds.
const TIMES_S: &[i64] = &[
    MINUTE_S,
    2 * MINUTE_S,
    5 * MINUTE_S,
    10 * MINUTE_S,
    15 * MINUTE_S,
    30 * MINUTE_S,
    HOUR_S,
    2 * HOUR_S,
    3 * HOUR_S,
    6 * HOUR_S,
    12 * HOUR_S,
    DAY_S,
    2 * DAY_S,
    7 * DAY_S,
    14 * DAY_S,
    28 * DAY_S,
    91 * DAY_S,
    364 * DAY_S,
];

/// Values from 0 to at least `highest`, equally far apart, about `count` of them beside 0.
pub(super) fn values(highest: f64, count: usize, unit: Unit) -> Vec<f64> {
    let count = count.max(1);
    let highest = if highest.is_finite() && highest > 0.0 { highest } else { 1.0 };
    let wanted = highest / count as f64;
    let mut step = match unit {
        Unit::Seconds if wanted > 0.5 => DURATIONS_S
            .iter()
            .copied()
            .find(|duration| *duration >= wanted)
            .unwrap_or_else(|| round_up(wanted / 86_400.0) * 86_400.0),
        _ => round_up(wanted),
    };
    // A part of a message is none.
    if unit == Unit::Count || unit == Unit::Bytes {
        step = step.max(1.0);
    }
    let steps = (highest / step).ceil().max(1.0) as usize;
    let mut values: Vec<f64> = (0..=steps).map(|n| n as f64 * step).collect();
    if unit == Unit::Percent && highest <= 100.0 {
        values.retain(|value| *value <= 100.0);
        if values.last().is_some_and(|last| *last < highest) {
            values.push(100.0);
        }
    }
    values
}

/// The next 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let digit = value / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| digit <= round * (1.0 + 1e-9));
    round.unwrap_or(10.0) * power
}

/// A short label of a value at the axis: `1.5k`, `20 %`, `5m`.
pub(super) fn label(chart: &Chart, value: f64) -> String {
    let short = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let sizes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (0.0, "")];
    let (size, name) = sizes.into_iter().find(|(size, _)| value >= *size).unwrap_or((0.0, ""));
    let number = if size == 0.0 { short(value) } else { short(value / size) + name };
    match chart.unit {
        Unit::Percent => format!("{number} %"),
        Unit::Seconds if value >= 60.0 => {
            let (unit, name) = [(86_400.0, "d"), (3600.0, "h"), (60.0, "m")]
                .into_iter()
                .find(|(unit, _)| value >= *unit)
                .unwrap_or((60.0, "m"));
            format!("{}{name}", short(value / unit))
        }
        Unit::Seconds => format!("{}s", short(value)),
        Unit::Bytes => chart.value_text(value).replace(".0 ", " "),
        _ => number,
    }
}

/// Moments at which a step begins, at most `count` of them, with what they are called: the time of
/// day, with its offset where the clock shows it twice, and at midnight the date.
pub(super) fn moments(chart: &Chart, count: usize) -> Vec<(usize, String)> {
    let steps = chart.steps();
    let (Some(first), Some(last)) = (chart.bounds.first(), chart.bounds.last()) else {
        return Vec::new();
    };
    let length = last - first;
    let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let apart = TIMES_S.iter().copied().find(|apart| length / apart <= count);
    let apart = apart.unwrap_or(length.max(1));
    let shown = |step: usize| local(chart.bounds[step], chart.zone);
    let round = |step: usize| (shown(step) + offset(apart)).div_euclid(apart);
    let is_tick = |step: &usize| match step {
        0 => (shown(0) + offset(apart)).rem_euclid(apart) == 0,
        _ => round(*step) != round(step - 1),
    };
    let name = |step: usize| {
        let name = name(shown(step), apart);
        let offset =
            if name.contains(':') { &*told_apart(chart.bounds[step], chart.zone) } else { "" };
        let offset = offset.strip_suffix(":00").unwrap_or(offset);
        name + offset
    };
    (0..steps).filter(is_tick).map(|step| (step, name(step))).collect()
}

/// Weeks begin on Mondays, and 1970 began on a Thursday.
fn offset(apart: i64) -> i64 {
    if apart % (7 * DAY_S) == 0 { 3 * DAY_S } else { 0 }
}

fn name(shown: i64, apart: i64) -> String {
    let time = DateTime::from_timestamp(shown, 0).unwrap_or_default();
    let is_midnight = time.hour() == 0 && time.minute() == 0;
    if apart >= 364 * DAY_S {
        return time.format("%Y").to_string();
    }
    if is_midnight || apart >= DAY_S {
        let format = if time.ordinal() <= 7 && apart >= 7 * DAY_S { "%b %-d %Y" } else { "%b %-d" };
        return time.format(format).to_string();
    }
    time.format("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(values(37.0, 4, Unit::Count), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(values(1.0, 4, Unit::Count), [0.0, 1.0]);
        assert_eq!(values(97.0, 4, Unit::Percent), [0.0, 50.0, 100.0]);
        assert_eq!(values(3000.0, 4, Unit::Seconds), [0.0, 900.0, 1800.0, 2700.0, 3600.0]);
        assert_eq!(values(0.0, 4, Unit::Percent), [0.0, 0.5, 1.0]);
        assert_eq!(values(f64::NAN, 4, Unit::Count), [0.0, 1.0]);
    }

    proptest! {
        #[test]
        fn ticks_cover_all_values_and_are_few(
            highest in 0.0..1e12_f64, count in 1..12_usize, unit in 0..4
        ) {
            let unit =
                [Unit::Count, Unit::Percent, Unit::Seconds, Unit::Bytes][unit as usize];
            let ticks = values(highest, count, unit);
            prop_assert!(ticks.last().expect("some") + 1e-9 >= highest);
            prop_assert!(ticks.len() <= 2 * count + 3, "{ticks:?}");
            prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
