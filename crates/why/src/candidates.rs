//! The candidates of a stage: which leaves share the values of some dimensions. Scores none of them.

use crate::counts::Counts;
use crate::flow::Flow;
use crate::groups::Groups;
use crate::parallel::at_once;

/// Dimensions of a cause at most, its category apart.
pub(crate) const MAX_DEPTH: usize = 3;

/// All candidates of a stage: every combination of values of up to three dimensions.
pub(crate) struct Candidates {
    /// Those with the fewest dimensions first.
    pub(crate) groupings: Vec<Grouping>,
    /// How many candidates there are.
    pub(crate) n: usize,
}

/// The combinations of the values of some dimensions, each of which is a candidate.
pub(crate) struct Grouping {
    pub(crate) dims: Vec<usize>,
    /// The same dimensions, a bit each.
    pub(crate) bits: u32,
    pub(crate) groups: Groups,
    /// Whether a group has a value that stands for many with few messages each: none is a cause.
    pub(crate) is_few: Vec<bool>,
    /// The candidate that the first group is, counted through all groupings.
    pub(crate) first: u32,
}

impl Grouping {
    /// The group of a leaf.
    pub(crate) fn at(&self, leaf: usize) -> usize {
        self.groups.of_leaf[leaf] as usize
    }

    /// The leaves of a group.
    pub(crate) fn leaves(&self, group: u32) -> impl Iterator<Item = usize> {
        let of_leaf = &self.groups.of_leaf;
        (0..of_leaf.len()).filter(move |&leaf| of_leaf[leaf] == group)
    }
}

/// The dimensions that are chosen, a bit each.
fn chosen(dims: &[usize], bits: u32) -> Vec<usize> {
    (0..dims.len()).filter(|i| bits >> i & 1 == 1).map(|i| dims[i]).collect()
}

impl Candidates {
    pub(crate) fn new(flow: &Flow) -> Candidates {
        let counts = &flow.counts;
        // A dimension with one value tells nothing apart.
        let dims: Vec<usize> =
            (0..counts.dims().len()).filter(|&dim| counts.n_values(dim) > 1).collect();
        let mut all = Candidates { groupings: Vec::new(), n: 0 };
        for depth in 0..=MAX_DEPTH as u32 {
            let subsets: Vec<u32> =
                (0..1 << dims.len()).filter(|bits: &u32| bits.count_ones() == depth).collect();
            let groups = at_once(&subsets, |bits| all.groups(counts, &dims, *bits));
            for (bits, groups) in subsets.into_iter().zip(groups) {
                all.add(counts, chosen(&dims, bits), bits, groups);
            }
        }
        all
    }

    /// The groups by the chosen ones of `dims`, of which all with fewer are there.
    fn groups(&self, counts: &Counts, dims: &[usize], bits: u32) -> Groups {
        // The finest by some of them need only be divided.
        match self.groupings.iter().rfind(|other| other.bits & bits == other.bits) {
            None => Groups::one(counts),
            Some(coarser) => coarser.groups.divided(counts, &chosen(dims, bits & !coarser.bits)),
        }
    }

    fn add(&mut self, counts: &Counts, dims: Vec<usize>, bits: u32, groups: Groups) {
        // A dimension that splits nothing more says what the others have said.
        let says_no_more =
            |other: &Grouping| other.groups.n == groups.n && other.bits & bits == other.bits;
        if self.groupings.iter().any(says_no_more) {
            return;
        }
        let first = self.n as u32;
        self.n += groups.n;
        let mut is_few = vec![false; groups.n];
        for (leaf, &group) in groups.of_leaf.iter().enumerate() {
            is_few[group as usize] |= dims.iter().any(|&dim| counts.is_few(leaf, dim));
        }
        self.groupings.push(Grouping { dims, bits, groups, is_few, first });
    }

    /// The grouping of a candidate, and which of its groups that is.
    pub(crate) fn grouping(&self, candidate: u32) -> (&Grouping, u32) {
        let found = self.groupings.iter().rfind(|grouping| grouping.first <= candidate);
        let grouping = found.expect("every candidate is of one grouping");
        (grouping, candidate - grouping.first)
    }

    /// The dimensions that name `leaves` with the fewest values.
    pub(crate) fn fewest_dims(&self, candidate: u32, leaves: &[u32]) -> &[usize] {
        let (own, _) = self.grouping(candidate);
        let says_the_same = |grouping: &&Grouping| {
            let group = grouping.at(leaves[0] as usize) as u32;
            grouping.bits & own.bits == grouping.bits
                && grouping.leaves(group).count() == leaves.len()
        };
        self.groupings.iter().find(says_the_same).map_or(&own.dims, |grouping| &grouping.dims)
    }

    /// The leaves under a candidate.
    pub(crate) fn leaves(&self, candidate: u32) -> Vec<u32> {
        let (grouping, group) = self.grouping(candidate);
        grouping.leaves(group).map(|leaf| leaf as u32).collect()
    }
}
