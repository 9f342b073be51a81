//! What people do today, on the same counts: sorting pivots by difference, Adtributor (Bhagwan et
//! al., NSDI 2014), which looks at one dimension at a time, and RiskLoc (riskloc.rs). All compare
//! the metric of a leaf with a forecast from its own history, as their sources do.

use std::collections::HashMap;

use crate::incident::Planted;
use crate::said::{Said, Value};
use crate::window::{DAYS, Question, Window};
use crate::world::DIMS;

/// A leaf with its metric in the window and what its history forecasts.
pub struct Leaf {
    pub keys: [u32; 6],
    pub now: f64,
    pub usual: f64,
}

/// The leaves of a question. For a count, the forecast is the mean of the baseline; for a rate,
/// what entered in the window at the rate of the leaf's own baseline, or else at that of all.
pub fn leaves(window: &Window, question: Question) -> Vec<Leaf> {
    let mut known: HashMap<[u32; 6], [f64; 4]> = HashMap::new();
    for (period, cells) in window.periods.iter().enumerate() {
        for cell in cells {
            let (counted, of) = question.parts(cell.sums());
            let leaf = known.entry(cell.keys).or_default();
            let at = if period == 0 { 0 } else { 2 };
            leaf[at] += counted;
            leaf[at + 1] += of;
        }
    }
    let (counted, of) = known.values().fold((0.0, 0.0), |(c, o), leaf| (c + leaf[2], o + leaf[3]));
    let rate = counted / f64::max(of, 1.0);
    let mut leaves: Vec<Leaf> = known
        .into_iter()
        .map(|(keys, [now, entered, counted, of])| {
            let usual = if !question.is_rate() {
                counted / DAYS as f64
            } else if of > 0.0 {
                entered * counted / of
            } else {
                entered * rate
            };
            Leaf { keys, now, usual }
        })
        .filter(|leaf| leaf.now > 0.0 || leaf.usual > 0.0)
        .collect();
    leaves.sort_by_key(|leaf| leaf.keys);
    leaves
}

/// Values of some dimensions.
pub type Key = Vec<(usize, u32)>;

/// The metric and its forecast by the values of `dims`.
fn table(leaves: &[Leaf], dims: &[usize]) -> Vec<(Key, (f64, f64))> {
    let mut table: HashMap<Key, (f64, f64)> = HashMap::new();
    for leaf in leaves {
        let key = dims.iter().map(|&dim| (dim, leaf.keys[dim])).collect();
        let cell = table.entry(key).or_default();
        cell.0 += leaf.now;
        cell.1 += leaf.usual;
    }
    let mut rows: Vec<(Key, (f64, f64))> = table.into_iter().collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

/// A description by a method that knows neither stages nor categories.
pub fn said(values: &[(usize, u32)]) -> Said {
    let scope = values.iter().map(|(dim, code)| (*dim, Value::Code(*code))).collect();
    let scopes = vec![(scope, None)];
    Said { cause: 0, stage: None, scopes, categories: Vec::new(), effect: None }
}

fn greatest(rows: impl Iterator<Item = (Key, (f64, f64))>, n: usize) -> Vec<Said> {
    let mut rows: Vec<(Key, f64)> =
        rows.map(|(key, (now, usual))| (key, (now - usual).abs())).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    rows.into_iter().take(n).map(|(key, _)| said(&key)).collect()
}

/// The rows with the greatest difference of all pivots by one dimension; as many as were planted.
pub fn pivot(leaves: &[Leaf], n: usize) -> Vec<Said> {
    greatest((0..DIMS.len()).flat_map(|dim| table(leaves, &[dim])), n)
}

/// The same, told by which dimensions to pivot for each cause.
pub fn pivot_told(leaves: &[Leaf], planted: &[&Planted]) -> Vec<Said> {
    let dims = |planted: &Planted| planted.scope.iter().map(|(dim, _)| *dim).collect::<Vec<_>>();
    planted.iter().flat_map(|p| greatest(table(leaves, &dims(p)).into_iter(), 1)).collect()
}

/// The elements of the dimension that surprises most: each explains a tenth of the change, all
/// together two thirds.
pub fn adtributor(leaves: &[Leaf]) -> Vec<Said> {
    const EACH: f64 = 0.1;
    const ALL: f64 = 0.67;
    let mut best: Option<(f64, Vec<Said>)> = None;
    for dim in 0..DIMS.len() {
        let table = table(leaves, &[dim]);
        let (now, usual) = table.iter().fold((0.0, 0.0), |(a, f), (_, (n, u))| (a + n, f + u));
        let surprise = |&(n, u): &(f64, f64)| {
            let (q, p) = (n / f64::max(now, 1.0), u / f64::max(usual, 1.0));
            let half = f64::midpoint(p, q);
            let part = |x: f64| if x > 0.0 { x * (x / half).ln() } else { 0.0 };
            f64::midpoint(part(p), part(q))
        };
        let mut rows: Vec<(&Key, f64, f64)> = table
            .iter()
            .map(|(key, cell)| (key, surprise(cell), (cell.0 - cell.1) / (now - usual)))
            .collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let (mut explained, mut surprised, mut elements) = (0.0, 0.0, Vec::new());
        for (key, surprise, power) in rows {
            if power > EACH && explained < ALL {
                explained += power;
                surprised += surprise;
                elements.push(said(key));
            }
        }
        let is_enough = explained >= ALL;
        if is_enough && best.as_ref().is_none_or(|(most, _)| surprised > *most) {
            best = Some((surprised, elements));
        }
    }
    best.map(|(_, elements)| elements).unwrap_or_default()
}
