//! Counts of messages by leaf, period and kind: what the findings are made from.
//! Knows no SQL: batches come in, sums go out.

mod batch;

use std::collections::HashMap;

use pmtaq_schema::numbers::NumberMap;

use crate::few::{FEW, Few, enters, is_counted, is_few};
use crate::jobs::ONE_TIME_JOBS;
use crate::kind::Kind;
use crate::metric::Metric;
use crate::parallel::at_once;
use crate::told::ToldApart;

/// A period with a smaller share than this of the best period of a job has its left-overs.
pub(crate) const LEFT_OVER: f64 = 0.1;

/// The last number of a leaf's key: its messages were queued in the period, or before it.
const FRESH: u32 = 0;
const CARRIED: u32 = 1;

/// Dimensions at most.
const MOST_DIMS: usize = 7;

/// The number of the value in each dimension, 0 beyond these; then [`FRESH`] or [`CARRIED`]. Of one
/// size, since there are many and none is to be allocated by itself.
type Key = [u32; MOST_DIMS + 1];

/// A kind, and the bounce category where the record had one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Measure {
    pub(crate) kind: Kind,
    pub(crate) category: Option<String>,
}

/// So many of a measure in a leaf and a period. Period 0 is the window, the others its baseline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) leaf: u32,
    pub(crate) period: u16,
    pub(crate) measure: u16,
    pub(crate) n: f64,
}

/// The values of one dimension, each with its number.
#[derive(Clone, Debug, Default)]
struct Values {
    texts: Vec<Option<String>>,
    codes: HashMap<String, u32>,
    none: Option<u32>,
    /// Which are told apart, if that is known; and the codes of the places that came for names.
    told: Option<ToldApart>,
    places: Vec<Option<u32>>,
}

impl Values {
    fn code(&mut self, text: Option<&str>) -> u32 {
        let told = match (&self.told, text) {
            (Some(told), Some(text)) => Some(told.name(text)),
            _ => text,
        };
        let known = match told {
            Some(text) => self.codes.get(text).copied(),
            None => self.none,
        };
        known.unwrap_or_else(|| {
            let code = self.texts.len() as u32;
            let told = told.map(str::to_owned);
            match &told {
                Some(text) => drop(self.codes.insert(text.clone(), code)),
                None => self.none = Some(code),
            }
            self.texts.push(told);
            code
        })
    }

    /// The code of the value at a place in the list of those that are told apart; none where no list was learnt.
    fn code_at(&mut self, place: usize) -> Option<u32> {
        if let Some(&Some(code)) = self.places.get(place) {
            return Some(code);
        }
        let name = self.told.as_ref()?.at(place).map(str::to_owned);
        let code = self.code(name.as_deref());
        self.places.resize(self.places.len().max(place + 1), None);
        self.places[place] = Some(code);
        Some(code)
    }
}

/// Counts by leaf, period and measure. A leaf is a combination of values of the dimensions, and of
/// whether its messages were carried over: queued before the period in which they are counted.
/// What was carried over has been deferred before, so its rates are others.
#[derive(Clone, Debug)]
pub struct Counts {
    dims: Vec<String>,
    values: Vec<Values>,
    /// The leaves by their keys, while counts come; none of what was folded.
    keys: NumberMap<Key, u32>,
    leaves: Vec<Key>,
    pub(crate) measures: Vec<Measure>,
    pub(crate) entries: Vec<Entry>,
    /// The sums of the entries, by measure and period.
    totals: Vec<Vec<f64>>,
    n_periods: usize,
}

impl Counts {
    /// No counts by up to seven dimensions, of a window and so many periods of its baseline.
    pub fn new(dims: &[&str], n_baseline: usize) -> Counts {
        assert!(dims.len() <= MOST_DIMS, "a key has room for {MOST_DIMS} dimensions");
        Counts {
            dims: dims.iter().map(|&dim| dim.to_owned()).collect(),
            values: vec![Values::default(); dims.len()],
            keys: NumberMap::default(),
            leaves: Vec::new(),
            measures: Vec::new(),
            entries: Vec::new(),
            totals: Vec::new(),
            n_periods: n_baseline + 1,
        }
    }

    /// Adds `n` to a leaf, given by its values in the order of the dimensions.
    pub fn add(
        &mut self,
        period: usize,
        values: &[Option<&str>],
        kind: Kind,
        category: Option<&str>,
        n: u64,
    ) {
        self.add_aged(period, values, FRESH, kind, category, n);
    }

    /// The same for messages that were queued before the period.
    pub fn add_carried(
        &mut self,
        period: usize,
        values: &[Option<&str>],
        kind: Kind,
        category: Option<&str>,
        n: u64,
    ) {
        self.add_aged(period, values, CARRIED, kind, category, n);
    }

