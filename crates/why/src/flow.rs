//! One stage of the funnel with what was expected of it: for each leaf what entered, what came
//! out, and what would have come out at the usual rate. Names no cause.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::counts::{Counts, LEFT_OVER, Measure};
use crate::history::LEAST_PERIODS;
use crate::jobs::ONE_TIME_JOBS;
use crate::kind::Kind;
use crate::metric::{Metric, Stage, TRIED};
use crate::novelty::Novelty;
use crate::parallel::at_once;
use crate::rates::{self, Grouped, Levels, Usual};
use crate::seen::Seen;

/// What covers this share of something is as good as all of it.
pub(crate) const NEARLY_ALL: f64 = 0.95;

/// A stage, ready to be searched.
pub(crate) struct Flow<'c> {
    pub(crate) stage: Stage,
    pub(crate) counts: Cow<'c, Counts>,
    /// The leaf here of each leaf of all counts; none where they are the same.
    part_of: Option<Vec<u32>>,
    /// What entered, by period and leaf; ones for a stage that is compared with plain history.
    pub(crate) input: Vec<Vec<f64>>,
    /// What came out: all of it first, then by category.
    pub(crate) outcomes: Vec<Outcome>,
    /// By leaf: what one more at the end of the stage does to the metric; at most one for a count.
    pub(crate) worth: Vec<f64>,
}

/// What came out of a stage, all of it or one category.
pub(crate) struct Outcome {
    /// None for all; else the category, itself none where the records had none.
    pub(crate) category: Option<Option<String>>,
    pub(crate) seen: Seen,
    /// By leaf: what comes out of one that enters.
    pub(crate) usual: Vec<f64>,
    /// By leaf: what was to be expected in the window.
    pub(crate) expected: Vec<f64>,
    /// How far that is unknown, for want of a past.
    pub(crate) novelties: Vec<Novelty>,
}

/// The stages of `metric`, in their order, each with what it is worth to the metric, and with those categories that may
/// change it by `least`.
pub(crate) fn flows<'c>(metric: &Metric, counts: &'c Counts, least: f64) -> Vec<Flow<'c>> {
    let sign = if metric.rest { -1.0 } else { 1.0 };
    let points = sign * 100.0 / counts.sum(0, metric.of).max(1.0);
    // A message changes a count by one at most.
    let least = least / if metric.is_rate() { points.abs() } else { 1.0 };
    let grouped = OnceLock::new();
    let mut flows = at_once(metric.stages, |stage| Flow::new(counts, *stage, least, &grouped));
    if metric.is_rate() {
        flows.iter_mut().for_each(|flow| flow.worth.fill(points));
        return flows;
    }
    let tried = tried(counts);
    // By leaf of all counts: what one that passed the stage adds to the metric.
    let mut passed = vec![1.0; counts.n_leaves()];
    let last = flows.len().saturating_sub(1);
    for (number, flow) in flows.iter_mut().enumerate().rev() {
        if flow.stage.is_volume() {
            flow.worth = flow.spread(&tried, &passed);
            continue;
        }
        let usual = &flow.outcomes[0].usual;
        let is_counted = flow.stage.output().iter().any(|kind| metric.counted.contains(kind));
        if number == last && is_counted && flow.stage != Stage::Queue {
            flow.worth.fill(1.0);
            passed = flow.unfolded(usual);
            continue;
        }
        flow.worth = flow.spread(&tried, &passed).into_iter().map(|n| -n).collect();
        let lost = flow.unfolded(usual);
        // Nothing that was carried over waits for its first attempt of the period.
        let is_lost = |leaf: usize| flow.stage != Stage::Queue || !counts.is_carried(leaf);
        for (leaf, (passed, lost)) in passed.iter_mut().zip(lost).enumerate() {
            *passed *= if is_lost(leaf) { 1.0 - lost } else { 1.0 };
        }
    }
    flows
}

