//! Which commits took the rows of a part from their sources: what tells, with the day, which records
//! are gone when a part is. Knows numbers of commits, not files.

use serde::{Deserialize, Serialize};

/// Numbers of commits, as ranges with both ends in them, in order and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generations(Vec<(u64, u64)>);

/// The number that stands for commits of format 1, which did not note what they took.
const UNKNOWN: u64 = 0;

impl Generations {
    /// One commit.
    pub fn of(generation: u64) -> Generations {
        Generations(vec![(generation, generation)])
    }

    /// What a part of format 1 has.
    pub(crate) fn unknown() -> Generations {
        Generations::of(UNKNOWN)
    }

    /// Whether there is none: of a part whose commit is to come.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some rows come from commits that noted nothing.
    pub fn has_unknown(&self) -> bool {
        self.contains(UNKNOWN)
    }

    /// Whether `generation` is one of them.
    pub fn contains(&self, generation: u64) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&generation))
    }

    /// Whether both have a commit that is known.
    pub fn meets(&self, other: &Generations) -> bool {
        let meets =
            |a: &(u64, u64), b: &(u64, u64)| a.0.max(b.0) <= a.1.min(b.1) && a.1.min(b.1) > UNKNOWN;
        self.0.iter().any(|a| other.0.iter().any(|b| meets(a, b)))
    }

    /// Adds those of `other`.
    pub fn extend(&mut self, other: &Generations) {
        let mut all: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        self.0.clear();
        for (first, last) in all {
            match self.0.last_mut() {
                // Never joined with the unknown, which would then meet everything.
                Some(range) if first <= range.1 || (first == range.1 + 1 && range.1 > UNKNOWN) => {
                    range.1 = range.1.max(last);
                }
                _ => self.0.push((first, last)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_join_into_ranges_and_the_unknown_meets_nothing() {
        let mut all = Generations::default();
        for generation in [7, 3, 0, 1, 4, 2, 9] {
            all.extend(&Generations::of(generation));
        }
        assert_eq!(all.0, [(0, 0), (1, 4), (7, 7), (9, 9)]);
        assert!(all.contains(3) && !all.contains(5) && all.has_unknown());
        assert!(all.meets(&Generations::of(9)) && !all.meets(&Generations::of(8)));
        assert!(!all.meets(&Generations::unknown()));
    }
}
