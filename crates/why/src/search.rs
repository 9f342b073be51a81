//! The search for causes in one stage: which combination of values, scaled as a whole, explains
//! most of what was not expected. Greedy, by the likelihood of Poisson counts; a cause that is
//! two in truth is taken apart. Knows numbers of values, not what they mean.

use crate::flow::{Flow, Outcome, groups};
use crate::metric::{Model, Stage};

/// Dimensions of a cause at most, its category apart.
const MAX_DEPTH: usize = 3;
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
/// The day-to-day deviation that is taken for granted, and how many days it weighs.
const PRIOR_DAYS: f64 = 4.0;
/// How many counts the usual rate is worth where there is no history: that of its parent.
const PRIOR_COUNTS: f64 = 12.0;
/// Counts added to both sides of a ratio.
const HALF: f64 = 0.5;

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

/// All candidates of a stage: every combination of values of up to three dimensions.
struct Candidates {
    groupings: Vec<Grouping>,
    n: usize,
}

struct Grouping {
    dims: Vec<usize>,
    /// The candidate of each leaf, counted through all groupings.
    of_leaf: Vec<u32>,
    first: u32,
    n: u32,
}

impl Candidates {
    fn new(flow: &Flow) -> Candidates {
        let counts = &flow.counts;
        // A dimension with one value tells nothing apart.
        let dims: Vec<usize> =
            (0..counts.dims().len()).filter(|&dim| counts.n_values(dim) > 1).collect();
        let mut all = Candidates { groupings: Vec::new(), n: 0 };
        let mut subsets: Vec<u32> = (0..1 << dims.len()).collect();
        subsets.retain(|bits| bits.count_ones() as usize <= MAX_DEPTH);
        subsets.sort_by_key(|bits| bits.count_ones());
        for bits in subsets {
            let chosen: Vec<usize> = dims
                .iter()
                .enumerate()
                .filter(|(i, _)| bits >> i & 1 == 1)
                .map(|(_, d)| *d)
                .collect();
            let (mut of_leaf, n) = groups(counts, &chosen);
            // A dimension that splits nothing more says what the others have said.
            let says_no_more = |other: &Grouping| {
                other.n as usize == n && other.dims.iter().all(|dim| chosen.contains(dim))
            };
            if all.groupings.iter().any(says_no_more) {
                continue;
            }
            let first = all.n as u32;
            for candidate in &mut of_leaf {
                *candidate += first;
            }
            all.groupings.push(Grouping { dims: chosen, of_leaf, first, n: n as u32 });
            all.n += n;
        }
        all
    }

    fn grouping(&self, candidate: u32) -> &Grouping {
        let holds = |g: &&Grouping| (g.first..g.first + g.n).contains(&candidate);
        self.groupings.iter().find(holds).expect("every candidate is of one grouping")
    }

    /// The dimensions that name `leaves` with the fewest values.
    fn fewest_dims(&self, candidate: u32, leaves: &[u32]) -> &[usize] {
        let own = &self.grouping(candidate).dims;
        let says_the_same = |grouping: &&Grouping| {
            let of = grouping.of_leaf[leaves[0] as usize];
            grouping.dims.iter().all(|dim| own.contains(dim))
                && grouping.of_leaf.iter().filter(|&&other| other == of).count() == leaves.len()
        };
        // Groupings come with the fewest dimensions first.
        self.groupings.iter().find(says_the_same).map_or(own, |grouping| &grouping.dims)
    }