    fn add_aged(
        &mut self,
        period: usize,
        values: &[Option<&str>],
        age: u32,
        kind: Kind,
        category: Option<&str>,
        n: u64,
    ) {
        let codes = self.values.iter_mut().zip(values).map(|(dim, text)| dim.code(*text));
        let key = key(codes, age);
        let leaf = self.leaf(key);
        let measure = self.measure(kind, category);
        self.count(Entry { leaf, period: period as u16, measure, n: n as f64 });
    }

    fn count(&mut self, entry: Entry) {
        self.totals[usize::from(entry.measure)][usize::from(entry.period)] += entry.n;
        self.entries.push(entry);
    }

    fn leaf(&mut self, key: Key) -> u32 {
        let next = self.leaves.len() as u32;
        let leaf = *self.keys.entry(key).or_insert(next);
        if leaf == next {
            self.leaves.push(key);
        }
        leaf
    }

    fn measure(&mut self, kind: Kind, category: Option<&str>) -> u16 {
        let same = |m: &Measure| m.kind == kind && m.category.as_deref() == category;
        let found = self.measures.iter().position(same).unwrap_or_else(|| {
            self.measures.push(Measure { kind, category: category.map(str::to_owned) });
            self.totals.push(vec![0.0; self.n_periods]);
            self.measures.len() - 1
        });
        found as u16
    }

    /// The names of the dimensions.
    pub fn dims(&self) -> &[String] {
        &self.dims
    }

    /// Periods of the baseline.
    pub fn n_baseline(&self) -> usize {
        self.n_periods - 1
    }

    /// How many leaves there are.
    pub fn n_leaves(&self) -> usize {
        self.leaves.len()
    }

    /// The number of the value that a leaf has in a dimension.
    pub(crate) fn code(&self, leaf: usize, dim: usize) -> u32 {
        self.leaves[leaf][dim]
    }

    /// Whether the messages of a leaf were queued before the period.
    pub(crate) fn is_carried(&self, leaf: usize) -> bool {
        self.leaves[leaf][MOST_DIMS] == CARRIED
    }

    /// How many values a dimension has.
    pub(crate) fn n_values(&self, dim: usize) -> usize {
        self.values[dim].texts.len()
    }

    /// The value behind a number; none where the records had none.
    pub(crate) fn value(&self, dim: usize, code: u32) -> Option<&str> {
        self.values[dim].texts.get(code as usize).and_then(Option::as_deref)
    }

    /// The sum of some kinds in one period.
    pub fn sum(&self, period: usize, kinds: &[Kind]) -> f64 {
        let of = self.measures.iter().zip(&self.totals);
        let of = of.filter(|(measure, _)| kinds.contains(&measure.kind));
        // Not `sum`, by which nothing is -0.0.
        of.fold(0.0, |sum, (_, periods)| sum + periods[period])
    }

    /// The mean of some kinds over the baseline.
    pub fn usual(&self, kinds: &[Kind]) -> f64 {
        let periods = 1..self.n_periods;
        let all = periods.fold(0.0, |all, period| all + self.sum(period, kinds));
        all / self.n_baseline().max(1) as f64
    }

    /// Hands every count of some kinds to `take`: period, values of the leaf, category, number.
    pub fn each(
        &self,
        kinds: &[Kind],
        mut take: impl FnMut(usize, &[Option<&str>], Option<&str>, f64),
    ) {
        for entry in &self.entries {
            let measure = &self.measures[usize::from(entry.measure)];
            if kinds.contains(&measure.kind) {
                let key = &self.leaves[entry.leaf as usize][..self.dims.len()];
                let value = |(dim, &code): (usize, &u32)| self.value(dim, code);
                let values: Vec<Option<&str>> = key.iter().enumerate().map(value).collect();
                take(usize::from(entry.period), &values, measure.category.as_deref(), entry.n);
            }
        }
    }

