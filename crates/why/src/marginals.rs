//! What each value of a dimension has by itself: by that is known which are told apart before the counts of
//! all combinations come. Knows no leaves.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt64Type};
use arrow::error::ArrowError;

use crate::columns::{column, int, text};
use crate::counts::Counts;
use crate::few::{FEW, Few, enters, is_counted, least_effect};
use crate::kind::Kind;
use crate::metric::Metric;
use crate::told::ToldApart;
use crate::usual::{left_out, usual_value, value};

/// Records are counted here, and messages there: what is told apart must be so by either.
const SURELY: f64 = 0.8;

/// So many values of a dimension are told apart at most: a statement looks for each name in all of them.
const MOST: usize = 1000;

/// Marginal counts: by the values of each dimension, whatever the others are.
pub struct Marginals {
    metric: &'static Metric,
    n_periods: usize,
    dims: Vec<OfDim>,
}

/// Those of one dimension.
struct OfDim {
    name: String,
    values: HashMap<String, Marginal>,
    /// Of all values together.
    all: Marginal,
}

/// One value.
#[derive(Clone, Debug, Default)]
struct Marginal {
    /// The number that stands for its name, if a statement gave it one.
    number: Option<u64>,
    /// By period.
    entered: Vec<f64>,
    counted: Vec<f64>,
}

impl Marginals {
    /// None yet, of `metric` by some dimensions, of a window and so many periods of its baseline.
    pub fn new(metric: &'static Metric, dims: &[&str], n_baseline: usize) -> Marginals {
        let n_periods = n_baseline + 1;
        let of = |name: &&str| OfDim {
            name: (*name).to_owned(),
            values: HashMap::new(),
            all: Marginal::new(n_periods),
        };
        Marginals { metric, n_periods, dims: dims.iter().map(of).collect() }
    }

    /// The kinds that enter `metric` and those that it counts, by their words.
    pub fn kinds(metric: &Metric) -> [Vec<&'static str>; 2] {
        let of = |is_asked: &dyn Fn(Kind) -> bool| {
            Kind::ALL.iter().filter(|(kind, _)| is_asked(*kind)).map(|(_, word)| *word).collect()
        };
        [of(&|kind| enters(metric, kind)), of(&|kind| is_counted(metric, kind))]
    }

    /// Adds the rows of `batch`: columns `dim`, `name`, `number`, `period`, `entered`, `counted`. One of no
    /// period tells a number and no count.
    ///
    /// # Errors
    /// When a column is missing or of a wrong type.
    pub fn read(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let (dims, names) = (text(batch, "dim")?, text(batch, "name")?);
        let (dims, names) = (dims.as_string::<i32>(), names.as_string::<i32>());
        let numbers = cast(column(batch, "number")?, &DataType::UInt64)?;
        let numbers = numbers.as_primitive::<UInt64Type>();
        let [periods, entered, counted] =
            [int(batch, "period")?, int(batch, "entered")?, int(batch, "counted")?];
        let is_of_same = |a: &usize, b: &usize| {
            dims.value(*a) == dims.value(*b) && numbers.value(*a) == numbers.value(*b)
        };
        // The rows of a value most often follow each other.
        let rows: Vec<usize> = (0..batch.num_rows()).collect();
        for rows in rows.chunk_by(is_of_same) {
            let of = self.dims.iter_mut().find(|of| of.name == dims.value(rows[0]));
            let Some(of) = of else { continue };
            let mut all = std::mem::take(&mut of.all);
            let value = of.value(names.value(rows[0]), self.n_periods);
            value.number = Some(numbers.value(rows[0]));
            for &row in rows {
                let period = periods.is_valid(row).then(|| periods.value(row));
                let period = period.and_then(|period| usize::try_from(period).ok());
                if let Some(period) = period.filter(|period| *period < self.n_periods) {
                    let [entered, counted] = [&entered, &counted]
                        .map(|of| if of.is_valid(row) { of.value(row) as f64 } else { 0.0 });
                    value.add(period, entered, counted);
                    all.add(period, entered, counted);
                }
            }
            of.all = all;
        }
        Ok(())
    }

