//! RiskLoc (Kalander, "RiskLoc: Localization of Multi-dimensional Root Causes by Weighted Risk",
//! 2022, arXiv 2205.10004), from its description: leaves are parted at a cut-off of their
//! deviation, and layer by layer the element of high risk with the greatest explanatory power is a
//! cause. With the thresholds of the paper, without its pruning, which saves time only, and
//! to three dimensions, the most that is planted. Knows neither stages nor categories.

use std::collections::HashMap;

use crate::rivals::{Key, Leaf, said};
use crate::said::Said;
use crate::world::DIMS;

const RISK: f64 = 0.5;
const POWER: f64 = 0.02;
/// The farthest deviations that do not decide where the leaves are parted.
const APART: usize = 5;
const LAYERS: u32 = 3;
/// Elements of a cuboid that are looked at, those with the greatest power first.
const ELEMENTS: usize = 50;

struct Point<'l> {
    leaf: &'l Leaf,
    deviation: f64,
    is_abnormal: bool,
    weight: f64,
    power: f64,
}

/// The causes that it names.
pub fn riskloc(leaves: &[Leaf]) -> Vec<Said> {
    let mut points = points(leaves);
    let power = |points: &[Point<'_>]| -> f64 {
        points.iter().filter(|point| point.is_abnormal).map(|point| point.power).sum()
    };
    let sign = if power(&points) < 0.0 { -1.0 } else { 1.0 };
    points.iter_mut().for_each(|point| point.power *= sign);
    let least = POWER * power(&points);
    let mut found = Vec::new();
    while power(&points) >= least && !points.is_empty() {
        let Some(cause) = search(&points, least) else { break };
        points.retain(|p| !cause.iter().all(|(dim, code)| p.leaf.keys[*dim] == *code));
        found.push(said(&cause));
    }
    found
}

fn points(leaves: &[Leaf]) -> Vec<Point<'_>> {
    let all: f64 = leaves.iter().map(|leaf| leaf.now - leaf.usual).sum();
    let deviation = |leaf: &Leaf| 2.0 * (leaf.usual - leaf.now) / (leaf.usual + leaf.now);
    let mut sorted: Vec<f64> = leaves.iter().map(deviation).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let at = APART.min(sorted.len().saturating_sub(1));
    let (low, high) = match sorted.len() {
        0 => (0.0, 0.0),
        n => (sorted[at], sorted[n - 1 - at]),
    };
    let cut = if low.abs() < high.abs() { -low } else { -high };
    let point = |leaf| {
        let deviation = deviation(leaf);
        let is_abnormal = if cut >= 0.0 { deviation > cut } else { deviation < cut };
        let weight = if is_abnormal { deviation.abs() } else { (cut - deviation).abs() };
        let power = if all == 0.0 { 0.0 } else { (leaf.now - leaf.usual) / all };
        Point { leaf, deviation, is_abnormal, weight: weight.min(1.0), power }
    };
    leaves.iter().map(point).collect()
}

fn search(points: &[Point<'_>], least: f64) -> Option<Key> {
    for layer in 1..=LAYERS {
        let mut best: Option<(f64, Key)> = None;
        for bits in (0_u32..1 << DIMS.len()).filter(|bits| bits.count_ones() == layer) {
            let dims: Vec<usize> = (0..DIMS.len()).filter(|dim| bits >> dim & 1 == 1).collect();
            let most = best.as_ref().map_or(least, |(power, _)| *power);
            if let Some(found) = best_of(points, &dims, most) {
                best = Some(found);
            }
        }
        if let Some((_, cause)) = best {
            return Some(cause);
        }
    }
    None
}

/// The element of a cuboid with the greatest power above `most`, if it is of high risk.
fn best_of(points: &[Point<'_>], dims: &[usize], most: f64) -> Option<(f64, Key)> {
    let mut elements: HashMap<[u32; 3], Vec<&Point<'_>>> = HashMap::new();
    for point in points {
        let mut key = [0; 3];
        dims.iter().zip(&mut key).for_each(|(dim, code)| *code = point.leaf.keys[*dim]);
        elements.entry(key).or_default().push(point);
    }
    let mut rows: Vec<(f64, [u32; 3], Vec<&Point<'_>>)> = elements
        .into_iter()
        .map(|(key, points)| (points.iter().map(|point| point.power).sum(), key, points))
        .filter(|(power, _, points)| *power > most && points.iter().any(|p| p.is_abnormal))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let is_risk = |(.., points): &&(f64, [u32; 3], Vec<&Point<'_>>)| {
        high_risk(points) - low_risk(points) >= RISK
    };
    let (power, key, _) = rows.iter().take(ELEMENTS).find(is_risk)?;
    Some((*power, dims.iter().copied().zip(key.iter().copied()).collect()))
}

fn high_risk(points: &[&Point<'_>]) -> f64 {
    let weight = |abnormal: bool| -> f64 {
        points.iter().filter(|point| point.is_abnormal == abnormal).map(|p| p.weight).sum()
    };
    weight(true) / (weight(true) + weight(false) + 1.0)
}

/// How far the leaves are from having moved by one factor, beside how far they moved.
fn low_risk(points: &[&Point<'_>]) -> f64 {
    let points: Vec<_> =
        points.iter().filter(|point| point.leaf.now > 0.0 && point.leaf.usual > 0.0).collect();
    let sum = |of: fn(&Leaf) -> f64| points.iter().map(|point| of(point.leaf)).sum::<f64>();
    let factor = sum(|leaf| leaf.now) / sum(|leaf| leaf.usual);
    let (mut left, mut moved) = (0.0, 0.0);
    for point in &points {
        let (now, usual) = (point.leaf.now, point.leaf.usual * factor);
        left += (2.0 * (usual - now) / (usual + now)).abs();
        moved += point.deviation.abs();
    }
    if moved > 0.0 { left / moved } else { 0.0 }
}
