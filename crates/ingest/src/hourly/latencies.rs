//! How long the deliveries of each group took: for each distinct number of seconds how many.
//! Knows numbers of groups, not what they share.

/// Entries that may always come before equal ones are looked for.
const UNMERGED: usize = 16 * 1024;

/// All groups' latencies, end to end: a memory of its own for each group would be mostly room.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    all: Vec<Latency>,
    /// How many of the first are merged.
    merged: usize,
    /// Memory for merging: the entries by group, and where the next one of each group goes.
    spare: Vec<Latency>,
    starts: Vec<u32>,
}

/// Deliveries of one group that took as long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latency {
    pub(super) group: u32,
    pub(super) seconds: i64,
    pub(super) count: i64,
}

impl Latencies {
    /// Adds `count` deliveries of a group that took `seconds`.
    pub(super) fn add(&mut self, group: u32, seconds: i64, count: i64) {
        match self.all.last_mut() {
            Some(last) if (last.group, last.seconds) == (group, seconds) => last.count += count,
            _ => {
                // The more are merged, the more may come: each is merged a few times at most.
                if self.all.len() >= self.merged + self.merged / 2 + UNMERGED {
                    self.merge();
                }
                self.all.push(Latency { group, seconds, count });
            }
        }
    }

    /// Puts all in order by group and seconds, each once.
    pub(super) fn merge(&mut self) {
        let groups = self.all.iter().map(|latency| latency.group as usize + 1).max().unwrap_or(0);
        self.starts.clear();
        self.starts.resize(groups + 1, 0);
        for latency in &self.all {
            self.starts[latency.group as usize + 1] += 1;
        }
        for group in 1..=groups {
            self.starts[group] += self.starts[group - 1];
        }
        self.spare.clear();
        self.spare.resize(self.all.len(), Latency { group: 0, seconds: 0, count: 0 });
        for latency in &self.all {
            let at = &mut self.starts[latency.group as usize];
            self.spare[*at as usize] = *latency;
            *at += 1;
        }
        self.all.clear();
        for of_group in self.spare.chunk_by_mut(|a, b| a.group == b.group) {
            of_group.sort_unstable_by_key(|latency| latency.seconds);
            for equal in of_group.chunk_by(|a, b| a.seconds == b.seconds) {
                let count = equal.iter().map(|latency| latency.count).sum();
                self.all.push(Latency { count, ..equal[0] });
            }
        }
        self.merged = self.all.len();
    }

    /// All, as they were merged.
    pub(super) fn merged(&self) -> &[Latency] {
        &self.all
    }

    /// Forgets all and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.merged = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_latency_of_a_group_is_there_once_with_all_its_deliveries(
            deliveries in prop::collection::vec((0_u32..9, -2_i64..5, 1_i64..4), 0..200),
            merge_after in prop::collection::vec(any::<bool>(), 200),
        ) {
            let (mut latencies, mut counted) = (Latencies::default(), BTreeMap::new());
            for (&(group, seconds, count), merge) in deliveries.iter().zip(merge_after) {
                latencies.add(group, seconds, count);
                *counted.entry((group, seconds)).or_insert(0) += count;
                if merge {
                    latencies.merge();
                }
            }
            latencies.merge();
            let merged = latencies.merged().iter().map(|l| ((l.group, l.seconds), l.count));
            prop_assert!(merged.eq(counted));
        }
    }

    #[test]
    fn deliveries_without_end_take_no_more_memory_than_distinct_ones() {
        let (mut latencies, number) = (Latencies::default(), 10 * UNMERGED as u32);
        for i in 0..number {
            latencies.add(i % 100, i64::from(i % 7), 1);
        }
        assert!(latencies.all.capacity() <= 2 * UNMERGED);
        latencies.merge();
        assert_eq!(latencies.merged().len(), 700);
        let all: i64 = latencies.merged().iter().map(|latency| latency.count).sum();
        assert_eq!(all, i64::from(number));
    }
}
