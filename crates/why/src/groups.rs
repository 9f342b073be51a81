//! Groups of leaves by the values of some dimensions. Counts nothing.

use pmtaq_schema::numbers::NumberMap;

use crate::counts::Counts;

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
            groups.divide(counts.n_values(dim), |leaf| counts.code(leaf, dim));
        }
        groups
    }

    /// The groups, fresh messages apart from those that were carried over.
    pub(crate) fn by_age(mut self, counts: &Counts) -> Groups {
        self.divide(2, |leaf| counts.is_carried(leaf).into());
        self
    }

    fn divide(&mut self, n_values: usize, code: impl Fn(usize) -> u32) {
        // A table, where it is not much larger than what it is for, takes a fraction of a map's time.
        let n_pairs = self.n.saturating_mul(n_values);
        let mut table = vec![None; if n_pairs <= 8 * self.of_leaf.len() { n_pairs } else { 0 }];
        let mut map: NumberMap<u64, u32> = NumberMap::default();
        let mut next = 0;
        for (leaf, group) in self.of_leaf.iter_mut().enumerate() {
            let pair = u64::from(*group) * n_values as u64 + u64::from(code(leaf));
            let number = match table.get_mut(pair as usize) {
                Some(known) => *known.get_or_insert(next),
                None => *map.entry(pair).or_insert(next),
            };
            next += u32::from(number == next);
            *group = number;
        }
        self.n = next as usize;
    }

    /// The sums of a value of the leaves by group.
    pub(crate) fn sums(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.n];
        for (&group, value) in self.of_leaf.iter().zip(values) {
            sums[group as usize] += value;
        }
        sums
    }

    /// The leaves by group.
    pub(crate) fn members(&self) -> Members {
        let mut begins = vec![0; self.n + 1];
        self.of_leaf.iter().for_each(|group| begins[*group as usize + 1] += 1);
        for group in 0..self.n {
            begins[group + 1] += begins[group];
        }
        let (mut next, mut leaves) = (begins.clone(), vec![0; self.of_leaf.len()]);
        for (leaf, &group) in (0..).zip(&self.of_leaf) {
            let at = &mut next[group as usize];
            leaves[*at as usize] = leaf;
            *at += 1;
        }
        Members { leaves, begins }
    }
}

/// The leaves of groups, each group's in their order.
pub(crate) struct Members {
    leaves: Vec<u32>,
    /// By group, where its own begin; then where the last ones end.
    begins: Vec<u32>,
}

impl Members {
    /// The leaves of a group.
    pub(crate) fn of(&self, group: u32) -> &[u32] {
        let at = group as usize;
        &self.leaves[self.begins[at] as usize..self.begins[at + 1] as usize]
    }
}
