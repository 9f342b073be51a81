//! How much counts differ from day to day without a cause. Knows no leaves.

/// Fewer periods than these say too little of each other to tell which of them is no usual one.
pub(crate) const LEAST_PERIODS: usize = 4;

/// The day-to-day deviation that is taken for granted, and how many days it weighs.
pub(crate) const PRIOR_DAYS: f64 = 4.0;
/// How many counts the usual rate is worth where there is no history: that of its parent.
const PRIOR_COUNTS: f64 = 12.0;
/// Counts added to both sides of a ratio.
pub(crate) const HALF: f64 = 0.5;

/// What the baseline says of a candidate: by which factor the usual rates are wrong for it, and
/// the variance of the logarithm by which a day differs from what is usual. One day may have had an
/// incident of its own: a median and a trimmed sum do not see it.
///
/// A day of which nothing was expected says nothing, neither of what is usual nor of how much days
/// differ: of a sender with two campaigns in a week, two days are known. And what is usual is a mean
/// of so many days, each of which differs as today does.
pub(crate) fn history(days: &[(f64, f64)], prior: f64) -> (f64, f64) {
    let (past, expected) = days.iter().fold((0.0, 0.0), |(a, e), (seen, h)| (a + seen, e + h));
    let days: Vec<(f64, f64)> =
        days.iter().copied().filter(|(_, expected)| *expected >= 1.0).collect();
    let n = days.len() as f64;
    let is_enough = days.len() >= LEAST_PERIODS && expected / n >= 5.0;
    let bias = if is_enough {
        median(days.iter().map(|(seen, expected)| (seen + 1.0) / (expected + 1.0)))
    } else {
        (past + 3.0) / (expected + 3.0)
    };
    let all = days.iter().map(|(seen, expected)| excess(*seen, expected * bias)).collect();
    let of_days = variance(all, usize::from(is_enough), (prior, PRIOR_DAYS));
    // Of no day there is no mean: then it is the rate of what surrounds it that is uncertain.
    let of_mean = if n > 0.0 { of_days / n } else { 0.0 };
    (bias, of_days + of_mean + 1.0 / (expected + PRIOR_COUNTS))
}

/// The variance of which `all` are the [`excess`] of one each, without its `n_out` greatest, which may have
/// had incidents. A deviation is taken for granted, and weighs as so many of them.
pub(crate) fn variance(mut all: Vec<f64>, n_out: usize, (prior, weight): (f64, f64)) -> f64 {
    all.sort_by(f64::total_cmp);
    let n = all.len();
    // What is left of normal deviations without the greatest is a bit more than half of them.
    let scale = if n_out > 0 { 1.6 } else { 1.0 };
    let beyond = scale * all[..n - n_out].iter().sum::<f64>().max(0.0);
    (beyond + weight * prior * prior) / (n as f64 + weight)
}

/// The square of the logarithm of a ratio, less what chance gives.
pub(crate) fn excess(seen: f64, expected: f64) -> f64 {
    let log = ((seen + HALF) / (expected + HALF)).ln();
    log * log - 1.0 / (expected + HALF)
}

/// The middle of some values; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => values[middle - 1].midpoint(values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_mail_say_nothing_of_how_much_days_differ() {
        let two = [(100.0, 100.0), (140.0, 120.0)];
        let mut week = two.to_vec();
        week.resize(7, (0.0, 0.0));
        assert_eq!(history(&week, 0.12), history(&two, 0.12));
        let variance = |n: usize| history(&vec![(100.0, 100.0); n], 0.12).1;
        assert!(variance(1) > 2.0 * variance(7), "{} {}", variance(1), variance(7));
    }
}