    /// Some kinds by leaf, for each period.
    pub(crate) fn dense(&self, wanted: impl Fn(&Measure) -> bool) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; self.leaves.len()]; self.n_periods];
        let wanted: Vec<bool> = self.measures.iter().map(wanted).collect();
        for entry in &self.entries {
            if wanted[usize::from(entry.measure)] {
                sums[usize::from(entry.period)][entry.leaf as usize] += entry.n;
            }
        }
        sums
    }

    /// The same counts by fewer dimensions, `rename` deciding what each value becomes; and which
    /// leaf of theirs each leaf is part of. Values are in the order of their names, leaves in that of
    /// their values, and entries in that of their leaves, in whichever order they came: then what is
    /// found does not depend on it, and neighbours in memory belong together.
    pub(crate) fn folded(
        &self,
        keep: &[usize],
        mut rename: impl FnMut(usize, u32) -> Option<String>,
    ) -> (Counts, Vec<u32>) {
        let names: Vec<&str> = keep.iter().map(|&dim| self.dims[dim].as_str()).collect();
        let mut folded = Counts::new(&names, self.n_baseline());
        folded.measures.clone_from(&self.measures);
        folded.totals.clone_from(&self.totals);
        let mut maps: Vec<Vec<u32>> = Vec::new();
        for (values, &dim) in folded.values.iter_mut().zip(keep) {
            let renamed: Vec<_> = (0..self.n_values(dim) as u32).map(|c| rename(dim, c)).collect();
            let mut names: Vec<Option<&str>> = renamed.iter().map(Option::as_deref).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                values.code(name);
            }
            maps.push(renamed.iter().map(|name| values.code(name.as_deref())).collect());
        }
        let renamed = |of: &Key| {
            let code = |(at, &dim): (usize, &usize)| maps[at][of[dim] as usize];
            key(keep.iter().enumerate().map(code), of[MOST_DIMS])
        };
        let keys: Vec<Key> = self.leaves.iter().map(renamed).collect();
        let (leaves, leaf_of) = in_order(&keys);
        let moved = |entry: &Entry| Entry { leaf: leaf_of[entry.leaf as usize], ..*entry };
        let entries = self.entries.iter().map(moved).collect();
        folded.entries = sorted(entries, leaves.len(), |entry| entry.leaf);
        folded.leaves = leaves;
        (folded, leaf_of)
    }

    /// The same counts, where the values of each dimension with too little for a cause of `metric`, which
    /// moves it by `effect`, are one. Of a rate so are the jobs of which nothing is in the window: they
    /// only tell how far jobs differ, which some of them do as well.
    pub(crate) fn without_few(&self, metric: &Metric, effect: f64) -> Counts {
        /// So many jobs tell how far jobs differ.
        const JOBS: usize = 300;
        let enters = |kind: Kind| enters(metric, kind);
        let is_counted = |kind: Kind| is_counted(metric, kind);
        let [entered, counted] = [
            self.by_period(|measure| enters(measure.kind)),
            self.by_period(|measure| is_counted(measure.kind)),
        ];
        let few = Few::new(metric, effect, entered, &counted);
        let name = |dim: usize| {
            let is_job = self.dims[dim] == "job_id";
            let (entered, counted) = (self.by_value(dim, enters), self.by_value(dim, is_counted));
            let mut names: Vec<Option<String>> = Vec::new();
            let mut past: Vec<(&str, usize)> = Vec::new();
            for (code, (entered, counted)) in entered.iter().zip(&counted).enumerate() {
                let own = self.value(dim, code as u32);
                let few = few.stands_for(is_job, entered, counted).filter(|_| !is_few(own));
                if let Some(own) = own.filter(|own| !is_few(Some(own)) && few.is_none())
                    && (is_job && metric.is_rate() && entered[0] + counted[0] == 0.0)
                {
                    past.push((own, code));
                }
                names.push(few.map(|few| FEW[few]).or(own).map(str::to_owned));
            }
            past.sort_unstable();
            let every = past.len().div_ceil(JOBS).max(1);
            let untold = past.iter().enumerate().filter(|(nth, _)| nth % every != 0);
            untold.for_each(|(_, (_, code))| names[*code] = Some(ONE_TIME_JOBS.to_owned()));
            names
        };
        let all: Vec<usize> = (0..self.dims.len()).collect();
        let names = at_once(&all, |dim| name(*dim));
        self.folded(&all, |dim, code| names[dim][code as usize].clone()).0
    }

    /// Whether a leaf has a value of a dimension that stands for those that are not told apart.
    pub(crate) fn is_few(&self, leaf: usize, dim: usize) -> bool {
        self.is_few_value(dim, self.code(leaf, dim))
    }

    /// Whether it is the value of a dimension that stands for those that are not told apart.
    pub(crate) fn is_few_value(&self, dim: usize, code: u32) -> bool {
        is_few(self.value(dim, code))
    }

    /// Leaves out the periods of the baseline that are not `kept`; the others keep their order.
    pub(crate) fn keep_baseline(&mut self, kept: &[usize]) {
        if kept.len() == self.n_baseline() {
            return;
        }
        self.n_periods = kept.len() + 1;
        for periods in &mut self.totals {
            *periods = [0].iter().chain(kept).map(|period| periods[*period]).collect();
        }
        let number = |period: u16| match period {
            0 => Some(0),
            period => kept.iter().position(|&kept| kept == usize::from(period)).map(|at| at + 1),
        };
        self.entries.retain_mut(|entry| {
            let number = number(entry.period);
            entry.period = number.unwrap_or_default() as u16;
            number.is_some()
        });
    }

    /// Some measures by period.
    pub(crate) fn by_period(&self, wanted: impl Fn(&Measure) -> bool) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_periods];
        let of = self.measures.iter().zip(&self.totals);
        for (_, periods) in of.filter(|(measure, _)| wanted(measure)) {
            sums.iter_mut().zip(periods).for_each(|(sum, n)| *sum += n);
        }
        sums
    }

    /// Some kinds by the values of a dimension, for each period.
    pub(crate) fn by_value(&self, dim: usize, wanted: impl Fn(Kind) -> bool) -> Vec<Vec<f64>> {
        self.sums_by_value(dim, |entry| wanted(self.measures[usize::from(entry.measure)].kind))
    }

    /// The same of what was not carried over.
    pub(crate) fn fresh_by_value(
        &self,
        dim: usize,
        wanted: impl Fn(Kind) -> bool,
    ) -> Vec<Vec<f64>> {
        self.sums_by_value(dim, |entry| {
            wanted(self.measures[usize::from(entry.measure)].kind)
                && !self.is_carried(entry.leaf as usize)
        })
    }

    fn sums_by_value(&self, dim: usize, wanted: impl Fn(&Entry) -> bool) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; self.n_periods]; self.n_values(dim)];
        for entry in &self.entries {
            if wanted(entry) {
                let code = self.code(entry.leaf as usize, dim) as usize;
                sums[code][usize::from(entry.period)] += entry.n;
            }
        }
        sums
    }

    /// Counts what is left of a job that mostly went out in another period as carried over, whatever its
    /// records say of when it was queued.
    pub(crate) fn carry_leftovers(&mut self) {
        let Some(dim) = self.dims.iter().position(|dim| dim == "job_id") else { return };
        let by_period = self.by_value(dim, |_| true);
        let injected = self.by_value(dim, |kind| kind == Kind::Injected);
        // By job and period, whether it is little of it; never of what has no job.
        let is_little: Vec<Vec<bool>> = by_period
            .iter()
            .zip(&injected)
            .zip(&self.values[dim].texts)
            .map(|((periods, injected), job)| {
                let most = periods.iter().copied().fold(0.0, f64::max);
                let of_period = periods.iter().zip(injected);
                let is_little = |(n, injected): (&f64, &f64)| {
                    job.is_some() && *n < LEFT_OVER * most && *injected < 0.25 * n
                };
                of_period.map(is_little).collect()
            })
            .collect();
        for at in 0..self.entries.len() {
            let Entry { leaf, period, .. } = self.entries[at];
            let mut key = self.leaves[leaf as usize];
            if key[MOST_DIMS] != CARRIED && is_little[key[dim] as usize][usize::from(period)] {
                key[MOST_DIMS] = CARRIED;
                self.entries[at].leaf = self.leaf(key);
            }
        }
    }

    /// A copy of the value behind a number, for [`Counts::folded`].
    pub(crate) fn name(&self, dim: usize, code: u32) -> Option<String> {
        self.value(dim, code).map(str::to_owned)
    }
}

