//! Incidents: one or two causes in a window, drawn by seed, and the counts of that window and of
//! the seven before it. Knows the truth, and nothing of how it is found.

use pmtaq_why::{Counts, Kind, Stage};

use crate::chance::Chance;
use crate::world::{CATEGORIES, DIMS, World};

/// Windows before the one in question.
pub const DAYS: usize = 7;

/// A planted cause.
pub struct Planted {
    pub stage: Stage,
    /// Dimension and value.
    pub values: Vec<(usize, String)>,
    /// The categories of its refusals, one or two; empty for injection and queue.
    pub categories: Vec<usize>,
    /// Injection and queue: a factor; else the share that is refused more.
    pub strength: f64,
    /// What it does to deliveries, as a share of those of an ordinary window.
    pub size: f64,
}

impl Planted {
    /// Dimensions, the category among them.
    pub fn depth(&self) -> usize {
        self.values.len() + usize::from(self.categories.len() == 1)
    }
}

/// Draws so many causes, each about 1 to 60 percent of the deliveries and no less than 60
/// messages. Of two, neither is most of the other, nor less than a twentieth of it.
pub fn plant(world: &World, chance: &mut Chance, n: usize) -> Vec<Planted> {
    let mut planted: Vec<Planted> = Vec::new();
    while planted.len() < n {
        let wanted = chance.scaled(0.01, 0.6);
        let stage =
            [Stage::Injection, Stage::Queue, Stage::Deferral, Stage::Bounce][chance.below(4)];
        let drawn = (0..400).find_map(|_| {
            let cause = draw(world, chance, stage)?;
            let fits = (0.6..1.7).contains(&(cause.size.abs() / wanted));
            let is_apart = planted.iter().all(|other| {
                let (a, b) = (other.size.abs(), cause.size.abs());
                overlap(world, other, &cause) < 0.5 && a.min(b) >= 0.05 * a.max(b)
            });
            (fits && cause.size.abs() * world.delivered() >= 60.0 && is_apart).then_some(cause)
        });
        planted.extend(drawn);
    }
    planted
}

/// The share of the messages under the smaller of two causes that are under both; 0 for causes
/// that show in different records.
fn overlap(world: &World, a: &Planted, b: &Planted) -> f64 {
    if a.stage != b.stage {
        return 0.0;
    }
    let of = |planted: &Planted| {
        let mut under = vec![false; world.leaves.len()];
        world.under(&planted.values).for_each(|leaf| under[leaf] = true);
        under
    };
    let (a, b) = (of(a), of(b));
    let mean = |under: &dyn Fn(usize) -> bool| -> f64 {
        let leaves = (0..world.leaves.len()).filter(|&leaf| under(leaf));
        leaves.map(|leaf| world.leaves[leaf].mean).sum()
    };
    let both = mean(&|leaf| a[leaf] && b[leaf]);
    both / mean(&|leaf| a[leaf]).min(mean(&|leaf| b[leaf])).max(1e-9)
}

/// The share of the messages in either set that are in both.
pub fn jaccard(world: &World, a: &[bool], b: &[bool]) -> f64 {
    let (mut both, mut either) = (0.0, 0.0);
    for ((leaf, &a), &b) in world.leaves.iter().zip(a).zip(b) {
        if a && b {
            both += leaf.mean;
        }
        if a || b {
            either += leaf.mean;
        }
    }
    if either > 0.0 { both / either } else { 0.0 }
}

fn draw(world: &World, chance: &mut Chance, stage: Stage) -> Option<Planted> {
    let is_refusal = matches!(stage, Stage::Deferral | Stage::Bounce);
    let categories = match (is_refusal, chance.unit() < 0.6) {
        (true, true) => vec![chance.below(5)],
        (true, false) => vec![1, 2],
        (false, _) => vec![],
    };
    let depth = chance.whole(1, 3) - usize::from(categories.len() == 1);
    let leaf = &world.leaves[chance.below(world.leaves.len())];
    let mut dims: Vec<usize> = Vec::new();
    while dims.len() < depth {
        let dim = chance.below(DIMS.len());
        // Injected messages have no address yet; a job of one window cannot be missed in others.
        let is_unknown = DIMS[dim] == "dlv_source_ip" && !is_refusal
            || DIMS[dim] == "job_id" && leaf.is_one_time && stage == Stage::Injection;
        if dims.contains(&dim) {
            continue;
        }
        if is_unknown || leaf.values[dim].is_none() {
            return None;
        }
        dims.push(dim);
    }
    dims.sort_unstable();
    let values = dims.iter().map(|&dim| (dim, leaf.values[dim].clone().unwrap_or_default()));
    let strength = match stage {
        Stage::Injection if chance.unit() < 0.35 => chance.between(1.8, 4.0),
        Stage::Injection => chance.between(0.0, 0.5),
        Stage::Queue => chance.between(0.05, 0.75),
        Stage::Deferral => chance.between(0.12, 0.9),
        _ => chance.between(0.06, 0.95),
    };
    let mut planted = Planted { stage, values: values.collect(), categories, strength, size: 0.0 };
    let lost: f64 = world
        .under(&planted.values)
        .map(|leaf| {
            let leaf = &world.leaves[leaf];
            leaf.delivered() * if is_refusal { -strength } else { strength - 1.0 }
        })
        .sum();
    planted.size = lost / world.delivered();
    Some(planted)
}

