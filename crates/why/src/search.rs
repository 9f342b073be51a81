//! The search for causes in one stage: which combination of values, scaled as a whole, explains
//! most of what was not expected. Greedy, by the likelihood of Poisson counts; a cause that is
//! two in truth is taken apart. Knows numbers of values, not what they mean.

use crate::candidates::{Candidates, Grouping, MAX_DEPTH};
use crate::flow::{Flow, Outcome};
use crate::history::{HALF, LEAST_PERIODS, PRIOR_DAYS, history};
use crate::metric::{Model, Stage};
use crate::parallel::at_once;

/// Causes of a stage at most.
const MAX_CAUSES: usize = 5;
/// A change below this share of what was expected is none.
const MIN_CHANGE: f64 = 0.15;
/// A cause moves at least so many messages.
const MIN_COUNTS: f64 = 4.0;
/// How often a candidate may fail the last test before a search ends.
const MAX_CHECKS: usize = 300;
/// What one more dimension must explain, as a share of the whole.
const DEPTH_COST: f64 = 0.004;

/// A cause as the search sees it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Dimensions and the number of the value in each.
    pub(crate) values: Vec<(usize, u32)>,
    /// Which outcome of the stage, 0 for all.
    pub(crate) outcome: usize,
    /// For all: those that make up the change, if it is not each of them.
    pub(crate) parts: Vec<usize>,
    /// The leaves under it.
    pub(crate) leaves: Vec<u32>,
    /// What came out in the window, and what was expected when it was found.
    pub(crate) seen: f64,
    pub(crate) expected: f64,
    /// What it did to the metric.
    pub(crate) effect: f64,
    /// How far beyond chance and the usual difference between days, in standard deviations.
    pub(crate) z: f64,
}

impl Found {
    fn same_as(&self, other: &Found) -> bool {
        self.outcome == other.outcome && self.leaves == other.leaves
    }
}

/// What is expected of each outcome, as found causes change it.
type Expected = Vec<Vec<f64>>;

/// A candidate with what it explains.
#[derive(Clone, Copy, Debug)]
struct Scored {
    candidate: u32,
    outcome: usize,
    score: f64,
}

/// Finds the causes in one stage that change the metric by at least `least`.
pub(crate) fn search(flow: &Flow, least: f64) -> Vec<Found> {
    let candidates = Candidates::new(flow);
    let mut expected: Expected =
        flow.outcomes.iter().map(|outcome| outcome.expected.clone()).collect();
    // Where nothing entered, came or was expected, nothing can have changed.
    let all = &flow.outcomes[0];
    let entered = |leaf: usize| !flow.stage.is_volume() && flow.input[0][leaf] > 0.0;
    let is_alive =
        |leaf: usize| entered(leaf) || all.seen.now[leaf] > 0.0 || all.expected[leaf] > 0.0;
    let everywhere: Vec<u32> =
        (0..flow.counts.n_leaves() as u32).filter(|&leaf| is_alive(leaf as usize)).collect();
    let mut found = Vec::new();
    while found.len() < MAX_CAUSES {
        let scored = scores(flow, &candidates, &everywhere, &expected, least, None);
        let accept = |scored: &Scored| judged(flow, &candidates, &expected, scored, least, true);
        let Some((best, whole)) =
            scored.iter().take(MAX_CHECKS).find_map(|s| Some((*s, accept(s)?)))
        else {
            break;
        };
        let part = best_part(flow, &candidates, &expected, &best, &whole, least);
        // The whole is out of what new jobs differ by: that of it which names the new one is too.
        let narrowed = |part: Scored| judged(flow, &candidates, &expected, &part, least, false);
        let taken = part.and_then(narrowed).unwrap_or(whole);
        if found.iter().any(|old: &Found| old.same_as(&taken)) {
            break;
        }
        absorb(flow, &mut expected, &taken);
        found.push(taken);
    }
    found
}