impl<'c> Flow<'c> {
    /// The stage as `counts` show it, with those categories of which there may be `least` more or fewer than usual.
    /// `grouped` are all counts, once they are.
    fn new(
        counts: &'c Counts,
        stage: Stage,
        least: f64,
        grouped: &OnceLock<Vec<Grouped>>,
    ) -> Flow<'c> {
        let (counts, part_of) = on_common_ground(counts, stage);
        let n_leaves = counts.n_leaves();
        let n_periods = counts.n_baseline() + 1;
        let input = if stage.is_volume() {
            vec![vec![1.0; n_leaves]; n_periods]
        } else {
            counts.dense(|measure| stage.input().contains(&measure.kind))
        };
        let levels = (!stage.is_volume()).then(|| match &part_of {
            None => Levels::new(&counts, &input, grouped.get_or_init(|| rates::grouped(&counts))),
            Some(_) => Levels::new(&counts, &input, &rates::grouped(&counts)),
        });
        let entered = |period: &Vec<f64>| period.iter().sum::<f64>();
        let past: f64 = input[1..].iter().map(entered).sum();
        let enters = entered(&input[0]) / past.max(1.0);
        let outcome = |category: &Option<Option<String>>| {
            let category = category.clone();
            let seen = seen(&counts, stage, category.as_ref());
            let usual = levels.as_ref().map(|levels| levels.usual(&seen));
            let Usual { rates: usual, novelties } =
                usual.unwrap_or_else(|| Usual { rates: seen.means(), novelties: Vec::new() });
            let expected = usual.iter().zip(&input[0]).map(|(rate, n)| rate * n).collect();
            Outcome { category, seen, usual, expected, novelties }
        };
        let mut categories = categories(&counts, stage);
        categories.retain(|category| {
            let is_it = |measure: &Measure| is_counted(measure, stage, category.as_ref());
            category.is_none() || may_differ(&counts.by_period(is_it), enters, least)
        });
        let outcomes = at_once(&categories, outcome);
        Flow { stage, counts, part_of, input, outcomes, worth: vec![0.0; n_leaves] }
    }

    /// What the stage did to the metric.
    pub(crate) fn effect(&self) -> f64 {
        (0..self.worth.len()).map(|leaf| self.effect_at(leaf)).sum()
    }

    /// What it did in some leaves.
    pub(crate) fn effect_of(&self, leaves: &[u32]) -> f64 {
        leaves.iter().map(|&leaf| self.effect_at(leaf as usize)).sum()
    }

    fn effect_at(&self, leaf: usize) -> f64 {
        let outcome = &self.outcomes[0];
        (outcome.seen.now[leaf] - outcome.expected[leaf]) * self.worth[leaf]
    }

    /// What entered and what was counted: in the window, and on the mean of the baseline.
    pub(crate) fn totals(&self) -> [(f64, f64); 2] {
        let is_volume = self.stage.is_volume();
        let entered =
            |period: &Vec<f64>| -> f64 { if is_volume { 0.0 } else { period.iter().sum() } };
        let seen = &self.outcomes[0].seen;
        let n = (self.input.len() - 1).max(1) as f64;
        let past: f64 = self.input[1..].iter().map(entered).sum();
        let counted: f64 = seen.past_totals().iter().sum();
        [(entered(&self.input[0]), seen.now.iter().sum()), (past / n, counted / n)]
    }

    /// Whether two sets of leaves, in order, cover nearly the same messages.
    pub(crate) fn is_same(&self, a: &[u32], b: &[u32]) -> bool {
        let weight = |leaf: &u32| self.input[0][*leaf as usize];
        let all = |leaves: &[u32]| leaves.iter().map(weight).sum::<f64>();
        let both: f64 = a.iter().filter(|leaf| b.binary_search(leaf).is_ok()).map(weight).sum();
        both >= NEARLY_ALL * all(a).max(all(b))
    }

    /// A value of the leaves here, by leaf of all counts.
    fn unfolded(&self, values: &[f64]) -> Vec<f64> {
        match &self.part_of {
            None => values.to_vec(),
            Some(part_of) => part_of.iter().map(|&leaf| values[leaf as usize]).collect(),
        }
    }

    /// What one message of a leaf here is worth on its way on, where `each` is that by leaf of all
    /// counts: the mean over what of it is tried in the window, else in the baseline, else over all.
    fn spread(&self, [tried_now, tried_before]: &[Vec<f64>; 2], each: &[f64]) -> Vec<f64> {
        let Some(part_of) = &self.part_of else { return each.to_vec() };
        let n_leaves = self.counts.n_leaves();
        let means = |weights: &[f64]| {
            let mut sums = vec![(0.0, 0.0); n_leaves];
            for ((&part, weight), each) in part_of.iter().zip(weights).zip(each) {
                let sum = &mut sums[part as usize];
                *sum = (sum.0 + weight, sum.1 + weight * each);
            }
            sums
        };
        let (now, past) = (means(tried_now), means(tried_before));
        let all = past.iter().chain(&now).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let mean = |(weight, sum): (f64, f64)| (weight > 0.0).then(|| sum / weight);
        let overall = mean(all).unwrap_or(1.0);
        let of = |leaf: usize| mean(now[leaf]).or(mean(past[leaf])).unwrap_or(overall);
        (0..n_leaves).map(of).collect()
    }
}

