//! What the search found, told as a cause: names for numbers, counts, and a reading.

use crate::answer::{Cause, Moved, Twin};
use crate::counts::Counts;
use crate::flow::{Flow, NEARLY_ALL, Outcome};
use crate::kind::Kind;
use crate::metric::Stage;
use crate::reading::{self, Reading};
use crate::search::Found;

/// What was found, in words; the same messages refused in two categories are one cause.
pub(crate) fn one_each(flow: &Flow, found: &[Found], change: f64) -> Vec<Cause> {
    let mut causes: Vec<(Cause, &Found)> = Vec::new();
    for found in found {
        let new = cause(flow, found, change);
        let same = causes.iter_mut().find(|(known, other)| {
            let all = known.categories.is_empty() || new.categories.is_empty();
            let is_one_way = (known.effect > 0.0) == (new.effect > 0.0);
            !all && is_one_way && flow.is_same(&other.leaves, &found.leaves)
        });
        match same {
            Some((known, _)) => known.join(new),
            None => causes.push((new, found)),
        }
    }
    causes.into_iter().map(|(cause, _)| cause).collect()
}

/// What was found, in words.
pub(crate) fn cause(flow: &Flow, found: &Found, change: f64) -> Cause {
    let counts = &flow.counts;
    let named = |&(dim, code): &(usize, u32)| (counts.dims()[dim].clone(), counts.name(dim, code));
    let values: Vec<(String, Option<String>)> = found.values.iter().map(named).collect();
    let sum = |of: &dyn Fn(usize) -> f64| -> f64 {
        found.leaves.iter().map(|&leaf| of(leaf as usize)).sum()
    };
    let outcome = &flow.outcomes[found.outcome];
    // All categories, or those of them that moved.
    let parts: Vec<&Outcome> = if found.parts.is_empty() {
        vec![outcome]
    } else {
        found.parts.iter().map(|&part| &flow.outcomes[part]).collect()
    };
    let named_categories = parts.iter().filter_map(|part| part.category.clone()).collect();
    let counted = |of: &dyn Fn(&Outcome) -> f64| -> f64 { parts.iter().map(|part| of(part)).sum() };
    let n_baseline = counts.n_baseline().max(1);
    let is_volume = flow.stage.is_volume();
    let entered =
        |period: usize| if is_volume { 0.0 } else { sum(&|leaf| flow.input[period][leaf]) };
    let seen = |period: usize| counted(&|part| sum(&|leaf| part.seen.at(period, leaf)));
    let usual = |of: &dyn Fn(usize) -> f64| -> f64 {
        (1..=counts.n_baseline()).map(of).sum::<f64>() / n_baseline as f64
    };
    // Of a volume each stands by itself, whatever else was found: what came and what usually comes.
    let effect = if is_volume { flow.effect_of(&found.leaves) } else { found.effect };
    // What a leaf with nothing in it is called says nothing of the cause.
    let alive: Vec<usize> = found
        .leaves
        .iter()
        .map(|&leaf| leaf as usize)
        .filter(|&leaf| {
            let is_in = |period: usize| {
                outcome.seen.at(period, leaf) > 0.0 || !is_volume && flow.input[period][leaf] > 0.0
            };
            (0..=counts.n_baseline()).any(is_in)
        })
        .collect();
    // The other dimensions of which nearly all that there was has one value: a message without a sender, of
    // a pool that is one sender's, is no other sender.
    let is_other = |dim: &usize| {
        found.values.iter().all(|(named, _)| named != dim) && counts.n_values(*dim) > 1
    };
    let weight = |leaf: usize| -> f64 {
        let of = |period: usize| {
            if is_volume { outcome.seen.at(period, leaf) } else { flow.input[period][leaf] }
        };
        (0..=counts.n_baseline()).map(of).sum()
    };
    let weights: Vec<f64> = alive.iter().map(|&leaf| weight(leaf)).collect();
    let single = |dim: usize| nearly_all(counts, &alive, &weights, dim);
    let implied = (0..counts.dims().len()).filter(is_other).filter_map(single).collect();
    let twins = twins(flow, found, &nearly_single(flow, found, &alive));
    let mut cause = Cause {
        stage: flow.stage,
        twins,
        values,
        categories: named_categories,
        implied,
        effect,
        share: if change == 0.0 { 0.0 } else { 100.0 * effect / change },
        now: (entered(0), seen(0)),
        usual: (usual(&entered), usual(&seen)),
        expected: counted(&|part| sum(&|leaf| part.expected[leaf])),
        z: found.z,
        scopes: Vec::new(),
        moved: (flow.stage == Stage::Waiting).then(|| moved(flow, found)),
        reading: Reading::Unclear,
    };
    cause.reading = reading::read(&cause, None, &[]);
    cause
}