    fn leaves(&self, candidate: u32) -> Vec<u32> {
        let of_leaf = &self.grouping(candidate).of_leaf;
        (0..of_leaf.len() as u32).filter(|&leaf| of_leaf[leaf as usize] == candidate).collect()
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
    let everywhere: Vec<u32> = (0..flow.counts.n_leaves() as u32).collect();
    let mut found = Vec::new();
    while found.len() < MAX_CAUSES {
        let scored = scores(flow, &candidates, &everywhere, &expected, least, None);
        let accept = |scored: &Scored| judged(flow, &candidates, &expected, scored, least);
        let Some((best, whole)) =
            scored.iter().take(MAX_CHECKS).find_map(|s| Some((*s, accept(s)?)))
        else {
            break;
        };
        let part = best_part(flow, &candidates, &expected, &best, &whole, least);
        let taken = part.and_then(|part| accept(&part)).unwrap_or(whole);
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
    let mut all = Vec::new();
    let least_gain = least_gain(candidates);
    let below = |dims: &[usize]| {
        within.is_none_or(|(of, _)| dims.len() > of.len() && of.iter().all(|d| dims.contains(d)))
    };
    let of_interest: Vec<&Grouping> =
        candidates.groupings.iter().filter(|g| below(&g.dims)).collect();
    let mut entered = vec![0.0; candidates.n];
    for grouping in &of_interest {
        for &leaf in leaves {
            entered[grouping.of_leaf[leaf as usize] as usize] += flow.input[0][leaf as usize];
        }
    }
    let mut seen = vec![0.0; candidates.n];
    let mut hoped = vec![0.0; candidates.n];
    let mut shared = vec![0.0; candidates.n];
    let mut effects = vec![0.0; candidates.n];
    let days = flow.input.len() as f64 - 1.0;
    // The least that its own history can make of it; the rest is judged later.
    let prior = spread(flow.stage);
    let variance = PRIOR_DAYS * prior * prior / (days + PRIOR_DAYS);
    for (outcome, of) in flow.outcomes.iter().enumerate() {
        if within.is_some_and(|(_, only)| only != outcome) {
            continue;
        }
        let (now, expected) = (&of.seen[0], &expected[outcome]);
        for grouping in &of_interest {
            let range = grouping.first as usize..(grouping.first + grouping.n) as usize;
            seen[range.clone()].fill(0.0);
            hoped[range.clone()].fill(0.0);
            shared[range.clone()].fill(0.0);
            effects[range.clone()].fill(0.0);
            for leaf in leaves.iter().map(|&leaf| leaf as usize) {
                let candidate = grouping.of_leaf[leaf] as usize;
                seen[candidate] += now[leaf];
                hoped[candidate] += expected[leaf];
                effects[candidate] += (now[leaf] - expected[leaf]) * flow.worth[leaf];
            }
            let by_share = flow.stage.model() == Model::Share;
            if by_share {
                for &leaf in leaves.iter().filter(|&&leaf| now[leaf as usize] > 0.0) {
                    let (leaf, candidate) =
                        (leaf as usize, grouping.of_leaf[leaf as usize] as usize);
                    let rise = seen[candidate] - hoped[candidate];
                    if rise > 0.0 {
                        let more = rise / entered[candidate] * flow.input[0][leaf];
                        shared[candidate] +=
                            now[leaf] * ((expected[leaf] + more) / expected[leaf].max(1e-9)).ln();
                    }
                }
            }
            let depth = grouping.dims.len() + usize::from(of.category.is_some());
            for candidate in range {
                let (a, e) = (seen[candidate], hoped[candidate]);
                let change = ((a + HALF) / (e + HALF)).ln();
                let is_small = (a - e).abs() < MIN_COUNTS || effects[candidate].abs() < least;
                if change.abs() < MIN_CHANGE || is_small {
                    continue;
                }
                let chance = gain(a, e);
                if 0.5 / (0.5 / chance + variance / (change * change)) < least_gain {
                    continue;
                }
                let gain = if by_share && a > e { shared[candidate] - (a - e) } else { chance };
                let score = gain * (1.0 - DEPTH_COST * depth as f64)
                    - f64::from(grouping.n).ln()
                    - depth as f64;
                all.push(Scored { candidate: candidate as u32, outcome, score });
            }
        }
    }
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.candidate.cmp(&b.candidate)));
    all
}

/// Half the square of the deviation that chance alone hardly gives among so many candidates.
fn least_gain(candidates: &Candidates) -> f64 {
    ((candidates.n as f64).ln() + 2.0).max(9.0)
}

/// The gain in log-likelihood when `e` expected counts are scaled to the `a` that were seen.
fn gain(a: f64, e: f64) -> f64 {
    let e = e.max(1e-9);
    let log = if a > 0.0 { a * (a / e).ln() } else { 0.0 };
    (log - (a - e)).max(1e-12)
}

/// How much a stage differs from day to day without a cause, as a relative deviation.
fn spread(stage: Stage) -> f64 {
    if stage.input().is_empty() { 0.15 } else { 0.08 }
}