/// The keys in their order, each once, and which of these each is.
fn in_order(keys: &[Key]) -> (Vec<Key>, Vec<u32>) {
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    // By the last number first: what is alike in one keeps the order of those behind it.
    for at in (0..=MOST_DIMS).rev() {
        let number = |leaf: &u32| keys[*leaf as usize][at];
        let n = order.iter().map(number).max().map_or(0, |most| most as usize + 1);
        if n > 1 {
            order = sorted(order, n, number);
        }
    }
    let (mut leaves, mut leaf_of) = (Vec::<Key>::new(), vec![0; keys.len()]);
    for at in order {
        let key = keys[at as usize];
        if leaves.last() != Some(&key) {
            leaves.push(key);
        }
        leaf_of[at as usize] = leaves.len() as u32 - 1;
    }
    (leaves, leaf_of)
}

/// The items by a number below `n`; those that are alike in it keep their order.
fn sorted<T: Copy>(items: Vec<T>, n: usize, number: impl Fn(&T) -> u32) -> Vec<T> {
    let mut places = vec![0; n];
    for item in &items {
        places[number(item) as usize] += 1;
    }
    let mut next = 0;
    for place in &mut places {
        (*place, next) = (next, next + *place);
    }
    let mut sorted = items.clone();
    for item in items {
        let place = &mut places[number(&item) as usize];
        sorted[*place] = item;
        *place += 1;
    }
    sorted
}

/// The key of a leaf.
fn key(codes: impl Iterator<Item = u32>, age: u32) -> Key {
    let mut key = [0; MOST_DIMS + 1];
    key.iter_mut().zip(codes).for_each(|(at, code)| *at = code);
    key[MOST_DIMS] = age;
    key
}
