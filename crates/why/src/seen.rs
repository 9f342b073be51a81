//! What came out of a stage, by period and leaf. Of a category that is little, and most leaves have
//! none of it in the baseline: there only what there was is kept.

/// What came out in the window and in its baseline.
pub(crate) struct Seen {
    /// In the window, by leaf.
    pub(crate) now: Vec<f64>,
    /// What there was in the baseline: leaf, period from 1 on, and how many; in this order.
    past: Vec<(u32, u16, f64)>,
    n_periods: usize,
}

impl Seen {
    /// Of what came out by period and leaf, the window first.
    pub(crate) fn new(mut periods: Vec<Vec<f64>>) -> Seen {
        let now = std::mem::take(&mut periods[0]);
        let mut past = Vec::new();
        for leaf in 0..now.len() {
            let some = periods.iter().enumerate().skip(1).filter(|(_, of)| of[leaf] != 0.0);
            past.extend(some.map(|(period, of)| (leaf as u32, period as u16, of[leaf])));
        }
        past.shrink_to_fit();
        Seen { now, past, n_periods: periods.len() }
    }

    /// What came out of a leaf in a period.
    pub(crate) fn at(&self, period: usize, leaf: usize) -> f64 {
        if period == 0 {
            return self.now[leaf];
        }
        let place = (leaf as u32, period as u16);
        let found = self.past.binary_search_by_key(&place, |(leaf, period, _)| (*leaf, *period));
        found.map_or(0.0, |at| self.past[at].2)
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
        let mut means = vec![0.0; self.now.len()];
        for (leaf, _, seen) in &self.past {
            means[*leaf as usize] += seen;
        }
        let n = (self.n_periods - 1).max(1) as f64;
        means.iter_mut().for_each(|mean| *mean /= n);
        means
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_came() {
        let periods = vec![vec![1.0, 0.0, 2.0], vec![0.0, 3.0, 0.0], vec![4.0, 0.0, 0.0]];
        let seen = Seen::new(periods.clone());
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