/// The candidates that may be causes, the best first. With `within`, only those below it.
fn scores(
    flow: &Flow,
    candidates: &Candidates,
    leaves: &[u32],
    expected: &Expected,
    least: f64,
    within: Option<(&[usize], usize)>,
) -> Vec<Scored> {
    let least_gain = least_gain(candidates);
    let below = |dims: &[usize]| {
        within.is_none_or(|(of, _)| dims.len() > of.len() && of.iter().all(|d| dims.contains(d)))
    };
    let days = flow.input.len() as f64 - 1.0;
    // The least that its own history can make of it; the rest is judged later.
    let prior = spread(flow.stage);
    let variance = PRIOR_DAYS * prior * prior / (days + PRIOR_DAYS);
    let chance = |sums: &Sums| {
        let (a, e) = (sums.seen, sums.expected);
        if (a - e).abs() < MIN_COUNTS || sums.effect.abs() < least {
            return None;
        }
        let change = ((a + HALF) / (e + HALF)).ln();
        let chance = gain(a, e);
        let is_some = change.abs() >= MIN_CHANGE
            && 0.5 / (0.5 / chance + variance / (change * change)) >= least_gain;
        is_some.then_some(chance)
    };
    let of_outcome = |&outcome: &usize| {
        let (of, mut scored) = (&flow.outcomes[outcome], Vec::new());
        let side = Side { flow, now: &of.seen.now, expected: &expected[outcome] };
        let Some(reach) = side.reach(candidates, leaves, least) else { return scored };
        for grouping in candidates.groupings.iter().filter(|grouping| below(&grouping.dims)) {
            let leaves = || {
                let reached = |leaf: &usize| reach[*leaf] & grouping.bits == grouping.bits;
                leaves.iter().map(|&leaf| leaf as usize).filter(reached)
            };
            let sums = side.sums(grouping, leaves());
            let likely: Vec<(usize, f64)> = (0..sums.len())
                .filter(|&at| !grouping.is_few[at])
                .filter_map(|at| Some((at, chance(&sums[at])?)))
                .collect();
            let rises = |at: usize| sums[at].seen > sums[at].expected;
            let by_share = flow.stage.model() == Model::Share;
            let shared = if by_share && likely.iter().any(|(at, _)| rises(*at)) {
                side.shared(grouping, &leaves, &sums)
            } else {
                Vec::new()
            };
            let depth = grouping.dims.len() + usize::from(of.category.is_some());
            for (at, chance) in likely {
                let gain = if by_share && rises(at) {
                    shared[at] - (sums[at].seen - sums[at].expected)
                } else {
                    chance
                };
                let score = gain * (1.0 - DEPTH_COST * depth as f64)
                    - (grouping.groups.n as f64).ln()
                    - depth as f64;
                scored.push(Scored { candidate: grouping.first + at as u32, outcome, score });
            }
        }
        scored
    };
    let is_asked = |outcome: &usize| within.is_none_or(|(_, only)| only == *outcome);
    let outcomes: Vec<usize> = (0..flow.outcomes.len()).filter(is_asked).collect();
    let mut all: Vec<Scored> = at_once(&outcomes, of_outcome).into_iter().flatten().collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.candidate.cmp(&b.candidate)));
    all
}

/// One outcome in the window, beside what is expected of it.
struct Side<'s> {
    flow: &'s Flow<'s>,
    now: &'s [f64],
    expected: &'s [f64],
}

/// What is summed up over the leaves of a candidate.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    seen: f64,
    expected: f64,
    effect: f64,
}

