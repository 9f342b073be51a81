//! What each value of a dimension has by itself, as `sql/why/marginals.sql` says it, counted of records in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};

use super::answers::batch;
use super::held::Leaves;
use super::kinds::{CountedAs, Kinds};
use super::names::Of;
use crate::error::Result;
use crate::threads::shared;
use crate::why::{LEAF, Why};

/// Values of a dimension in a batch.
const BATCH: usize = 8192;

impl Leaves {
    /// What [`Why::marginals`] asks, batch by batch.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the columns do not fit together, which they do.
    pub fn marginals(&self, why: &Why) -> impl Iterator<Item = Result<RecordBatch>> {
        let kinds = Kinds::of(self, why);
        let [entered, counted] = why
            .kinds
            .each_ref()
            .map(|words| CountedAs::ALL.map(|kind| u32::from(words.contains(&kind.word()))));
        let periods = self.numbers(why);
        let n_periods = periods.len();
        let n_providers = self.names.n(Of::Provider);
        let lens = [n_providers, self.campaigns.len(), self.paths.len()];
        let summed = shared(self.threads, &self.pieces, |pieces| {
            // By period and then by number: the records of a piece are of few periods.
            let mut sums = lens.map(|n| vec![[0_u32; 2]; n * n_periods]);
            let mut add = |of: [usize; 3], period: u8, kind: CountedAs, n: u32| {
                let n = [n * entered[kind as usize], n * counted[kind as usize]];
                if n != [0, 0] {
                    for ((sums, of), len) in sums.iter_mut().zip(of).zip(lens) {
                        let sum = &mut sums[usize::from(period) * len + of];
                        *sum = [sum[0] + n[0], sum[1] + n[1]];
                    }
                }
            };
            for piece in pieces {
                for (row, n) in piece.rows() {
                    if let Some(kind) = kinds.of_record(row) {
                        let of = [row.provider as usize, row.campaign as usize, row.path.into()];
                        add(of, row.period, kind, n);
                    }
                }
                // Of those that reached a receiver there is none.
                for (row, n) in piece.receptions().filter(|_| !why.reached) {
                    let of = [row.provider as usize, row.campaign as usize, row.path.into()];
                    add(of, row.period, CountedAs::Injected, n);
                }
            }
            sums
        });
        let sums_of = move |dim: &str, of: Of| -> Vec<[u64; 2]> {
            let mut sums = vec![[0; 2]; self.names.n(of) * n_periods];
            let (list, numbers): (usize, Vec<u32>) = match dim {
                "provider" => (0, (0..n_providers as u32).collect()),
                "sender_domain" => (1, self.campaigns.iter().map(|of| of[0]).collect()),
                "job_id" => (1, self.campaigns.iter().map(|of| of[1]).collect()),
                "vmta_pool" => (2, self.paths.iter().map(|of| of[0]).collect()),
                "vmta" => (2, self.paths.iter().map(|of| of[1]).collect()),
                _ => (2, self.paths.iter().map(|of| of[2]).collect()),
            };
            for summed in &summed {
                for (period, own) in summed[list].chunks_exact(lens[list].max(1)).enumerate() {
                    for (number, own) in numbers.iter().zip(own) {
                        let sum = &mut sums[*number as usize * n_periods + period];
                        *sum = [sum[0] + u64::from(own[0]), sum[1] + u64::from(own[1])];
                    }
                }
            }
            sums
        };
        let told = LEAF.into_iter().filter(|dim| !why.blind.contains(dim));
        told.filter_map(|dim| Some((dim, Of::dimension(dim)?))).flat_map(move |(dim, of)| {
            let sums = sums_of(dim, of);
            // Without a name, which is number 0, there is nothing to tell.
            let begins = (1..self.names.n(of)).step_by(BATCH);
            let periods = periods.clone();
            begins.map(move |begin| {
                self.marginals_of((dim, of), &periods, begin, &sums[begin * n_periods..])
            })
        })
    }

    /// The marginal counts of some values of a dimension, the first of which is number `begin`; `sums` are theirs, and
    /// those of more, by period.
    fn marginals_of(
        &self,
        (dim, of): (&str, Of),
        periods: &[i64],
        begin: usize,
        sums: &[[u64; 2]],
    ) -> Result<RecordBatch> {
        let (mut names, mut numbers, mut of_period) = (Vec::new(), Vec::new(), Vec::new());
        let (mut entered, mut counted) = (Vec::new(), Vec::new());
        let of_values = sums.chunks_exact(periods.len()).take(BATCH);
        for (number, of_value) in (begin..).zip(of_values) {
            let name = self.names.name(of, number as u32).unwrap_or_default();
            for (period, sum) in periods.iter().zip(of_value) {
                if *sum != [0, 0] {
                    names.push(name);
                    numbers.push(number as u64);
                    of_period.push(*period);
                    entered.push(sum[0] as i64);
                    counted.push(sum[1] as i64);
                }
            }
        }
        let columns: [(&str, ArrayRef); 6] = [
            ("dim", Arc::new(StringArray::from_iter_values(names.iter().map(|_| dim)))),
            ("name", Arc::new(StringArray::from(names))),
            ("number", Arc::new(UInt64Array::from(numbers))),
            ("period", Arc::new(Int64Array::from(of_period))),
            ("entered", Arc::new(Int64Array::from(entered))),
            ("counted", Arc::new(Int64Array::from(counted))),
        ];
        batch(columns)
    }
}
