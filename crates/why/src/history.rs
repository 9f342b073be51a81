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
/// the variance of the logarithm from day to day. One day may have had an incident of its own: a
/// median and a trimmed sum do not see it.
pub(crate) fn history(days: &[(f64, f64)], prior: f64) -> (f64, f64) {
    let (past, hoped) = days.iter().fold((0.0, 0.0), |(a, e), (seen, h)| (a + seen, e + h));
    let n = days.len() as f64;
    let is_enough = days.len() >= LEAST_PERIODS && hoped / n >= 5.0;
    let bias = match is_enough {
        true => median(days.iter().map(|(seen, hoped)| (seen + 1.0) / (hoped + 1.0))),
        false => (past + 3.0) / (hoped + 3.0),
    };
    let mut excess: Vec<f64> = days
        .iter()
        .map(|(seen, hoped)| {
            let log = ((seen + HALF) / (hoped * bias + HALF)).ln();
            log * log - 1.0 / (hoped * bias + HALF)
        })
        .collect();
    excess.sort_by(f64::total_cmp);
    let trimmed = if is_enough { &excess[..excess.len() - 1] } else { &excess[..] };
    // What is left of normal deviations without the greatest is a bit more than half of them.
    let scale = if is_enough { 1.6 } else { 1.0 };
    let excess = scale * trimmed.iter().sum::<f64>().max(0.0);
    let variance = (excess + PRIOR_DAYS * prior * prior) / (n + PRIOR_DAYS);
    (bias, variance + 1.0 / (hoped + PRIOR_COUNTS))
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
