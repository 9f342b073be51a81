//! A volume that changed, in a question about what became of it: one cause, whatever changed.

use crate::answer::{Cause, Scope};
use crate::cause::cause;
use crate::flow::Flow;
use crate::search::Found;

/// All that was found of a volume as one cause: other messages than usual came in. None of nothing.
pub(crate) fn as_one(flow: &Flow, found: &[Found], change: f64) -> Option<Cause> {
    let mut each: Vec<Cause> = found.iter().map(|found| cause(flow, found, change)).collect();
    each.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    let mut one = each.first()?.clone();
    if each.len() == 1 {
        return Some(one);
    }
    // A message may be under several of them, and counts once.
    let mut leaves: Vec<u32> = found.iter().flat_map(|found| found.leaves.clone()).collect();
    leaves.sort_unstable();
    leaves.dedup();
    let outcome = &flow.outcomes[0];
    let sum = |of: &dyn Fn(usize) -> f64| leaves.iter().map(|&leaf| of(leaf as usize)).sum::<f64>();
    one.effect = flow.effect_of(&leaves);
    one.share = if change == 0.0 { 0.0 } else { 100.0 * one.effect / change };
    one.now = (0.0, sum(&|leaf| outcome.seen.now[leaf]));
    one.usual = (0.0, sum(&|leaf| outcome.usual[leaf]));
    one.expected = one.usual.1;
    one.implied.clear();
    let scope = |cause: &Cause| Scope {
        values: cause.values.clone(),
        effect: cause.effect,
        now: cause.now.1,
        usual: cause.usual.1,
    };
    one.scopes = each.iter().map(scope).collect();
    Some(one)
}