impl Side<'_> {
    fn effect(&self, leaf: usize) -> f64 {
        (self.now[leaf] - self.expected[leaf]) * self.flow.worth[leaf]
    }

    /// By leaf: the dimensions, as bits, whose value there could be one of a candidate that changes
    /// the metric by `least`: all that goes one way under the value is enough for it. No candidate
    /// with another value has to be looked at; none at all where nothing is enough.
    fn reach(&self, candidates: &Candidates, leaves: &[u32], least: f64) -> Option<Vec<u32>> {
        // With a hair of room, since sums are rounded.
        let is_enough = |(more, less): (f64, f64)| more.max(less) >= 0.999 * least;
        let add = |(more, less): (f64, f64), leaf: usize| {
            let effect = self.effect(leaf);
            (more + effect.max(0.0), less - effect.min(0.0))
        };
        if !is_enough(leaves.iter().fold((0.0, 0.0), |sums, &leaf| add(sums, leaf as usize))) {
            return None;
        }
        let mut reach = vec![u32::MAX; self.now.len()];
        for grouping in candidates.groupings.iter().filter(|grouping| grouping.dims.len() == 1) {
            let mut sums = vec![(0.0, 0.0); grouping.groups.n];
            for leaf in leaves.iter().map(|&leaf| leaf as usize) {
                sums[grouping.at(leaf)] = add(sums[grouping.at(leaf)], leaf);
            }
            for leaf in leaves.iter().map(|&leaf| leaf as usize) {
                if !is_enough(sums[grouping.at(leaf)]) {
                    reach[leaf] &= !grouping.bits;
                }
            }
        }
        Some(reach)
    }

    /// The sums of each candidate of a grouping.
    fn sums(&self, grouping: &Grouping, leaves: impl Iterator<Item = usize>) -> Vec<Sums> {
        let mut sums = vec![Sums::default(); grouping.groups.n];
        for leaf in leaves {
            let sums = &mut sums[grouping.at(leaf)];
            sums.seen += self.now[leaf];
            sums.expected += self.expected[leaf];
            sums.effect += self.effect(leaf);
        }
        sums
    }

    /// The log-likelihood of each candidate of a grouping that rises, when the rise is the same
    /// share of what enters each leaf.
    fn shared<I: Iterator<Item = usize>>(
        &self,
        grouping: &Grouping,
        leaves: &impl Fn() -> I,
        sums: &[Sums],
    ) -> Vec<f64> {
        let input = &self.flow.input[0];
        let mut entered = vec![0.0; sums.len()];
        for leaf in leaves() {
            entered[grouping.at(leaf)] += input[leaf];
        }
        let mut shared = vec![0.0; sums.len()];
        for leaf in leaves().filter(|&leaf| self.now[leaf] > 0.0) {
            let at = grouping.at(leaf);
            let rise = sums[at].seen - sums[at].expected;
            if rise > 0.0 {
                let (now, expected) = (self.now[leaf], self.expected[leaf]);
                let more = rise / entered[at].max(1e-9) * input[leaf];
                shared[at] += now * ((expected + more) / expected.max(1e-9)).ln();
            }
        }
        shared
    }
}

/// Half the square of the deviation that chance alone hardly gives among so many candidates.
fn least_gain(candidates: &Candidates) -> f64 {
    ((candidates.n as f64).ln() + 3.0).max(10.5)
}

/// The gain in log-likelihood when `e` expected counts are scaled to the `a` that were seen.
fn gain(a: f64, e: f64) -> f64 {
    // Of what never came out before, one in ten is expected, not none.
    let e = e.max(0.1);
    let log = if a > 0.0 { a * (a / e).ln() } else { 0.0 };
    (log - (a - e)).max(1e-12)
}

/// How much a stage differs from day to day without a cause, as a relative deviation.
fn spread(stage: Stage) -> f64 {
    if stage.is_volume() { 0.15 } else { 0.12 }
}

