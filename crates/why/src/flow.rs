//! One stage of the funnel with what was expected of it: for each leaf what entered, what came
//! out, and what would have come out at the usual rate. Names no cause.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::counts::{Counts, Kind, LEFT_OVER, Measure, Mixed};
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
pub(crate) struct Flow<'c> {
    pub(crate) stage: Stage,
    pub(crate) counts: Cow<'c, Counts>,
    /// What entered, by period and leaf; ones for a stage that is compared with plain history.
    pub(crate) input: Vec<Vec<f64>>,
    /// What came out: all of it first, then by category.
    pub(crate) outcomes: Vec<Outcome>,
    /// By leaf: what one more at the end of the stage does to the metric.
    pub(crate) worth: Vec<f64>,
    /// What the metric is expected to be in the window, given what passed the stage in it; none
    /// for a rate and for the last stage.
    pub(crate) given: Option<f64>,
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

impl<'c> Flow<'c> {
    /// The stage as `counts` show it, for the causes of a change of `metric`.
    pub(crate) fn new(counts: &'c Counts, stage: Stage, metric: &Metric) -> Flow<'c> {
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
        let entering = Entering::of(&grouped, &counts, &input);
        // Counts come in any order, and of two that say the same the first is told.
        categories[1..].sort();
        let outcome = |category: Option<Option<String>>| {
            let seen = counts.dense(|measure| {
                counted(measure) && category.as_ref().is_none_or(|of| *of == measure.category)
            });
            let usual = match is_volume {
                true => means(&seen),
                false => entering.usual(&seen),
            };
            let expected = usual.iter().zip(&input[0]).map(|(rate, n)| rate * n).collect();
            Outcome { category, seen, usual, expected }
        };
        let outcomes = categories.into_iter().map(outcome).collect();
        let (worth, given) = worth(&grouped, &counts, stage, metric);
        Flow { stage, counts, input, outcomes, worth, given }
    }

    /// Whether two sets of leaves, in order, cover nearly the same messages.
    pub(crate) fn is_same(&self, a: &[u32], b: &[u32]) -> bool {
        let weight = |leaf: &u32| self.input[0][*leaf as usize];
        let all = |leaves: &[u32]| leaves.iter().map(weight).sum::<f64>();
        let both: f64 = a.iter().filter(|leaf| b.binary_search(leaf).is_ok()).map(weight).sum();
        both >= 0.95 * all(a).max(all(b))
    }
}

/// What one more at the end of the stage does to the metric, by leaf; and [`Flow::given`].
fn worth(
    grouped: &Grouped,
    counts: &Counts,
    stage: Stage,
    metric: &Metric,
) -> (Vec<f64>, Option<f64>) {
    let n_leaves = counts.n_leaves();
    let sign = if matches!(stage, Stage::Deferral) { -1.0 } else { 1.0 };
    if metric.is_rate() {
        let sign = if metric.rest { -1.0 } else { 1.0 };
        return (vec![sign * 100.0 / counts.sum(0, metric.of).max(1.0); n_leaves], None);
    }
    let Some(survivors) = stage.survivors() else {
        // The last stage: what it counts is the metric, or is taken off it.
        let is_metric = stage.output().iter().any(|kind| metric.counted.contains(kind));
        return (vec![if is_metric { 1.0 } else { -1.0 }; n_leaves], None);
    };
    let passed = counts.dense(|measure| survivors.contains(&measure.kind));
    let counted = counts.dense(|measure| metric.counted.contains(&measure.kind));
    let rates = Entering::of(grouped, counts, &passed).usual(&counted);
    let given = rates.iter().zip(&passed[0]).map(|(rate, n)| rate * n).sum();
    (rates.into_iter().map(|rate| sign * rate).collect(), Some(given))
}

/// The counts by the dimensions that all records of the stage know. A job that lives in one
/// period only says nothing by its absence from the others: in a stage that is compared with
/// plain history, all such jobs are one.
fn on_common_ground(counts: &Counts, stage: Stage) -> Cow<'_, Counts> {
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
    if keep.len() == counts.dims().len() && lasting.is_none() {
        return Cow::Borrowed(counts);
    }
    let rename = |dim: usize, code: u32| match (&lasting, Some(dim) == job) {
        (Some(lasting), true) if !lasting[code as usize] => {
            counts.value(dim, code).map(|_| crate::ONE_TIME_JOBS.to_owned())
        }
        _ => counts.name(dim, code),
    };
    Cow::Owned(counts.folded(&keep, rename))
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

/// The groups of leaves that share a rate, the same for all that is counted.
struct Grouped {
    /// Each with whether its groups are jobs.
    by_level: Vec<(Groups, bool)>,
    by_dim: Vec<(Groups, bool)>,
    job: Option<usize>,
}

impl Grouped {
    fn of(counts: &Counts) -> Grouped {
        let dims = counts.dims();
        let job = dims.iter().position(|dim| dim == "job_id");
        let mut by_level: Vec<(Groups, bool)> = Vec::new();
        let mut groups = Groups::one(counts);
        let mut known: &[&str] = &[];
        for level in LEVELS {
            let is_new = |name: &str| level.contains(&name) && !known.contains(&name);
            let more: Vec<usize> = (0..dims.len()).filter(|&dim| is_new(&dims[dim])).collect();
            groups = groups.divided(counts, &more);
            by_level.push((groups.clone(), job.is_some_and(|job| level.contains(&&*dims[job]))));
            known = level;
        }
        let by_dim = (0..dims.len())
            .map(|dim| (Groups::one(counts).divided(counts, &[dim]), job == Some(dim)));
        Grouped { by_level, by_dim: by_dim.collect(), job }
    }
}

/// What enters a stage, the same for each category of what comes out.
struct Entering<'g> {
    grouped: &'g Grouped,
    /// By leaf, over the baseline.
    all: Vec<f64>,
    once: Vec<bool>,
}

