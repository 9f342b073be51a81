//! What came out of a stage, by period and leaf. Of a category that is little, and most leaves have
//! none of it in the baseline: there only what there was is kept.

/// What came out in the window and in its baseline.
pub(crate) struct Seen {
    /// In the window, by leaf.
    pub(crate) now: Vec<f64>,
    /// What there was in the baseline: leaf, period from 1 on, and how many; in this order.
    past: Vec<(u32, u16, f64)>,
    /// By leaf, where its own begin in `past`; then where the last ones end.
    begins: Vec<u32>,
    n_periods: usize,
}

impl Seen {
    /// Of what came out: leaf, period and how many, in the order of leaves.
    pub(crate) fn new(
        n_leaves: usize,
        n_periods: usize,
        came: impl Iterator<Item = (u32, u16, f64)>,
    ) -> Seen {
        let (mut now, mut past) = (vec![0.0; n_leaves], Vec::<(u32, u16, f64)>::new());
        let mut begins = vec![0; n_leaves + 1];
        for (leaf, period, n) in came.filter(|(.., n)| *n != 0.0) {
            if period == 0 {
                now[leaf as usize] += n;
                continue;
            }
            let own = begins[leaf as usize + 1] as usize;
            let begin = past.len() - own;
            match past[begin..].iter_mut().find(|(_, of, _)| *of >= period) {
                Some((_, of, sum)) if *of == period => *sum += n,
                Some(_) => {
                    let at = past[begin..].partition_point(|(_, of, _)| *of < period);
                    past.insert(begin + at, (leaf, period, n));
                    begins[leaf as usize + 1] += 1;
                }
                None => {
                    past.push((leaf, period, n));
                    begins[leaf as usize + 1] += 1;
                }
            }
        }
        for leaf in 0..n_leaves {
            begins[leaf + 1] += begins[leaf];
        }
        past.shrink_to_fit();
        Seen { now, past, begins, n_periods }
    }

    /// What came out of a leaf in a period.
    pub(crate) fn at(&self, period: usize, leaf: usize) -> f64 {
        if period == 0 {
            return self.now[leaf];
        }
        let own = &self.past[self.begins[leaf] as usize..self.begins[leaf + 1] as usize];
        let found = own.iter().find(|(_, of, _)| usize::from(*of) == period);
        found.map_or(0.0, |(.., n)| *n)
    }

    /// The sum over the baseline, by leaf.
    pub(crate) fn sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.now.len()];
        for (leaf, _, seen) in &self.past {
            sums[*leaf as usize] += seen;
        }
        sums
    }

    /// The sums over all leaves in the baseline, period by period.
    pub(crate) fn past_totals(&self) -> Vec<f64> {
        self.past_sums(1, |_| 0).into_iter().map(|sums| sums[0]).collect()
    }

    /// The sums by one of `n` groups in the baseline, period by period.
    pub(crate) fn past_sums(&self, n: usize, group: impl Fn(usize) -> usize) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; n]; self.n_periods - 1];
        for (leaf, period, seen) in &self.past {
            sums[usize::from(*period) - 1][group(*leaf as usize)] += seen;
        }
        sums
    }

    /// The mean over the baseline, by leaf.
    pub(crate) fn means(&self) -> Vec<f64> {
        let n = (self.n_periods - 1).max(1) as f64;
        self.sums().into_iter().map(|sum| sum / n).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_came() {
        let periods = [vec![1.0, 0.0, 2.0], vec![0.0, 3.0, 0.0], vec![4.0, 0.0, 0.0]];
        let came = (0..3).flat_map(|leaf| {
            // Of a leaf in any order, and in several parts.
            let halves = periods.iter().map(|of| of[leaf as usize] / 2.0).collect::<Vec<_>>();
            let half = move |period: usize| (leaf, period as u16, halves[period]);
            (0..3).rev().chain(0..3).map(half)
        });
        let seen = Seen::new(3, 3, came);
        for (period, leaves) in periods.iter().enumerate() {
            for (leaf, n) in leaves.iter().enumerate() {
                assert_eq!(seen.at(period, leaf), *n, "{period} {leaf}");
            }
        }
        assert_eq!(seen.past_totals(), [3.0, 4.0]);
        assert_eq!(seen.past_sums(2, |leaf| leaf % 2), [[0.0, 3.0], [4.0, 0.0]]);
        assert_eq!(seen.means(), [2.0, 1.5, 0.0]);
    }
}