/// The candidate as a cause, if its own history says that such a change is unusual, and, if it is
/// asked for, if it is no ordinary one of what is new.
fn judged(
    flow: &Flow,
    candidates: &Candidates,
    expected_by_outcome: &Expected,
    scored: &Scored,
    least: f64,
    doubts_new: bool,
) -> Option<Found> {
    let leaves = candidates.leaves(scored.candidate);
    let outcome = &flow.outcomes[scored.outcome];
    let sum = |of: &dyn Fn(usize) -> f64| leaves.iter().map(|&l| of(l as usize)).sum::<f64>();
    let seen = sum(&|leaf| outcome.seen.now[leaf]);
    let by_leaf = &expected_by_outcome[scored.outcome];
    let expected = sum(&|leaf| by_leaf[leaf]);
    let effect = sum(&|leaf| (outcome.seen.now[leaf] - by_leaf[leaf]) * flow.worth[leaf]);
    if effect.abs() < least {
        return None;
    }
    // Its baseline, by the same usual rates: what they get wrong here, they got wrong there.
    let days: Vec<(f64, f64)> = (1..flow.input.len())
        .map(|day| {
            (sum(&|l| outcome.seen.at(day, l)), sum(&|l| flow.input[day][l] * outcome.usual[l]))
        })
        .collect();
    let past_expected: f64 = days.iter().map(|(_, expected)| expected).sum();
    let (bias, variance) = history(&days, spread(flow.stage));
    let novelties = outcome.novelties.iter().filter(|_| doubts_new);
    let unknown = novelties.map(|of| of.variance(&leaves, &outcome.expected));
    let variance = variance + unknown.sum::<f64>();
    // What a cause already found has explained here is no reason to expect more than usual.
    let first = sum(&|leaf| outcome.expected[leaf]);
    let expected_fair =
        bias * if seen < expected { expected.min(first) } else { expected.max(first) };
    let change = ((seen + HALF) / (expected_fair + HALF)).ln();
    // Less than elsewhere is not less than usual: what has no history has not fallen.
    if change < 0.0 && past_expected < 0.5 * expected.max(seen) {
        return None;
    }
    // Nor does it turn a rise into a fall.
    let is_one_way = (change > 0.0) == (seen > expected) && (change > 0.0) == (seen > first);
    if change.abs() < MIN_CHANGE || !is_one_way {
        return None;
    }
    if flow.stage.is_volume()
        && (has_been_so(&days, bias, change)
            || others_move_so(flow, candidates, scored.candidate, seen - expected))
    {
        return None;
    }
    if flow.stage.model() == Model::Scale
        && goes_with_others(candidates, outcome, by_leaf, &leaves, change)
    {
        return None;
    }
    let squared = 1.0 / (0.5 / gain(seen, expected_fair) + variance / (change * change));
    if squared < 2.0 * least_gain(candidates) {
        return None;
    }
    let code = |&dim: &usize| (dim, flow.counts.code(leaves[0] as usize, dim));
    Some(Found {
        values: candidates.fewest_dims(scored.candidate, &leaves).iter().map(code).collect(),
        outcome: scored.outcome,
        parts: if scored.outcome == 0 { parts(flow, &leaves) } else { Vec::new() },
        seen,
        expected,
        effect,
        z: squared.sqrt() * change.signum(),
        leaves,
    })
}

/// Whether a volume was nearly as far off on two days of the baseline: a Sunday among weekdays.
fn has_been_so(days: &[(f64, f64)], bias: f64, change: f64) -> bool {
    let log = |(seen, expected): &(f64, f64)| ((seen + HALF) / (expected * bias + HALF)).ln();
    let far = days.iter().filter(|day| log(day) / change > 0.75);
    days.len() >= LEAST_PERIODS && far.count() >= 2
}

/// Whether a volume that moved by `moved` does what others of its kind do on other days: on two of
/// the baseline or more, the count of some value of the same dimensions was as far from its mean over
/// the rest, in number and in ratio. Where jobs and senders come and go, one that does is no cause.
fn others_move_so(flow: &Flow, candidates: &Candidates, candidate: u32, moved: f64) -> bool {
    const AS_FAR: f64 = 0.7;
    let n_days = flow.input.len() - 1;
    if n_days < LEAST_PERIODS {
        return false;
    }
    let (grouping, own) = candidates.grouping(candidate);
    let seen = &flow.outcomes[0].seen;
    let today = grouping.groups.sums(seen.now.iter().copied());
    let by_day = seen.past_sums(grouping.groups.n, |leaf| grouping.at(leaf));
    let ratio = |n: f64, mean: f64| ((n + HALF) / (mean + HALF)).ln();
    let all = |group: usize| by_day.iter().map(|day| day[group]).sum::<f64>();
    let (now, usual) = (today[own as usize], all(own as usize) / n_days as f64);
    let own_ratio = ratio(now, usual);
    let is_as_far = |day: &[f64], group: usize| {
        let mean = (all(group) - day[group]) / (n_days - 1) as f64;
        (day[group] - mean) / moved > AS_FAR && ratio(day[group], mean) / own_ratio > AS_FAR
    };
    let has_one = |day: &&Vec<f64>| (0..grouping.groups.n).any(|group| is_as_far(day, group));
    by_day.iter().filter(has_one).count() >= 2
}

