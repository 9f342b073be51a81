//! One stage of the funnel with what was expected of it: for each leaf what entered, what came
//! out, and what would have come out at the usual rate. Names no cause.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::counts::{Counts, Kind, LEFT_OVER, Measure};
use crate::metric::{Metric, Stage};

/// How many messages the rate of the parent weighs against a leaf's own.
const PRIOR: f64 = 50.0;

/// The same for the correction by single values, in counted messages.
const RAKE_PRIOR: f64 = 10.0;

/// From coarse to fine: each level leans on the one before where it has few messages.
const LEVELS: &[&[&str]] = &[
    &["provider"],
    &["provider", "sender_domain"],
    &["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip"],
    &["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"],
];

/// A stage, ready to be searched.
pub(crate) struct Flow {
    pub(crate) stage: Stage,
    pub(crate) counts: Counts,
    /// What entered, by period and leaf; ones for a stage that is compared with plain history.
    pub(crate) input: Vec<Vec<f64>>,
    /// What came out: all of it first, then by category.
    pub(crate) outcomes: Vec<Outcome>,
    /// By leaf: what one more at the end of the stage does to the metric.
    pub(crate) worth: Vec<f64>,
}

/// What came out of a stage, all of it or one category.
pub(crate) struct Outcome {
    /// None for all; else the category, itself none where the records had none.
    pub(crate) category: Option<Option<String>>,
    /// By period and leaf.
    pub(crate) seen: Vec<Vec<f64>>,
    /// By leaf: what comes out of one that enters.
    pub(crate) usual: Vec<f64>,
    /// By leaf: what was to be expected in the window.
    pub(crate) expected: Vec<f64>,
}

impl Flow {
    /// The stage as `counts` show it, for the causes of a change of `metric`.
    pub(crate) fn new(counts: &Counts, stage: Stage, metric: &Metric) -> Flow {
        let counts = on_common_ground(counts, stage);
        let n_leaves = counts.n_leaves();
        let n_periods = counts.n_baseline() + 1;
        let is_volume = stage.input().is_empty();
        let input = match is_volume {
            true => vec![vec![1.0; n_leaves]; n_periods],
            false => counts.dense(|measure| stage.input().contains(&measure.kind)),
        };
        let counted = |measure: &Measure| stage.output().contains(&measure.kind);
        let mut categories: Vec<Option<Option<String>>> = vec![None];
        if stage.has_categories() {
            for measure in counts.measures.iter().filter(|measure| counted(measure)) {
                if !categories.contains(&Some(measure.category.clone())) {
                    categories.push(Some(measure.category.clone()));
                }
            }
        }
        let grouped = Grouped::of(&counts);
        // Counts come in any order, and of two that say the same the first is told.
        categories[1..].sort();
        let outcome = |category: Option<Option<String>>| {
            let seen = counts.dense(|measure| {
                counted(measure) && category.as_ref().is_none_or(|of| *of == measure.category)
            });
            let usual = match is_volume {
                true => means(&seen),
                false => usual(&counts, &grouped, &input, &seen),
            };
            let expected = usual.iter().zip(&input[0]).map(|(rate, n)| rate * n).collect();
            Outcome { category, seen, usual, expected }
        };
        let outcomes = categories.into_iter().map(outcome).collect();
        let worth = worth(&counts, stage, metric);
        Flow { stage, counts, input, outcomes, worth }
    }

    /// Whether two sets of leaves, in order, cover nearly the same messages.
    pub(crate) fn is_same(&self, a: &[u32], b: &[u32]) -> bool {
        let weight = |leaf: &u32| self.input[0][*leaf as usize];
        let all = |leaves: &[u32]| leaves.iter().map(weight).sum::<f64>();
        let both: f64 = a.iter().filter(|leaf| b.binary_search(leaf).is_ok()).map(weight).sum();
        both >= 0.95 * all(a).max(all(b))
    }
}

/// What the metric is expected to be in the window, given what passed `stage` in it.
pub(crate) fn given(counts: &Counts, stage: Stage, metric: &Metric) -> Option<f64> {
    let survivors = stage.survivors()?;
    let counts = on_common_ground(counts, stage);
    let passed = counts.dense(|measure| survivors.contains(&measure.kind));
    let rates = usual(
        &counts,
        &Grouped::of(&counts),
        &passed,
        &counts.dense(|measure| metric.counted.contains(&measure.kind)),
    );
    Some(rates.iter().zip(&passed[0]).map(|(rate, n)| rate * n).sum())
}