/// Whether what came, period by period, may be by `least` more or less than what is expected, before that is known by
/// leaf: of its mean over the baseline, where so many times the baseline enters, an uncommon mix makes a few times
/// as many.
fn may_differ(came: &[f64], enters: f64, least: f64) -> bool {
    const MIX: f64 = 4.0;
    let past: f64 = came[1..].iter().sum();
    came[0] >= least || MIX * enters * past >= least
}

/// What is tried by leaf: in the window, and in all of its baseline.
fn tried(counts: &Counts) -> [Vec<f64>; 2] {
    let mut tried = [vec![0.0; counts.n_leaves()], vec![0.0; counts.n_leaves()]];
    let is_tried: Vec<bool> = counts.measures.iter().map(|m| TRIED.contains(&m.kind)).collect();
    for entry in counts.entries.iter().filter(|entry| is_tried[usize::from(entry.measure)]) {
        tried[usize::from(entry.period > 0)][entry.leaf as usize] += entry.n;
    }
    tried
}

/// Whether a stage counts a measure, of all categories or of one.
fn is_counted(measure: &Measure, stage: Stage, category: Option<&Option<String>>) -> bool {
    stage.output().contains(&measure.kind)
        && category.is_none_or(|category| *category == measure.category)
}

/// What came out of a stage.
fn seen(counts: &Counts, stage: Stage, category: Option<&Option<String>>) -> Seen {
    let counted = |measure: &Measure| is_counted(measure, stage, category);
    let (n_leaves, n_periods) = (counts.n_leaves(), counts.n_baseline() + 1);
    if !matches!(stage, Stage::Queue | Stage::Carried) {
        let counted: Vec<bool> = counts.measures.iter().map(counted).collect();
        let came = counts.entries.iter().filter(|entry| counted[usize::from(entry.measure)]);
        return Seen::new(
            n_leaves,
            n_periods,
            came.map(|entry| (entry.leaf, entry.period, entry.n)),
        );
    }
    // More than came in was not tried of it: what is beyond had come in before.
    let tried = counts.dense(counted);
    let injected = counts.dense(|measure| measure.kind == Kind::Injected);
    let of = |leaf: u32, period: usize| {
        let (at, period_of) = (leaf as usize, period as u16);
        let (tried, injected) = (tried[period][at], injected[period][at]);
        let fresh = if counts.is_carried(at) { 0.0 } else { tried.min(injected) };
        let n = match stage {
            Stage::Carried => tried - fresh,
            _ if counts.is_carried(at) => 0.0,
            _ => injected - fresh,
        };
        (leaf, period_of, n)
    };
    let each =
        (0..n_leaves as u32).flat_map(|leaf| (0..n_periods).map(move |period| (leaf, period)));
    Seen::new(n_leaves, n_periods, each.map(|(leaf, period)| of(leaf, period)))
}

