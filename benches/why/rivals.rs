//! What people do today, on the same counts: sorting a pivot by difference, and Adtributor, which
//! looks at one dimension at a time (Bhagwan et al., NSDI 2014). Both compare deliveries with
//! their history, as their sources do.

use std::collections::HashMap;

use pmtaq_why::{Counts, Kind};

use crate::incident::Planted;
use crate::score::Named;
use crate::world::{CATEGORIES, DIMS};

/// Values of some dimensions, by their numbers in [`DIMS`].
type Key = Vec<(usize, Option<String>)>;

/// Deliveries in the window and on the mean of its baseline, by the values of `dims`.
fn table(counts: &Counts, dims: &[usize]) -> HashMap<Key, (f64, f64)> {
    let mut table: HashMap<Key, (f64, f64)> = HashMap::new();
    counts.each(&[Kind::Delivered], |period, values, _, n| {
        let key = dims.iter().map(|&dim| (dim, values[dim].map(str::to_owned))).collect();
        let cell = table.entry(key).or_default();
        match period {
            0 => cell.0 += n,
            _ => cell.1 += n / counts.n_baseline() as f64,
        }
    });
    table
}

fn greatest(tables: impl Iterator<Item = HashMap<Key, (f64, f64)>>, n: usize) -> Vec<Named> {
    let mut rows: Vec<(Key, f64)> =
        tables.flatten().map(|(key, (now, usual))| (key, (now - usual).abs())).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let named = |(values, _)| Named { stage: None, values, categories: Vec::new() };
    rows.into_iter().take(n).map(named).collect()
}

/// The rows with the greatest difference of all pivots by one dimension; as many as were planted.
pub fn pivot(counts: &Counts, n: usize) -> Vec<Named> {
    greatest((0..DIMS.len()).map(|dim| table(counts, &[dim])), n)
}

/// The same, told by which dimensions to pivot for each cause.
pub fn pivot_told(counts: &Counts, planted: &[Planted]) -> Vec<Named> {
    let dims = |planted: &Planted| planted.values.iter().map(|(dim, _)| *dim).collect::<Vec<_>>();
    planted.iter().flat_map(|p| greatest(std::iter::once(table(counts, &dims(p))), 1)).collect()
}

/// The elements of the dimension that surprises most: each explains a tenth of the change, all
/// together two thirds.
pub fn adtributor(counts: &Counts) -> Vec<Named> {
    const EACH: f64 = 0.1;
    const ALL: f64 = 0.67;
    let mut best: Option<(f64, Vec<Named>)> = None;
    for dim in 0..DIMS.len() {
        let table = table(counts, &[dim]);
        let (now, usual) = table.values().fold((0.0, 0.0), |(a, f), (n, u)| (a + n, f + u));
        let surprise = |&(n, u): &(f64, f64)| {
            let (q, p) = (n / now.max(1.0), u / usual.max(1.0));
            let half = (p + q) / 2.0;
            let part = |x: f64| if x > 0.0 { x * (x / half).ln() } else { 0.0 };
            (part(p) + part(q)) / 2.0
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
                elements.push(Named { stage: None, values: key.clone(), categories: Vec::new() });
            }
        }
        let is_enough = explained >= ALL;
        if is_enough && best.as_ref().is_none_or(|(most, _)| surprised > *most) {
            best = Some((surprised, elements));
        }
    }
    best.map(|(_, elements)| elements).unwrap_or_default()
}

/// What was refused under a planted cause in the window, in some categories.
pub fn refused(counts: &Counts, planted: &Planted, categories: &[usize]) -> f64 {
    let mut refused = 0.0;
    counts.each(&[planted.stage.output()[0]], |period, values, category, n| {
        let has = |(dim, value): &(usize, String)| match DIMS[*dim] {
            "job_id" => values[*dim].is_some_and(|job| {
                job == value || job.strip_suffix("-of-0") == Some(value.as_str())
            }),
            _ => values[*dim] == Some(value.as_str()),
        };
        let is_wanted = categories.iter().any(|&c| category == Some(CATEGORIES[c]));
        if period == 0 && is_wanted && planted.values.iter().all(has) {
            refused += n;
        }
    });
    refused
}