/// What one more at the end of the stage does to the metric, by leaf.
fn worth(counts: &Counts, stage: Stage, metric: &Metric) -> Vec<f64> {
    let n_leaves = counts.n_leaves();
    let sign = if matches!(stage, Stage::Deferral) { -1.0 } else { 1.0 };
    if metric.is_rate() {
        let sign = if metric.rest { -1.0 } else { 1.0 };
        return vec![sign * 100.0 / counts.sum(0, metric.of).max(1.0); n_leaves];
    }
    let Some(survivors) = stage.survivors() else {
        // The last stage: what it counts is the metric, or is taken off it.
        let is_metric = stage.output().iter().any(|kind| metric.counted.contains(kind));
        return vec![if is_metric { 1.0 } else { -1.0 }; n_leaves];
    };
    let passed = counts.dense(|measure| survivors.contains(&measure.kind));
    let rates = usual(
        counts,
        &Grouped::of(counts),
        &passed,
        &counts.dense(|measure| metric.counted.contains(&measure.kind)),
    );
    rates.into_iter().map(|rate| sign * rate).collect()
}

/// The counts by the dimensions that all records of the stage know. A job that lives in one
/// period only says nothing by its absence from the others: in a stage that is compared with
/// plain history, all such jobs are one.
fn on_common_ground(counts: &Counts, stage: Stage) -> Counts {
    let is_unknown = |dim: usize| {
        let needs = stage == Stage::Injection || stage == Stage::Queue;
        needs && counts.dims()[dim] == "vmta" && mostly_none(counts, dim)
    };
    let keep: Vec<usize> = (0..counts.dims().len())
        .filter(|&dim| stage.dims().contains(&counts.dims()[dim].as_str()) && !is_unknown(dim))
        .collect();
    let job = counts.dims().iter().position(|dim| dim == "job_id");
    let lasting =
        job.filter(|_| stage.input().is_empty()).map(|dim| lasting(counts, dim, stage.output()));
    let rename = |dim: usize, code: u32| match (&lasting, Some(dim) == job) {
        (Some(lasting), true) if !lasting[code as usize] => {
            counts.value(dim, code).map(|_| crate::ONE_TIME_JOBS.to_owned())
        }
        _ => counts.name(dim, code),
    };
    counts.folded(&keep, rename)
}

/// Whether injected messages mostly lack a value of the dimension.
fn mostly_none(counts: &Counts, dim: usize) -> bool {
    let (mut none, mut all) = (0.0, 0.0);
    for entry in &counts.entries {
        if counts.measures[usize::from(entry.measure)].kind == Kind::Injected {
            all += entry.n;
            if counts.value(dim, counts.code(entry.leaf as usize, dim)).is_none() {
                none += entry.n;
            }
        }
    }
    none > 0.02 * all
}

/// For each value whether at least two periods have a good part of it: what is left of yesterday's
/// job does not make it last.
fn lasting(counts: &Counts, dim: usize, kinds: &[Kind]) -> Vec<bool> {
    let lasts = |mut periods: Vec<f64>| {
        periods.sort_by(|a, b| b.total_cmp(a));
        periods.get(1).is_some_and(|second| *second > LEFT_OVER * periods[0])
    };
    counts.by_value(dim, |kind| kinds.contains(&kind)).into_iter().map(lasts).collect()
}

/// The mean over the baseline, by leaf.
fn means(seen: &[Vec<f64>]) -> Vec<f64> {
    let baseline = &seen[1..];
    let leaves = 0..seen[0].len();
    let mean = |leaf: usize| baseline.iter().map(|period| period[leaf]).sum::<f64>();
    leaves.map(|leaf| mean(leaf) / baseline.len().max(1) as f64).collect()
}

/// The groups of the leaves that [`usual`] goes by, the same for each category.
struct Grouped {
    /// For each level its dimensions, the group of each leaf, and how many groups there are.
    by_level: Vec<(Vec<usize>, Vec<u32>, usize)>,
    by_dim: Vec<(Vec<u32>, usize)>,
}