/// Whether what surrounds the leaves moves as they do: a sender that sends less today sends less
/// to each provider, and none of them is a cause.
fn goes_with_others(
    candidates: &Candidates,
    outcome: &Outcome,
    by_leaf: &[f64],
    leaves: &[u32],
    change: f64,
) -> bool {
    let sum =
        |of: &[f64], leaves: &mut dyn Iterator<Item = usize>| leaves.map(|l| of[l]).sum::<f64>();
    let own = || leaves.iter().map(|&leaf| leaf as usize);
    let (seen, expected) = (sum(&outcome.seen.now, &mut own()), sum(by_leaf, &mut own()));
    candidates.groupings.iter().any(|grouping| {
        let group = grouping.at(leaves[0] as usize);
        if !own().all(|leaf| grouping.at(leaf) == group) {
            return false;
        }
        let all = || grouping.leaves(group as u32);
        let rest_seen = sum(&outcome.seen.now, &mut all()) - seen;
        let rest_expected = sum(by_leaf, &mut all()) - expected;
        let rest = ((rest_seen + HALF) / (rest_expected + HALF)).ln();
        let moves_too = rest_expected > 30.0_f64.max(0.1 * expected) && rest / change > 0.0;
        moves_too && (rest / change > 0.5 || gain(seen, expected * rest.exp()) < 7.0)
    })
}

/// The categories that make up the change of all of them together; none if there is no telling.
fn parts(flow: &Flow, leaves: &[u32]) -> Vec<usize> {
    let moved = |outcome: &Outcome| -> f64 {
        let leaves = leaves.iter().map(|&leaf| leaf as usize);
        leaves.map(|leaf| outcome.seen.now[leaf] - outcome.expected[leaf]).sum()
    };
    let all = moved(&flow.outcomes[0]);
    let share = |outcome: &Outcome| moved(outcome) / all;
    let parts: Vec<usize> =
        (1..flow.outcomes.len()).filter(|&o| share(&flow.outcomes[o]) > 0.1).collect();
    let told: f64 = parts.iter().map(|&o| share(&flow.outcomes[o])).sum();
    if parts.len() + 1 < flow.outcomes.len() && told > 0.85 { parts } else { Vec::new() }
}

