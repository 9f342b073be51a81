//! The mix of a rate: nothing got worse, but more was sent to where it is high. Names no cause.

use crate::counts::Counts;
use crate::metric::Metric;

/// Movers told at most.
const MAX_MOVERS: usize = 3;

/// What is told of has so many messages.
const FEW: f64 = 20.0;

/// A part of the mix that moved the rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Mover {
    /// Its dimension.
    pub dimension: String,
    /// Its value; none where the records have none.
    pub value: Option<String>,
    /// Its share of what stands below the line, in percent, in the window.
    pub now: f64,
    /// The same in the baseline.
    pub usual: f64,
    /// Its usual rate, in percent.
    pub rate: f64,
    /// What its share did to the rate, in percentage points.
    pub effect: f64,
}

/// The movers of the dimension that explains most of the mix, in the direction of `by_mix`.
pub(crate) fn movers(metric: &Metric, counts: &Counts, by_mix: f64) -> Vec<Mover> {
    let of = counts.dense(|measure| metric.of.contains(&measure.kind));
    let counted = counts.dense(|measure| metric.counted.contains(&measure.kind));
    let past = |periods: &[Vec<f64>], leaf: usize| -> f64 {
        periods[1..].iter().map(|period| period[leaf]).sum()
    };
    let mut best: Vec<Mover> = Vec::new();
    let total = |movers: &[Mover]| movers.iter().map(|mover| mover.effect.abs()).sum::<f64>();
    for (dim, dimension) in counts.dims().iter().enumerate().filter(|(_, name)| *name != "job_id") {
        // For each value: what entered now, what entered before, what was counted before.
        let mut sums = vec![(0.0, 0.0, 0.0); counts.n_values(dim)];
        for leaf in 0..counts.n_leaves() {
            let sum = &mut sums[counts.code(leaf, dim) as usize];
            sum.0 += of[0][leaf];
            sum.1 += past(&of, leaf);
            sum.2 += past(&counted, leaf);
        }
        let (now, before, hits) =
            sums.iter().fold((0.0, 0.0, 0.0), |all, s| (all.0 + s.0, all.1 + s.1, all.2 + s.2));
        if now <= 0.0 || before <= 0.0 {
            return Vec::new();
        }
        let sign = if metric.rest { -1.0 } else { 1.0 };
        let is_told = |(code, _): &(usize, _)| !counts.is_few_value(dim, *code as u32);
        let mover = |(code, &(n, m, k)): (usize, &(f64, f64, f64))| {
            let rate = if m > 0.0 { k / m } else { hits / before };
            Mover {
                dimension: dimension.clone(),
                value: counts.name(dim, code as u32),
                now: 100.0 * n / now,
                usual: 100.0 * m / before,
                rate: if metric.rest { 100.0 - 100.0 * rate } else { 100.0 * rate },
                effect: sign * 100.0 * (n / now - m / before) * (rate - hits / before),
            }
        };
        let mut movers: Vec<Mover> = sums.iter().enumerate().filter(is_told).map(mover).collect();
        let is_enough = |mover: &Mover| mover.now.max(mover.usual) * now.min(before) >= 100.0 * FEW;
        movers.retain(|mover| mover.effect * by_mix > 0.0 && is_enough(mover));
        movers.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        movers.truncate(MAX_MOVERS);
        if total(&movers) > total(&best) {
            best = movers;
        }
    }
    // A tenth of the mix is no mover of it.
    best.retain(|mover| mover.effect.abs() > 0.1 * by_mix.abs());
    best
}
