//! What the search found, told as a cause: names for numbers, counts, and a reading.

use crate::answer::{Cause, Moved, Twin};
use crate::counts::Kind;
use crate::flow::{Flow, Outcome};
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
    let sum = |period: usize, of: &[Vec<f64>]| -> f64 {
        found.leaves.iter().map(|&leaf| of[period][leaf as usize]).sum()
    };
    let outcome = &flow.outcomes[found.outcome];
    // All categories, or those of them that moved.
    let parts: Vec<&Outcome> = if found.parts.is_empty() {
        vec![outcome]
    } else {
        found.parts.iter().map(|&part| &flow.outcomes[part]).collect()
    };
    let named_categories = parts.iter().filter_map(|part| part.category.clone()).collect();
    let counted = |of: &dyn Fn(&Outcome) -> f64| parts.iter().map(|part| of(part)).sum();
    let n_baseline = counts.n_baseline().max(1);
    let usual = |of: &[Vec<f64>]| -> f64 {
        (1..=counts.n_baseline()).map(|period| sum(period, of)).sum::<f64>() / n_baseline as f64
    };
    let is_volume = flow.stage.is_volume();
    // Of a volume each stands by itself, whatever else was found: what came and what usually comes.
    let effect = if is_volume { flow.effect_of(&found.leaves) } else { found.effect };
    let entered = |n: f64| if is_volume { 0.0 } else { n };
    // What a leaf with nothing in it is called says nothing of the cause.
    let alive: Vec<usize> = found
        .leaves
        .iter()
        .map(|&leaf| leaf as usize)
        .filter(|&leaf| {
            let counts = |of: &[Vec<f64>]| of.iter().any(|period| period[leaf] > 0.0);
            counts(&outcome.seen) || !is_volume && counts(&flow.input)
        })
        .collect();
    let implied: Vec<(String, Option<String>)> = (0..counts.dims().len())
        .filter(|dim| {
            found.values.iter().all(|(named, _)| named != dim) && counts.n_values(*dim) > 1
        })
        .filter_map(|dim| {
            let code = counts.code(*alive.first()?, dim);
            let single = alive.iter().all(|&leaf| counts.code(leaf, dim) == code)
                && !counts.is_few(*alive.first()?, dim);
            (single && counts.value(dim, code).is_some()).then(|| named(&(dim, code)))
        })
        .collect();
    let twins = twins(flow, found, &implied);
    let mut cause = Cause {
        stage: flow.stage,
        twins,
        values,
        categories: named_categories,
        implied,
        effect,
        share: if change == 0.0 { 0.0 } else { 100.0 * effect / change },
        now: (entered(sum(0, &flow.input)), counted(&|outcome| sum(0, &outcome.seen))),
        usual: (entered(usual(&flow.input)), counted(&|outcome| usual(&outcome.seen))),
        expected: counted(&|outcome| {
            found.leaves.iter().map(|&leaf| outcome.expected[leaf as usize]).sum()
        }),
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

/// Which of the named values could as well be one that is implied.
fn twins(flow: &Flow, found: &Found, implied: &[(String, Option<String>)]) -> Vec<Twin> {
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
    for other in implied {
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
