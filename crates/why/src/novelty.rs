//! How far a rate is unknown because what enters now has no past of its own: a sender's first
//! campaign, a job with a list of its own. Names no cause.

use std::sync::Arc;

use crate::groups::Groups;
use crate::history::{excess, variance};

/// The deviation between senders or jobs that is taken for granted, and how many of them it weighs.
const PRIOR: (f64, f64) = (0.15, 4.0);
/// The most that is granted: what a receiver refuses five times as often as of all others is told, however
/// far lists differ.
const MOST: f64 = 0.12;
/// Of fewer counts expected of one, its ratio says nothing.
const LEAST: f64 = 3.0;

/// The values of one dimension of which new ones come, for one outcome of a stage.
pub(crate) struct Novelty {
    groups: Arc<Groups>,
    /// By value: which part of what is expected of it now its own past does not speak for.
    unknown: Vec<f64>,
    /// Of the logarithm of the ratio between the rate of a value and what others let expect of it.
    variance: f64,
}

impl Novelty {
    /// From what is expected by value, in the past and now, at the rates that know the value, and
    /// what came of each beside what was expected before its own past was looked at.
    pub(crate) fn new(
        groups: Arc<Groups>,
        expected: impl Iterator<Item = (f64, f64)>,
        ratios: impl Iterator<Item = (f64, f64)>,
    ) -> Novelty {
        let unknown = |(past, now): (f64, f64)| if now > 0.0 { now / (now + past) } else { 0.0 };
        Novelty { groups, unknown: expected.map(unknown).collect(), variance: between(ratios) }
    }

    /// What it adds to the variance of the logarithm of what is expected of some leaves: the whole
    /// where one value without a past is all there is, little where there are many.
    pub(crate) fn variance(&self, leaves: &[u32], expected: &[f64]) -> f64 {
        let mut by_value = std::collections::BTreeMap::<u32, f64>::new();
        for &leaf in leaves {
            *by_value.entry(self.groups.of_leaf[leaf as usize]).or_default() +=
                expected[leaf as usize];
        }
        let all: f64 = by_value.values().sum();
        let part = |(&value, n): (&u32, &f64)| (self.unknown[value as usize] * n / all).powi(2);
        if all > 0.0 { self.variance * by_value.iter().map(part).sum::<f64>() } else { 0.0 }
    }
}

/// The variance between values beyond chance. A tenth may have had incidents, and is left out.
fn between(ratios: impl Iterator<Item = (f64, f64)>) -> f64 {
    let known = ratios.filter(|(_, expected)| *expected >= LEAST);
    let all: Vec<f64> = known.map(|(seen, expected)| excess(seen, expected)).collect();
    let n_out = all.len() / 10;
    variance(all, n_out, PRIOR).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(of_leaf: &[u32]) -> Groups {
        let n = of_leaf.iter().max().map_or(0, |most| *most as usize + 1);
        Groups { of_leaf: of_leaf.to_vec(), n }
    }

    /// Jobs that differ as these do, of which the first has no past and the others a long one.
    fn novelty(ratios: &[(f64, f64)]) -> Novelty {
        let expected = [(0.0, 50.0), (1e9, 50.0), (1e9, 50.0)];
        Novelty::new(groups(&[0, 1, 2]).into(), expected.into_iter(), ratios.iter().copied())
    }

    #[test]
    fn a_job_without_a_past_is_known_by_how_far_jobs_differ() {
        let alike = novelty(&[(100.0, 100.0); 20]);
        let apart = novelty(&[[(50.0, 100.0); 10], [(200.0, 100.0); 10]].concat());
        let alone = |of: &Novelty| of.variance(&[0], &[50.0; 3]);
        assert!(alone(&alike) < 0.01, "{}", alone(&alike));
        assert_eq!(alone(&apart), MOST);
    }

    #[test]
    fn what_has_a_past_and_what_is_a_part_of_many_adds_little() {
        let apart = novelty(&[[(50.0, 100.0); 10], [(200.0, 100.0); 10]].concat());
        let alone = apart.variance(&[0], &[50.0; 3]);
        assert!(apart.variance(&[1, 2], &[50.0; 3]) < 1e-6);
        let of_three = apart.variance(&[0, 1, 2], &[50.0; 3]);
        assert!((of_three - alone / 9.0).abs() < 1e-6, "{of_three} of {alone}");
        assert!(apart.variance(&[0], &[0.0; 3]) == 0.0, "nothing is expected of it");
    }
}