/// All of what comes out, then its categories.
fn categories(counts: &Counts, stage: Stage) -> Vec<Option<Option<String>>> {
    let mut categories = vec![None];
    if stage.has_categories() {
        let is_counted = |measure: &&Measure| stage.output().contains(&measure.kind);
        for measure in counts.measures.iter().filter(is_counted) {
            if !categories.contains(&Some(measure.category.clone())) {
                categories.push(Some(measure.category.clone()));
            }
        }
    }
    // Counts come in any order, and of two that say the same the first is told.
    categories[1..].sort();
    categories
}

/// The counts by the dimensions that all records of the stage know, and which leaf of theirs each
/// leaf is part of. A job that lives in one period only says nothing by its absence from the
/// others: in a stage that is compared with plain history, all such jobs are one.
fn on_common_ground(counts: &Counts, stage: Stage) -> (Cow<'_, Counts>, Option<Vec<u32>>) {
    let is_before_attempts =
        matches!(stage, Stage::Injection | Stage::Queue | Stage::Carried | Stage::Waiting);
    let is_unknown = |dim: usize| {
        let may_differ = ["vmta_pool", "vmta", "job_id"].contains(&counts.dims()[dim].as_str());
        is_before_attempts && may_differ && !is_injected_by(counts, dim)
    };
    let keep: Vec<usize> = (0..counts.dims().len())
        .filter(|&dim| stage.dims().contains(&counts.dims()[dim].as_str()) && !is_unknown(dim))
        .collect();
    let job = counts.dims().iter().position(|dim| dim == "job_id");
    let lasting = job.filter(|_| stage.is_volume()).map(|dim| lasting(counts, dim, stage.output()));
    if keep.len() == counts.dims().len() && lasting.is_none() {
        return (Cow::Borrowed(counts), None);
    }
    let rename = |dim: usize, code: u32| match (&lasting, Some(dim) == job) {
        (Some(lasting), true) if !lasting[code as usize] => {
            counts.value(dim, code).map(|_| ONE_TIME_JOBS.to_owned())
        }
        _ => counts.name(dim, code),
    };
    let (folded, part_of) = counts.folded(&keep, rename);
    (Cow::Owned(folded), Some(part_of))
}

/// Whether what was injected is known by the values of a dimension: what is tried of each was
/// injected with it, in the baseline and in the window. (PMTA may name the first VirtualMTA of a pool,
/// or the pool, where it will use another: then what one seems to hold back the others seem to have
/// from before.)
fn is_injected_by(counts: &Counts, dim: usize) -> bool {
    const MOST: f64 = 0.9;
    let all = |periods: &[f64]| -> f64 { periods.iter().sum() };
    let injected = counts.by_value(dim, |kind| kind == Kind::Injected);
    let tried = counts.fresh_by_value(dim, |kind| TRIED.contains(&kind));
    let both = |days: std::ops::Range<usize>| -> [f64; 3] {
        injected.iter().zip(&tried).fold([0.0; 3], |[both, came, went], (injected, tried)| {
            let (a, b) = (all(&injected[days.clone()]), all(&tried[days.clone()]));
            [both + a.min(b), came + a, went + b]
        })
    };
    let n_periods = counts.n_baseline() + 1;
    let [with_it, _, went] = both(1..n_periods);
    let [with_it_now, came_now, went_now] = both(0..1);
    with_it >= MOST * went && with_it_now >= MOST * came_now.min(went_now)
}

/// For each value whether at least three periods have a good part of it, or two where there are
/// few: what is left of yesterday's job does not make it last, nor does a night that it runs through.
fn lasting(counts: &Counts, dim: usize, kinds: &[Kind]) -> Vec<bool> {
    let least = if counts.n_baseline() >= LEAST_PERIODS { 3 } else { 2 };
    let lasts = |mut periods: Vec<f64>| {
        periods.sort_by(|a, b| b.total_cmp(a));
        periods.get(least - 1).is_some_and(|n| *n > LEFT_OVER * periods[0])
    };
    counts.by_value(dim, |kind| kinds.contains(&kind)).into_iter().map(lasts).collect()
}