impl Entering<'_> {
    fn of<'g>(grouped: &'g Grouped, counts: &Counts, input: &[Vec<f64>]) -> Entering<'g> {
        Entering { grouped, all: total(input), once: once(counts, input, grouped.job) }
    }

    /// The usual rate by leaf: each level's own, leaning on the level above, then corrected so that
    /// the baseline adds up for every single value of every dimension.
    fn usual(&self, output: &[Vec<f64>]) -> Vec<f64> {
        let came = total(output);
        let (all_in, all_out): (f64, f64) = (self.all.iter().sum(), came.iter().sum());
        let mut rates = vec![(all_out + 0.5) / (all_in + 1.0); came.len()];
        let keeps = |by_job: bool, leaf: usize| by_job && self.once[leaf];
        for (groups, by_job) in &self.grouped.by_level {
            let entered = groups.sums(self.all.iter().copied());
            let came = groups.sums(came.iter().copied());
            for (leaf, (rate, &group)) in rates.iter_mut().zip(&groups.of_leaf).enumerate() {
                if !keeps(*by_job, leaf) {
                    let group = group as usize;
                    *rate = (came[group] + PRIOR * *rate) / (entered[group] + PRIOR);
                }
            }
        }
        let by_dim = &self.grouped.by_dim;
        let came: Vec<Vec<f64>> =
            by_dim.iter().map(|(groups, _)| groups.sums(came.iter().copied())).collect();
        for _ in 0..2 {
            for ((groups, by_job), came) in by_dim.iter().zip(&came) {
                let expected = groups.sums(rates.iter().zip(&self.all).map(|(u, n)| u * n));
                let factor =
                    |(came, expected): (&f64, &f64)| (came + RAKE_PRIOR) / (expected + RAKE_PRIOR);
                let factors: Vec<f64> = came.iter().zip(&expected).map(factor).collect();
                for (leaf, (rate, &group)) in rates.iter_mut().zip(&groups.of_leaf).enumerate() {
                    if !keeps(*by_job, leaf) {
                        *rate *= factors[group as usize];
                    }
                }
            }
        }
        rates
    }
}

/// The sum over the baseline, by leaf.
fn total(periods: &[Vec<f64>]) -> Vec<f64> {
    let leaves = 0..periods[0].len();
    leaves.map(|leaf| periods[1..].iter().map(|period| period[leaf]).sum()).collect()
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

/// Groups of leaves by the values of some dimensions.
#[derive(Clone)]
pub(crate) struct Groups {
    /// The group of each leaf.
    pub(crate) of_leaf: Vec<u32>,
    /// How many groups there are.
    pub(crate) n: usize,
}

impl Groups {
    /// All leaves in one group.
    pub(crate) fn one(counts: &Counts) -> Groups {
        Groups { of_leaf: vec![0; counts.n_leaves()], n: 1 }
    }

    /// The groups by some dimensions more, numbered as they come.
    pub(crate) fn divided(&self, counts: &Counts, dims: &[usize]) -> Groups {
        let mut groups = self.clone();
        for &dim in dims {
            let n_values = counts.n_values(dim) as u64;
            let mut known: HashMap<u64, u32, Mixed> = HashMap::default();
            for (leaf, group) in groups.of_leaf.iter_mut().enumerate() {
                let next = known.len() as u32;
                let pair = u64::from(*group) * n_values + u64::from(counts.code(leaf, dim));
                *group = *known.entry(pair).or_insert(next);
            }
            groups.n = known.len();
        }
        groups
    }

    /// The sums of a value of the leaves by group.
    fn sums(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.n];
        for (&group, value) in self.of_leaf.iter().zip(values) {
            sums[group as usize] += value;
        }
        sums
    }
}
