//! Who names the planted causes: three methods on the same windows, judged by what a description
//! covers and not by its words. Finds nothing itself.

use pmtaq_why::{Answer, Counts, Metric, Stage, explain};

use crate::chance::Chance;
use crate::incident::{Planted, counts, jaccard, plant};
use crate::rivals;
use crate::world::{DIMS, World};

/// A description must cover the planted messages to this share, and no more beside them.
const SAME: f64 = 0.9;

/// A cause that a method named.
pub struct Named {
    /// None where the method knows no stages.
    pub stage: Option<Stage>,
    pub values: Vec<(usize, Option<String>)>,
    /// Empty for all categories.
    pub categories: Vec<Option<String>>,
}

/// Counts of a method.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    pub windows: u32,
    /// Causes that were planted, and those of them that were named.
    pub planted: u32,
    pub found: u32,
    /// Causes that were named, and those of them that were planted.
    pub named: u32,
    pub right: u32,
    /// Windows in which exactly the planted causes were named.
    pub exact: u32,
}

impl Tally {
    /// Adds a window.
    pub fn add(&mut self, planted: usize, named: usize, found: usize, right: usize) {
        self.windows += 1;
        self.planted += planted as u32;
        self.found += found as u32;
        self.named += named as u32;
        self.right += right as u32;
        self.exact += u32::from(found == planted && right == named);
    }

    /// The share of the planted causes that were named.
    pub fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from(self.planted.max(1))
    }

    /// The share of the named causes that were planted.
    pub fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from(self.named.max(1))
    }
}

/// What came of some windows.
#[derive(Default)]
pub struct Outcome {
    pub ours: Tally,
    pub pivot: Tally,
    pub pivot_told: Tally,
    pub adtributor: Tally,
    /// Ours by stage, depth and size: the bucket, planted, found.
    pub buckets: Vec<(String, u32, u32)>,
    /// Quiet windows, and those in which a cause was named.
    pub quiet: u32,
    pub alarms: u32,
    /// Descriptions of what went wrong, for tuning.
    pub misses: Vec<String>,
}

/// The methods over windows with one or two causes, and over as many quiet ones.
pub fn evaluate(seed: u64, n_windows: u32) -> Outcome {
    let mut outcome = Outcome::default();
    let delivered = Metric::named("delivered").expect("delivered is a metric");
    for window in 0..n_windows {
        let mut chance = Chance::new(seed.wrapping_mul(1_000_003) + u64::from(window));
        let world = World::new(&mut chance);
        let n = chance.whole(1, 2);
        let planted = plant(&world, &mut chance, n);
        let seen = counts(&world, &mut chance, &planted);
        let answer = explain(delivered, &seen);
        let ours: Vec<Named> = ours(&answer);
        let hits = tally(&world, &seen, &planted, &ours, &mut outcome.ours);
        for (cause, hit) in planted.iter().zip(&hits) {
            for bucket in buckets(cause) {
                match outcome.buckets.iter_mut().find(|(name, ..)| *name == bucket) {
                    Some((_, planted, found)) => {
                        *planted += 1;
                        *found += u32::from(*hit);
                    }
                    None => outcome.buckets.push((bucket, 1, u32::from(*hit))),
                }
            }
        }
        if hits.iter().any(|hit| !hit) || answer.causes.len() != planted.len() {
            outcome.misses.push(told(window, &planted, &hits, &answer));
        }
        let n = planted.len();
        tally(&world, &seen, &planted, &rivals::pivot(&seen, n), &mut outcome.pivot);
        let told = rivals::pivot_told(&seen, &planted);
        tally(&world, &seen, &planted, &told, &mut outcome.pivot_told);
        tally(&world, &seen, &planted, &rivals::adtributor(&seen), &mut outcome.adtributor);

        let still = counts(&world, &mut chance, &[]);
        outcome.quiet += 1;
        let answer = explain(delivered, &still);
        if !answer.causes.is_empty() {
            outcome.alarms += 1;
            outcome.misses.push(self::told(window, &[], &[], &answer));
        }
    }
    outcome.buckets.sort();
    outcome
}

fn ours(answer: &Answer) -> Vec<Named> {
    let dim = |name: &str| DIMS.iter().position(|dim| *dim == name).unwrap_or(usize::MAX);
    let named = |cause: &pmtaq_why::Cause| Named {
        stage: Some(cause.stage),
        values: cause.values.iter().map(|(name, value)| (dim(name), value.clone())).collect(),
        categories: cause.categories.clone(),
    };
    answer.causes.iter().map(named).collect()
}