    /// Adds the rows of `batch`, which are of combinations of values: columns `period`, the dimensions by
    /// their names (one that is missing has no value), `kind`, `n`.
    ///
    /// # Errors
    /// When a column is missing or of a wrong type.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let (periods, numbers) = (int(batch, "period")?, int(batch, "n")?);
        let kinds = text(batch, "kind")?;
        for of in self.dims.iter_mut().filter(|of| batch.column_by_name(&of.name).is_some()) {
            let names = text(batch, &of.name)?;
            let names = names.as_string::<i32>();
            for row in (0..batch.num_rows()).filter(|row| names.is_valid(*row)) {
                let kind = Kind::parse(kinds.as_string::<i32>().value(row));
                let period =
                    usize::try_from(periods.value(row)).ok().filter(|at| *at < self.n_periods);
                if let (Some(kind), Some(period)) = (kind, period) {
                    let n = numbers.value(row) as f64;
                    let n_if = |is: bool| if is { n } else { 0.0 };
                    let (entered, counted) =
                        (enters(self.metric, kind), is_counted(self.metric, kind));
                    of.value(names.value(row), self.n_periods).add(
                        period,
                        n_if(entered),
                        n_if(counted),
                    );
                    of.all.add(period, n_if(entered), n_if(counted));
                }
            }
        }
        Ok(())
    }

    /// Tells the counts of which they are the marginal ones which values are told apart, before these come; and
    /// of each dimension the numbers that stand for the names of these, for a statement.
    pub fn teach(&self, counts: &mut Counts) -> Vec<(String, Vec<u64>)> {
        let told = self.told();
        let numbers = told.iter().map(|told| told.numbers.clone());
        let numbers = self.dims.iter().map(|dim| dim.name.clone()).zip(numbers).collect();
        counts.learn(told);
        numbers
    }

    /// Which values of each dimension are told apart.
    fn told(&self) -> Vec<ToldApart> {
        let few = self.few();
        let others = few.of_unknown();
        let of = |dim: &OfDim| {
            let is_job = dim.name == "job_id";
            let stands = |(name, value): (&'_ String, &'_ Marginal)| {
                let stands = few.stands_for(is_job, &value.entered, &value.counted);
                (name.clone(), stands, value.number, value.most())
            };
            let told = dim.values.iter().map(stands).filter(|(_, few, ..)| *few != Some(others));
            let mut told: Vec<_> = told.collect();
            // Those that are told apart first, and of them the largest.
            let rank = |few: &Option<usize>| few.is_some();
            told.sort_by(|(a, few, _, n), (b, other, _, m)| {
                rank(few).cmp(&rank(other)).then(m.total_cmp(n)).then(a.cmp(b))
            });
            told.truncate(MOST);
            let stands = |name: &String, few: &Option<usize>| {
                few.map_or_else(|| name.clone(), |few| FEW[few].to_owned())
            };
            let places = told.iter().filter_map(|(name, few, number, _)| {
                number.map(|number| (number, stands(name, few)))
            });
            let (numbers, places) = places.unzip();
            let names = told.iter().map(|(name, few, ..)| (name.clone(), stands(name, few)));
            ToldApart { names: names.collect(), places, numbers, others: FEW[others] }
        };
        self.dims.iter().map(of).collect()
    }

    /// How much there must be of a value, by the totals of the dimension that the most records have.
    fn few(&self) -> Few {
        let sum = |of: &OfDim| of.all.entered.iter().chain(&of.all.counted).sum::<f64>();
        let most = self.dims.iter().max_by(|a, b| sum(a).total_cmp(&sum(b)));
        let all = most.map_or_else(|| Marginal::new(self.n_periods), |of| of.all.clone());
        let mut counts = Counts::new(&[], self.n_periods - 1);
        for (period, (entered, counted)) in all.entered.iter().zip(&all.counted).enumerate() {
            let mut add =
                |kind: Kind, n: f64| counts.add(period, &[], kind, None, n.max(0.0) as u64);
            let counted_kind = self.metric.counted[0];
            add(counted_kind, *counted);
            if let Some(other) = self.metric.of.iter().find(|kind| **kind != counted_kind) {
                let is_part = self.metric.of.contains(&counted_kind);
                add(*other, entered - if is_part { *counted } else { 0.0 });
            }
        }
        let left_out = left_out(self.metric, &counts);
        let kept: Vec<usize> = (1..self.n_periods).filter(|n| !left_out.contains(n)).collect();
        counts.keep_baseline(&kept);
        let (now, usual) = (value(self.metric, &counts, 0), usual_value(self.metric, &counts));
        let effect = SURELY * least_effect(self.metric, now, usual) / 2.0;
        Few::new(self.metric, effect, all.entered, &all.counted)
    }
}

impl Marginal {
    fn new(n_periods: usize) -> Marginal {
        Marginal { number: None, entered: vec![0.0; n_periods], counted: vec![0.0; n_periods] }
    }

    fn add(&mut self, period: usize, entered: f64, counted: f64) {
        self.entered[period] += entered;
        self.counted[period] += counted;
    }

    /// The most of what is counted; of two with nothing, of what entered.
    fn most(&self) -> f64 {
        let most = |periods: &[f64]| periods.iter().copied().fold(0.0, f64::max);
        most(&self.counted) + 1e-3 * most(&self.entered)
    }
}

impl OfDim {
    /// What a value has, none yet of one that is new.
    fn value(&mut self, name: &str, n_periods: usize) -> &mut Marginal {
        if !self.values.contains_key(name) {
            self.values.insert(name.to_owned(), Marginal::new(n_periods));
        }
        self.values.get_mut(name).expect("it is there")
    }
}