/// The counts of the window with its causes, and of seven windows before it. One in four has an
/// incident in its history, as histories have.
pub fn counts(world: &World, chance: &mut Chance, planted: &[Planted]) -> Counts {
    let past = if chance.unit() < 0.25 { plant(world, chance, 1) } else { Vec::new() };
    let past_day = chance.whole(1, DAYS);
    let acting: Vec<(usize, &Planted)> = planted
        .iter()
        .map(|planted| (0, planted))
        .chain(past.iter().map(|past| (past_day, past)))
        .collect();
    let mut counts = Counts::new(&DIMS, DAYS);
    let under: Vec<Vec<bool>> = acting
        .iter()
        .map(|(_, planted)| {
            let mut under = vec![false; world.leaves.len()];
            world.under(&planted.values).for_each(|leaf| under[leaf] = true);
            under
        })
        .collect();
    for period in 0..=DAYS {
        let day = chance.factor(0.05);
        // A quarter up or down for each sender, and receivers in better and worse moods.
        let volumes: Vec<f64> =
            (0..world.n_senders).map(|_| day * chance.between(0.75, 1.25)).collect();
        let moods: Vec<(f64, f64)> =
            world.words.iter().map(|_| (chance.factor(0.08), chance.factor(0.08))).collect();
        let manners: Vec<f64> = (0..world.n_senders).map(|_| chance.factor(0.06)).collect();
        for (number, leaf) in world.leaves.iter().enumerate() {
            let now = |stage: Stage| {
                let acts = move |((on, planted), under): &(&(usize, &Planted), &Vec<bool>)| {
                    *on == period && planted.stage == stage && under[number]
                };
                acting.iter().zip(&under).filter(acts).map(|((_, planted), _)| *planted)
            };
            let factor: f64 = now(Stage::Injection).map(|planted| planted.strength).product();
            let injected = chance.poisson(leaf.mean * volumes[leaf.sender] * factor);
            if injected == 0 {
                continue;
            }
            let kept: f64 = now(Stage::Queue).map(|planted| planted.strength).product();
            let tried = chance.binomial(injected, leaf.tried * kept);
            let (deferring, bouncing) = moods[leaf.provider];
            let manner = manners[leaf.sender];
            let job = leaf.values[5].as_ref();
            let job = job.map(|job| match leaf.is_one_time {
                true => format!("{job}-of-{period}"),
                false => job.clone(),
            });
            let mut values: Vec<Option<&str>> = leaf.values.iter().map(Option::as_deref).collect();
            values[5] = job.as_deref();
            let before_address: Vec<Option<&str>> =
                values.iter().enumerate().map(|(i, v)| if i == 4 { None } else { *v }).collect();
            counts.add(period, &before_address, Kind::Injected, None, injected);
            let mut refuse = |kind: Kind, stage: Stage, usual: f64, from: u64| -> u64 {
                let usual = chance.binomial(from, usual);
                for (category, n) in spread(chance, &world.words[leaf.provider], usual) {
                    counts.add(period, &values, kind, Some(CATEGORIES[category]), n);
                }
                let mut refused = usual;
                for cause in now(stage) {
                    let n = chance.binomial(from - refused, cause.strength);
                    refused += n;
                    let first = match cause.categories.len() {
                        1 => n,
                        _ => chance.binomial(n, 0.5),
                    };
                    for (&category, n) in cause.categories.iter().zip([first, n - first]) {
                        if n > 0 {
                            counts.add(period, &values, kind, Some(CATEGORIES[category]), n);
                        }
                    }
                }
                refused
            };
            let held = refuse(Kind::Held, Stage::Deferral, leaf.held * deferring * manner, tried);
            let rate = leaf.bounced * bouncing * manner;
            let bounced = refuse(Kind::Bounced, Stage::Bounce, rate, tried - held);
            let delivered = tried - held - bounced;
            if delivered > 0 {
                counts.add(period, &values, Kind::Delivered, None, delivered);
            }
        }
    }
    counts
}

/// Shares `n` out to categories by their weights.
fn spread(chance: &mut Chance, words: &[f64; 8], n: u64) -> Vec<(usize, u64)> {
    let (mut left, mut weight) = (n, words.iter().sum::<f64>());
    let mut out = Vec::new();
    for (category, word) in words.iter().enumerate() {
        let part = chance.binomial(left, word / weight);
        if part > 0 {
            out.push((category, part));
        }
        left -= part;
        weight -= word;
        if left == 0 {
            break;
        }
    }
    out
}