/// What came into the queue and what left it under a cause.
fn moved(flow: &Flow, found: &Found) -> Moved {
    let n_baseline = flow.counts.n_baseline().max(1) as f64;
    let pair = |kind: Kind| {
        let by_period = flow.counts.dense(|measure| measure.kind == kind);
        let sum = |of: &[f64]| found.leaves.iter().map(|&leaf| of[leaf as usize]).sum::<f64>();
        let past: f64 = by_period[1..].iter().map(|period| sum(period)).sum();
        (sum(&by_period[0]), past / n_baseline)
    };
    Moved { came: pair(Kind::CameIn), went: pair(Kind::WentOut) }
}

/// The other dimensions of which nearly all that entered in the window has one value: what had others on other
/// days does not tell them apart now, nor does a message without a sender.
fn nearly_single(flow: &Flow, found: &Found, alive: &[usize]) -> Vec<(String, Option<String>)> {
    let counts = &flow.counts;
    let weights: Vec<f64> = alive.iter().map(|&leaf| flow.input[0][leaf]).collect();
    let is_other = |dim: &usize| found.values.iter().all(|(named, _)| named != dim);
    let single = |dim: usize| nearly_all(counts, alive, &weights, dim);
    (0..counts.dims().len()).filter(is_other).filter_map(single).collect()
}

/// The value of a dimension that nearly all of some leaves have, by their weights: one that is known, and is told
/// apart.
fn nearly_all(
    counts: &Counts,
    leaves: &[usize],
    weights: &[f64],
    dim: usize,
) -> Option<(String, Option<String>)> {
    let all: f64 = weights.iter().sum();
    let mut by_code = vec![0.0; counts.n_values(dim)];
    let codes = leaves.iter().map(|&leaf| counts.code(leaf, dim) as usize);
    codes.zip(weights).for_each(|(code, weight)| by_code[code] += weight);
    let code = by_code.iter().position(|n| *n > 0.0 && *n >= NEARLY_ALL * all)? as u32;
    let name = counts.name(dim, code).filter(|_| !counts.is_few_value(dim, code))?;
    Some((counts.dims()[dim].clone(), Some(name)))
}

/// Which of the named values could in the window as well be one of `others`, which nearly all of it has.
fn twins(flow: &Flow, found: &Found, others: &[(String, Option<String>)]) -> Vec<Twin> {
    if flow.stage.is_volume() {
        return Vec::new();
    }
    let counts = &flow.counts;
    let code_of = |(name, value): &(String, Option<String>)| {
        let dim = counts.dims().iter().position(|dim| dim == name)?;
        let codes = 0..counts.n_values(dim) as u32;
        let code = codes.into_iter().find(|&code| counts.value(dim, code) == value.as_deref())?;
        Some((dim, code))
    };
    let mut twins = Vec::new();
    for other in others {
        let Some((dim, code)) = code_of(other) else { continue };
        for (at, &(named_dim, named_code)) in found.values.iter().enumerate() {
            let rest = found.values.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, v)| *v);
            let all: Vec<(usize, u32)> = rest.chain([(dim, code)]).collect();
            let is_under = |leaf: &u32| {
                all.iter().all(|&(dim, code)| counts.code(*leaf as usize, dim) == code)
            };
            let leaves: Vec<u32> = (0..counts.n_leaves() as u32).filter(is_under).collect();
            if flow.is_same(&leaves, &found.leaves) {
                let named = (counts.dims()[named_dim].clone(), counts.name(named_dim, named_code));
                twins.push(Twin { named, other: other.clone() });
            }
        }
    }
    twins
}