impl Grouped {
    fn of(counts: &Counts) -> Grouped {
        let dims = counts.dims();
        let by_level = LEVELS.iter().map(|level| {
            let keep: Vec<usize> =
                (0..dims.len()).filter(|&dim| level.contains(&dims[dim].as_str())).collect();
            let (groups, n_groups) = groups(counts, &keep);
            (keep, groups, n_groups)
        });
        let by_dim = (0..dims.len()).map(|dim| groups(counts, &[dim]));
        Grouped { by_level: by_level.collect(), by_dim: by_dim.collect() }
    }
}

/// The usual rate by leaf: each level's own, leaning on the level above, then corrected so that
/// the baseline adds up for every single value of every dimension.
fn usual(counts: &Counts, grouped: &Grouped, input: &[Vec<f64>], output: &[Vec<f64>]) -> Vec<f64> {
    let total = |periods: &[Vec<f64>]| -> Vec<f64> {
        let leaves = 0..periods[0].len();
        leaves.map(|leaf| periods[1..].iter().map(|period| period[leaf]).sum()).collect()
    };
    let (entered, came) = (total(input), total(output));
    let (all_in, all_out): (f64, f64) = (entered.iter().sum(), came.iter().sum());
    let mut rates = vec![(all_out + 0.5) / (all_in + 1.0); entered.len()];
    let dims = counts.dims();
    let job = dims.iter().position(|dim| dim == "job_id");
    let once = once(counts, input, job);
    for (keep, groups, n_groups) in &grouped.by_level {
        let (entered, came) =
            (summed(groups, *n_groups, &entered), summed(groups, *n_groups, &came));
        let by_job = job.is_some_and(|job| keep.contains(&job));
        for (leaf, (rate, &group)) in rates.iter_mut().zip(groups).enumerate() {
            if by_job && once[leaf] {
                continue;
            }
            let group = group as usize;
            *rate = (came[group] + PRIOR * *rate) / (entered[group] + PRIOR);
        }
    }
    for _ in 0..2 {
        for (dim, (groups, n_groups)) in grouped.by_dim.iter().enumerate() {
            let expected: Vec<f64> = rates.iter().zip(&entered).map(|(u, n)| u * n).collect();
            let expected = summed(groups, *n_groups, &expected);
            let came = summed(groups, *n_groups, &came);
            for (leaf, (rate, &group)) in rates.iter_mut().zip(groups).enumerate() {
                if job == Some(dim) && once[leaf] {
                    continue;
                }
                let group = group as usize;
                *rate *= (came[group] + RAKE_PRIOR) / (expected[group] + RAKE_PRIOR);
            }
        }
    }
    rates
}

/// By leaf, whether its job is not both in the window and in its baseline. What one did on its one
/// day is no rate to go by: it would fit that day, and say nothing of what comes new. Such leaves
/// keep the rate of the level above.
fn once(counts: &Counts, input: &[Vec<f64>], job: Option<usize>) -> Vec<bool> {
    let Some(dim) = job else { return vec![false; counts.n_leaves()] };
    let mut seen = vec![(false, false); counts.n_values(dim)];
    for (period, leaves) in input.iter().enumerate() {
        for (leaf, _) in leaves.iter().enumerate().filter(|(_, n)| **n > 0.0) {
            let seen = &mut seen[counts.code(leaf, dim) as usize];
            seen.0 |= period == 0;
            seen.1 |= period > 0;
        }
    }
    let is_once = |leaf: usize| seen[counts.code(leaf, dim) as usize] != (true, true);
    (0..counts.n_leaves()).map(is_once).collect()
}

/// The group of each leaf by some dimensions, and how many groups there are.
pub(crate) fn groups(counts: &Counts, dims: &[usize]) -> (Vec<u32>, usize) {
    let mut groups = vec![0_u32; counts.n_leaves()];
    let mut n_groups = 1;
    for &dim in dims {
        let n_values = counts.n_values(dim) as u64;
        let mut known: HashMap<u64, u32, BuildHasherDefault<Mixer>> = HashMap::default();
        for (leaf, group) in groups.iter_mut().enumerate() {
            let next = known.len() as u32;
            let pair = u64::from(*group) * n_values + u64::from(counts.code(leaf, dim));
            *group = *known.entry(pair).or_insert(next);
        }
        n_groups = known.len();
    }
    (groups, n_groups)
}

/// Mixes one number: groups are counted millions of times, and nobody chooses their numbers.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn summed(groups: &[u32], n_groups: usize, values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; n_groups];
    for (&group, value) in groups.iter().zip(values) {
        sums[group as usize] += value;
    }
    sums
}