fn tally(
    world: &World,
    seen: &Counts,
    planted: &[Planted],
    named: &[Named],
    tally: &mut Tally,
) -> Vec<bool> {
    let same: Vec<Vec<bool>> = planted
        .iter()
        .map(|p| named.iter().map(|n| is_same(world, seen, p, n)).collect())
        .collect();
    let hits: Vec<bool> = same.iter().map(|row: &Vec<bool>| row.contains(&true)).collect();
    let right = (0..named.len()).filter(|&n| same.iter().any(|row| row[n])).count();
    tally.add(planted.len(), named.len(), hits.iter().filter(|hit| **hit).count(), right);
    hits
}

/// Whether both speak of the same stage and cover nearly the same messages.
fn is_same(world: &World, seen: &Counts, planted: &Planted, named: &Named) -> bool {
    if named.stage.is_some_and(|stage| stage != planted.stage) {
        return false;
    }
    let mut truth = vec![false; world.leaves.len()];
    world.under(&planted.values).for_each(|leaf| truth[leaf] = true);
    let covers = |leaf: &crate::world::Leaf| {
        named.values.iter().all(|(dim, value)| match value.as_deref() {
            Some(pmtaq_why::ONE_TIME_JOBS) => leaf.is_one_time,
            Some(value) if DIMS[*dim] == "job_id" && leaf.is_one_time => leaf.values[*dim]
                .as_deref()
                .is_some_and(|job| value.strip_suffix("-of-0") == Some(job)),
            value => leaf.values[*dim].as_deref() == value,
        })
    };
    let said: Vec<bool> = world.leaves.iter().map(covers).collect();
    // The same for the refusals; who knows no stage is not asked for their categories.
    let number = |name: &Option<String>| {
        crate::world::CATEGORIES.iter().position(|category| Some(*category) == name.as_deref())
    };
    let said_words: Vec<usize> = match named.categories.is_empty() {
        true => (0..crate::world::CATEGORIES.len()).collect(),
        false => named.categories.iter().filter_map(number).collect(),
    };
    let words = match (named.stage, planted.categories.is_empty()) {
        (None, _) | (_, true) => 1.0,
        _ => {
            let of = |wanted: &dyn Fn(&usize) -> bool| {
                let all = 0..crate::world::CATEGORIES.len();
                rivals::refused(seen, planted, &all.filter(wanted).collect::<Vec<_>>())
            };
            let both = of(&|c| planted.categories.contains(c) && said_words.contains(c));
            both / of(&|c| planted.categories.contains(c) || said_words.contains(c)).max(1.0)
        }
    };
    jaccard(world, &truth, &said) * words >= SAME
}

fn buckets(cause: &Planted) -> [String; 3] {
    let size = match cause.size.abs() {
        ..0.02 => "1 to 2 % of deliveries",
        ..0.05 => "2 to 5 % of deliveries",
        ..0.15 => "5 to 15 % of deliveries",
        _ => "more than 15 % of deliveries",
    };
    [
        format!("stage {}", cause.stage.name()),
        format!("depth {}", cause.depth()),
        format!("size {size}"),
    ]
}

fn told(window: u32, planted: &[Planted], hits: &[bool], answer: &Answer) -> String {
    use std::fmt::Write as _;
    let mut text = format!("window {window}: {:.0}, usually {:.0}", answer.now, answer.usual);
    for (cause, hit) in planted.iter().zip(hits) {
        let values: Vec<&str> = cause.values.iter().map(|(_, value)| value.as_str()).collect();
        let _ = write!(
            text,
            "\n  {} {} {:?} {:?} x{:.2} size {:.3}",
            if *hit { "found " } else { "MISSED" },
            cause.stage.name(),
            values,
            cause.categories,
            cause.strength,
            cause.size
        );
    }
    for cause in &answer.causes {
        let values: Vec<&str> =
            cause.values.iter().map(|(_, value)| value.as_deref().unwrap_or("-")).collect();
        let _ = write!(
            text,
            "\n  named  {} {:?} {:?} effect {:.0} z {:.1} {:?} usual {:?}",
            cause.stage.name(),
            values,
            cause.categories,
            cause.effect,
            cause.z,
            cause.now,
            cause.usual
        );
    }
    text
}
