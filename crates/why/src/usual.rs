//! What is usual: which days of the baseline speak for it, and whether a value is out of it.

use crate::counts::Counts;
use crate::history::{LEAST_PERIODS, history, median};
use crate::kind::Kind;
use crate::metric::Metric;

/// The value of the metric in one period.
pub(crate) fn value(metric: &Metric, counts: &Counts, period: usize) -> f64 {
    let (counted, of) = parts(metric, counts, period);
    of_rate(metric, counted, of)
}

/// What stands above and below the line of a rate, in one period; of a count, the count.
fn parts(metric: &Metric, counts: &Counts, period: usize) -> (f64, f64) {
    let remote = f64::from(metric.remote) * counts.sum(period, &[Kind::Remote]);
    (counts.sum(period, metric.counted) + remote, counts.sum(period, metric.of))
}

/// Its value over the baseline: a mean, or the rate of all periods together.
pub(crate) fn usual_value(metric: &Metric, counts: &Counts) -> f64 {
    let counted =
        counts.usual(metric.counted) + f64::from(metric.remote) * counts.usual(&[Kind::Remote]);
    of_rate(metric, counted, counts.usual(metric.of))
}

fn of_rate(metric: &Metric, counted: f64, of: f64) -> f64 {
    match (metric.is_rate(), metric.rest) {
        (false, _) => counted,
        (true, _) if of <= 0.0 => 0.0,
        (true, false) => 100.0 * counted / of,
        (true, true) => 100.0 - 100.0 * counted / of,
    }
}

/// The periods of the baseline that say nothing of usual, since they had an incident of their own:
/// at most one in four, each farther from the median than 5 times the median distance, than the
/// ordinary difference between days and than chance. A period like the window is kept: it says
/// that there are such.
pub(crate) fn left_out(metric: &Metric, counts: &Counts) -> Vec<usize> {
    let n = counts.n_baseline();
    if n < LEAST_PERIODS {
        return Vec::new();
    }
    // A share that is taken off a hundred moves as what is taken off.
    let metric = Metric { rest: false, ..*metric };
    let values: Vec<f64> = (0..=n).map(|period| value(&metric, counts, period)).collect();
    let middle = median(values[1..].iter().copied());
    let distance = |period: usize| (values[period] - middle).abs();
    let typical = median((1..=n).map(distance));
    let is_far = |period: &usize| {
        let (counted, of) = parts(&metric, counts, *period);
        let scale = if metric.is_rate() { 100.0 / of.max(1.0) } else { 1.0 };
        let expected = if metric.is_rate() { middle / 100.0 * of } else { middle };
        let chance = scale * expected.max(counted.min(expected) + 1.0).sqrt();
        let ordinary = if metric.is_rate() { 0.35 } else { 0.5 } * middle;
        let is_like_the_window =
            (values[0] - values[*period]).abs() < 0.25 * distance(*period).max(1e-9);
        distance(*period) > (5.0 * typical).max(5.0 * chance).max(ordinary) && !is_like_the_window
    };
    let mut far: Vec<usize> = (1..=n).filter(is_far).collect();
    far.sort_by(|a, b| distance(*b).total_cmp(&distance(*a)));
    far.truncate(n / 4);
    far.sort_unstable();
    far
}

/// Whether the window is out of what its baseline shows from day to day, by chance and by their own
/// differences.
pub(crate) fn is_unusual(metric: &Metric, counts: &Counts) -> bool {
    const FAR: f64 = 4.0;
    let metric = Metric { rest: false, ..*metric };
    let (now, of) = parts(&metric, counts, 0);
    let usual = usual_value(&metric, counts);
    let expected = |of: f64| if metric.is_rate() { usual / 100.0 * of } else { usual };
    let days: Vec<(f64, f64)> = (1..=counts.n_baseline())
        .map(|period| parts(&metric, counts, period))
        .map(|(counted, of)| (counted, expected(of)))
        .collect();
    let (bias, variance) = history(&days, if metric.is_rate() { 0.1 } else { 0.15 });
    let expected = expected(of) * bias;
    let change = ((now + 0.5) / (expected + 0.5)).ln();
    let variance = variance + 1.0 / (expected.min(now) + 1.0);
    change.abs() > 0.1 && change * change > FAR * FAR * variance
}