/// The candidate as a cause, if its own history says that such a change is unusual.
fn judged(
    flow: &Flow,
    candidates: &Candidates,
    expected: &Expected,
    scored: &Scored,
    least: f64,
) -> Option<Found> {
    let leaves = candidates.leaves(scored.candidate);
    let outcome = &flow.outcomes[scored.outcome];
    let sum = |of: &dyn Fn(usize) -> f64| leaves.iter().map(|&l| of(l as usize)).sum::<f64>();
    let seen = sum(&|leaf| outcome.seen[0][leaf]);
    let expected = &expected[scored.outcome];
    let hoped = sum(&|leaf| expected[leaf]);
    let effect = sum(&|leaf| (outcome.seen[0][leaf] - expected[leaf]) * flow.worth[leaf]);
    if effect.abs() < least {
        return None;
    }
    // Its baseline, by the same usual rates: what they get wrong here, they got wrong there.
    let days: Vec<(f64, f64)> = (1..flow.input.len())
        .map(|day| {
            (sum(&|l| outcome.seen[day][l]), sum(&|l| flow.input[day][l] * outcome.usual[l]))
        })
        .collect();
    let past_hoped: f64 = days.iter().map(|(_, hoped)| hoped).sum();
    let (bias, variance) = history(&days, spread(flow.stage));
    let hoped_fair = hoped * bias;
    let change = ((seen + HALF) / (hoped_fair + HALF)).ln();
    // Less than elsewhere is not less than usual: what has no history has not fallen.
    // Nor can more be tried than usual of what came in before the baseline or the window.
    let needs_history = change < 0.0 || flow.stage == Stage::Queue;
    if needs_history && past_hoped < 0.5 * hoped.max(seen) {
        return None;
    }
    // What other causes have been credited with must not turn a rise into a fall.
    let first = sum(&|leaf| outcome.expected[leaf]);
    let is_one_way = (change > 0.0) == (seen > hoped) && (change > 0.0) == (seen > first);
    if change.abs() < MIN_CHANGE || !is_one_way {
        return None;
    }
    if flow.stage.input().is_empty() && has_been_so(&days, bias, change) {
        return None;
    }
    if flow.stage.model() == Model::Scale
        && goes_with_others(candidates, outcome, expected, &leaves, change)
    {
        return None;
    }
    let squared = 1.0 / (0.5 / gain(seen, hoped_fair) + variance / (change * change));
    if squared < 2.0 * least_gain(candidates) {
        return None;
    }
    let code = |&dim: &usize| (dim, flow.counts.code(leaves[0] as usize, dim));
    Some(Found {
        values: candidates.fewest_dims(scored.candidate, &leaves).iter().map(code).collect(),
        outcome: scored.outcome,
        parts: if scored.outcome == 0 { parts(flow, &leaves) } else { Vec::new() },
        seen,
        expected: hoped,
        effect,
        z: squared.sqrt() * change.signum(),
        leaves,
    })
}