/// A cause that is two in truth: the better half of the best pair below it, when the pair
/// explains clearly more than the whole and leaves a part of it that is as usual. Or one that is
/// smaller in truth: the part in which nearly all of it happened.
fn best_part(
    flow: &Flow,
    candidates: &Candidates,
    expected: &Expected,
    best: &Scored,
    whole: &Found,
    least: f64,
) -> Option<Scored> {
    const TRIES: usize = 12;
    let dims = &candidates.grouping(best.candidate).0.dims;
    if dims.len() == MAX_DEPTH {
        return None;
    }
    let within = Some((dims.as_slice(), best.outcome));
    let outside = |leaves: &[u32], part: &Scored| -> Vec<u32> {
        let (grouping, group) = candidates.grouping(part.candidate);
        leaves.iter().copied().filter(|&l| grouping.at(l as usize) as u32 != group).collect()
    };
    let sum = |leaves: &[u32], of: &[f64]| leaves.iter().map(|&l| of[l as usize]).sum::<f64>();
    let (seen, by_leaf) = (&flow.outcomes[best.outcome].seen.now, &expected[best.outcome]);
    let parts = scores(flow, candidates, &whole.leaves, expected, least, within);
    let (excess, entered) = (whole.seen - whole.expected, sum(&whole.leaves, &flow.input[0]));
    let holds_nearly_all = |part: &&Scored| {
        let rest = outside(&whole.leaves, part);
        let (a, e, n) = (sum(&rest, seen), sum(&rest, by_leaf), sum(&rest, &flow.input[0]));
        let left = (a - e) / excess;
        let can_narrow = flow.stage.model() == Model::Share || flow.stage == Stage::Waiting;
        can_narrow && gain(a, e) < 4.5 && left < 0.3 && n > 0.5 * entered
    };
    if let Some(part) = parts.iter().find(holds_nearly_all) {
        return Some(*part);
    }
    let mut pair: Option<(f64, Scored)> = None;
    for part in parts.iter().take(TRIES) {
        let rest = outside(&whole.leaves, part);
        let others = scores(flow, candidates, &rest, expected, least, within);
        let Some(other) = others.first() else { continue };
        let rest = outside(&rest, other);
        let (a, e) = (sum(&rest, seen), sum(&rest, by_leaf));
        let is_usual = if whole.expected < MIN_COUNTS {
            // Where nothing is usual, no ratio says how usual the rest is.
            gain(a, e) < 4.5 && sum(&rest, &flow.input[0]) > 0.1 * entered
        } else {
            let ratio = (whole.seen - whole.expected) / whole.expected;
            e > 0.1 * whole.expected && (a - e).abs() / e < 0.3 * ratio.abs()
        };
        let both = part.score + other.score;
        if is_usual && pair.as_ref().is_none_or(|(most, _)| both > *most) {
            let better = if other.score > part.score { other } else { part };
            pair = Some((both, *better));
        }
    }
    pair.filter(|(both, _)| *both > best.score * 1.02 + 3.0).map(|(_, part)| part)
}

/// Lets what a cause explains be expected from now on. A cause in one category moves the sum of
/// all of them too; a cause in the sum takes each category with it.
fn absorb(flow: &Flow, expected: &mut Expected, found: &Found) {
    let moved = |expected: &Expected, outcome: usize| -> f64 {
        let leaves = found.leaves.iter().map(|&leaf| leaf as usize);
        leaves.map(|l| flow.outcomes[outcome].seen.now[l] - expected[outcome][l]).sum()
    };
    if found.outcome > 0 {
        let part = moved(expected, found.outcome);
        for outcome in [found.outcome, 0] {
            let seen = &flow.outcomes[outcome].seen.now;
            shift(flow, &mut expected[outcome], seen, &found.leaves, part);
        }
    } else {
        for outcome in 0..expected.len() {
            let part = moved(expected, outcome);
            let seen = &flow.outcomes[outcome].seen.now;
            shift(flow, &mut expected[outcome], seen, &found.leaves, part);
        }
    }
}

/// Expects `more` in all from `leaves`: a rise of a share as the same share of what enters each
/// leaf, all else by a factor.
fn shift(flow: &Flow, expected: &mut [f64], seen: &[f64], leaves: &[u32], more: f64) {
    let by_share = flow.stage.model() == Model::Share && more > 0.0;
    let leaves = || leaves.iter().map(|&leaf| leaf as usize);
    let entered: f64 = leaves().map(|leaf| flow.input[0][leaf]).sum();
    let all_expected: f64 = leaves().map(|leaf| expected[leaf]).sum();
    for leaf in leaves() {
        if by_share {
            expected[leaf] += more * flow.input[0][leaf] / entered.max(1e-9);
        } else if all_expected >= 1.0 {
            expected[leaf] *= ((all_expected + more) / all_expected).max(0.0);
        } else {
            // From nothing, no factor leads to something.
            expected[leaf] = seen[leaf];
        }
        // No more comes out of a leaf than enters it.
        if !flow.stage.is_volume() {
            expected[leaf] = expected[leaf].min(flow.input[0][leaf].max(seen[leaf]));
        }
    }
}