/// What the baseline says of a candidate: by which factor the usual rates are wrong for it, and
/// the variance of the logarithm from day to day. One day may have had an incident of its own: a
/// median and a trimmed sum do not see it.
fn history(days: &[(f64, f64)], prior: f64) -> (f64, f64) {
    let (past, hoped) = days.iter().fold((0.0, 0.0), |(a, e), (seen, h)| (a + seen, e + h));
    let n = days.len() as f64;
    let is_enough = days.len() >= 4 && hoped / n >= 5.0;
    let bias = if is_enough {
        let mut ratios: Vec<f64> = days.iter().map(|(a, e)| (a + 1.0) / (e + 1.0)).collect();
        ratios.sort_by(f64::total_cmp);
        let middle = ratios.len() / 2;
        if ratios.len() % 2 == 1 {
            ratios[middle]
        } else {
            ratios[middle - 1].midpoint(ratios[middle])
        }
    } else {
        (past + 3.0) / (hoped + 3.0)
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

/// Whether a volume was nearly as far off on two days of the baseline: a Sunday among weekdays.
fn has_been_so(days: &[(f64, f64)], bias: f64, change: f64) -> bool {
    let log = |(seen, hoped): &(f64, f64)| ((seen + HALF) / (hoped * bias + HALF)).ln();
    let far = days.iter().filter(|day| log(day) / change > 0.75);
    days.len() >= 4 && far.count() >= 2
}

/// Whether what surrounds the leaves moves as they do: a sender that sends less today sends less
/// to each provider, and none of them is a cause.
fn goes_with_others(
    candidates: &Candidates,
    outcome: &Outcome,
    expected: &[f64],
    leaves: &[u32],
    change: f64,
) -> bool {
    let sum =
        |of: &[f64], leaves: &mut dyn Iterator<Item = usize>| leaves.map(|l| of[l]).sum::<f64>();
    let own = || leaves.iter().map(|&leaf| leaf as usize);
    let (seen, hoped) = (sum(&outcome.seen[0], &mut own()), sum(expected, &mut own()));
    candidates.groupings.iter().any(|grouping| {
        let of = grouping.of_leaf[leaves[0] as usize];
        if !own().all(|leaf| grouping.of_leaf[leaf] == of) {
            return false;
        }
        let all = || (0..grouping.of_leaf.len()).filter(|&leaf| grouping.of_leaf[leaf] == of);
        let rest_seen = sum(&outcome.seen[0], &mut all()) - seen;
        let rest_hoped = sum(expected, &mut all()) - hoped;
        let rest = ((rest_seen + HALF) / (rest_hoped + HALF)).ln();
        let moves_too = rest_hoped > 30.0_f64.max(0.1 * hoped) && rest / change > 0.0;
        moves_too && (rest / change > 0.5 || gain(seen, hoped * rest.exp()) < 7.0)
    })
}

/// The categories that make up the change of all of them together; none if there is no telling.
fn parts(flow: &Flow, leaves: &[u32]) -> Vec<usize> {
    let moved = |outcome: &Outcome| -> f64 {
        let leaves = leaves.iter().map(|&leaf| leaf as usize);
        leaves.map(|leaf| outcome.seen[0][leaf] - outcome.expected[leaf]).sum()
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
    let dims = &candidates.grouping(best.candidate).dims;
    if dims.len() == MAX_DEPTH {
        return None;
    }
    let within = Some((dims.as_slice(), best.outcome));
    let outside = |leaves: &[u32], part: &Scored| -> Vec<u32> {
        let under = &candidates.grouping(part.candidate).of_leaf;
        leaves.iter().copied().filter(|&l| under[l as usize] != part.candidate).collect()
    };
    let sum = |leaves: &[u32], of: &[f64]| leaves.iter().map(|&l| of[l as usize]).sum::<f64>();
    let (seen, hoped) = (&flow.outcomes[best.outcome].seen[0], &expected[best.outcome]);
    let parts = scores(flow, candidates, &whole.leaves, expected, least, within);
    let (excess, entered) = (whole.seen - whole.expected, sum(&whole.leaves, &flow.input[0]));
    let holds_nearly_all = |part: &&Scored| {
        let rest = outside(&whole.leaves, part);
        let (a, e, n) = (sum(&rest, seen), sum(&rest, hoped), sum(&rest, &flow.input[0]));
        let left = (a - e) / excess;
        flow.stage.model() == Model::Share && gain(a, e) < 4.5 && left < 0.3 && n > 0.5 * entered
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
        let (a, e) = (sum(&rest, seen), sum(&rest, hoped));
        let is_usual = e > 0.1 * whole.expected
            && (a - e).abs() / e < 0.3 * ((whole.seen - whole.expected) / whole.expected).abs();
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
        leaves.map(|l| flow.outcomes[outcome].seen[0][l] - expected[outcome][l]).sum()
    };
    if found.outcome > 0 {
        let part = moved(expected, found.outcome);
        for outcome in [found.outcome, 0] {
            let seen = &flow.outcomes[outcome].seen[0];
            shift(flow, &mut expected[outcome], seen, &found.leaves, part);
        }
    } else {
        for outcome in 0..expected.len() {
            let part = moved(expected, outcome);
            let seen = &flow.outcomes[outcome].seen[0];
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
    let hoped: f64 = leaves().map(|leaf| expected[leaf]).sum();
    for leaf in leaves() {
        if by_share {
            expected[leaf] += more * flow.input[0][leaf] / entered.max(1e-9);
        } else if hoped >= 1.0 {
            expected[leaf] *= ((hoped + more) / hoped).max(0.0);
        } else {
            // From nothing, no factor leads to something.
            expected[leaf] = seen[leaf];
        }
    }
}
