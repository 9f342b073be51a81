//! Messages of a window and what becomes of them, leaf by leaf: tried, deferred, tried again,
//! bounced, delivered. Knows no incident.

use std::collections::HashMap;

use crate::chance::Chance;
use crate::days::{Day, Run, Segment};
use crate::world::{NONE, World};

/// Recipients by bounce category.
pub type ByCategory = [u32; 8];

/// How often one that is held is deferred again in the same window.
const AGAIN: f64 = 0.4;

/// What became of some recipients that share all values.
#[derive(Clone, Debug)]
pub struct Cell {
    /// By dimension the code of its value, [`NONE`] without one.
    pub keys: [u32; 6],
    /// Queued before the window: deferred earlier, and tried again in it.
    pub is_older: bool,
    pub injected: u32,
    /// Delivered by the first attempt in the window.
    pub direct: u32,
    /// Deferred once, then delivered.
    pub recovered: ByCategory,
    pub bounced: ByCategory,
    /// Deferred, and neither delivered nor bounced in the window.
    pub held: ByCategory,
    /// Deferrals of those beyond their first.
    pub again: ByCategory,
    /// What was likely for each of them.
    pub rates: Rates,
}

/// Rates of one leaf on one day.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    tried: f64,
    held: f64,
    bounced: f64,
}

/// What is counted in records.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    pub injected: f64,
    pub tried: f64,
    pub delivered: f64,
    pub bounced: f64,
    pub held: f64,
    /// Deferrals: attempts, not recipients.
    pub deferred: f64,
}

impl Sums {
    pub fn plus(mut self, other: Sums, sign: f64) -> Sums {
        self.injected += sign * other.injected;
        self.tried += sign * other.tried;
        self.delivered += sign * other.delivered;
        self.bounced += sign * other.bounced;
        self.held += sign * other.held;
        self.deferred += sign * other.deferred;
        self
    }

    /// Of some cells.
    pub fn of<'c>(cells: impl Iterator<Item = &'c Cell>) -> Sums {
        cells.fold(Sums::default(), |sums, cell| sums.plus(cell.sums(), 1.0))
    }
}

impl Cell {
    pub fn sums(&self) -> Sums {
        let sum = |by: &ByCategory| f64::from(by.iter().sum::<u32>());
        let (recovered, bounced) = (sum(&self.recovered), sum(&self.bounced));
        let (held, direct) = (sum(&self.held), f64::from(self.direct));
        Sums {
            injected: f64::from(self.injected),
            tried: direct + recovered + bounced + held,
            delivered: direct + recovered,
            bounced,
            held,
            deferred: recovered + held + sum(&self.again),
        }
    }

    /// Deferrals by category.
    pub fn deferred(&self) -> ByCategory {
        std::array::from_fn(|at| self.recovered[at] + self.held[at] + self.again[at])
    }

    /// Adds those of another cell of the same leaf.
    pub fn add(&mut self, other: &Cell) {
        self.injected += other.injected;
        self.direct += other.direct;
        let of = |cell: &Cell| [cell.recovered, cell.bounced, cell.held, cell.again];
        let own = [&mut self.recovered, &mut self.bounced, &mut self.held, &mut self.again];
        for (own, other) in own.into_iter().zip(of(other)) {
            own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
        }
    }

    pub fn is_under(&self, scope: &[(usize, u32)]) -> bool {
        scope.iter().all(|(dim, code)| self.keys[*dim] == *code)
    }
}

/// Codes of jobs, as they come.
#[derive(Default)]
pub struct Jobs {
    pub names: Vec<String>,
    codes: HashMap<String, u32>,
}

impl Jobs {
    pub fn code(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return NONE };
        if let Some(code) = self.codes.get(name) {
            return *code;
        }
        self.names.push(name.to_owned());
        let code = self.names.len() as u32 - 1;
        self.codes.insert(name.to_owned(), code);
        code
    }
}

/// The cells of a period, made of segments.
pub fn period(world: &World, seed: u64, segments: &[Segment], jobs: &mut Jobs) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        let day = Day::new(world, seed, *segment);
        for (number, run) in day.runs.iter().enumerate() {
            let keys = [seed, 2, (segment.ago + 2) as u64, at as u64, number as u64];
            let job = jobs.code(run.job.as_deref());
            let mut chance = Chance::of(&keys);
            send(world, &day, segment.ago, run, job, &mut chance, &mut cells);
        }
    }
    cells
}

fn send(
    world: &World,
    day: &Day,
    ago: i64,
    run: &Run,
    job: u32,
    chance: &mut Chance,
    cells: &mut Vec<Cell>,
) {
    let sender = &world.senders[run.sender];
    let routes = routes(world, sender.pool, ago);
    let mut place = |provider: usize, route: usize, n: u64, is_older: bool, chance: &mut Chance| {
        if n == 0 {
            return;
        }
        let rates = rates(world, day, run, provider, routes[route].2);
        let words = &world.providers[provider].words;
        let of = &world.pools[sender.pool][route];
        let ip = of.ips[usize::from(provider % 4 == 1)];
        let keys = [provider as u32, run.sender as u32, sender.pool as u32, of.vmta, ip, job];
        cells.push(if is_older {
            rates.older(words, keys, n, chance)
        } else {
            rates.fresh(words, keys, n, chance)
        });
    };
    if run.volume > 400.0 {
        for (provider, share) in sender.shares.iter().enumerate() {
            for (route, (weight, ..)) in routes.iter().enumerate() {
                let n = chance.poisson(run.volume * share * weight);
                place(provider, route, n, false, chance);
            }
        }
    } else {
        // One by one: most leaves of a small run have no message.
        let mut by_leaf: Vec<(usize, usize)> = Vec::new();
        for _ in 0..chance.poisson(run.volume) {
            let (at, route) = (chance.unit(), chance.unit());
            let provider = sender.summed.partition_point(|sum| *sum < at);
            let route = routes.partition_point(|(_, sum, _)| *sum < route);
            by_leaf.push((provider.min(sender.shares.len() - 1), route.min(routes.len() - 1)));
        }
        by_leaf.sort_unstable();
        for same in by_leaf.chunk_by(|a, b| a == b) {
            place(same[0].0, same[0].1, same.len() as u64, false, chance);
        }
    }
    if run.before > 0.0 {
        for (provider, share) in sender.shares.iter().enumerate() {
            for (route, (weight, ..)) in routes.iter().enumerate() {
                let held = rates(world, day, run, provider, routes[route].2).held;
                let n = chance.poisson(run.before * share * weight * held);
                place(provider, route, n, true, chance);
            }
        }
    }
}

/// By route of a pool: its part of the messages, the parts summed up, and how much more of them
/// is deferred since its address is new.
fn routes(world: &World, pool: usize, ago: i64) -> Vec<(f64, f64, f64)> {
    let weight = |age: Option<usize>| match age {
        None => 1.0,
        Some(age) => 2.0_f64.powi((age as i64 - ago - 7) as i32).min(1.0),
    };
    let routes = &world.pools[pool];
    let weights: Vec<f64> = routes.iter().map(|route| route.weight * weight(route.age)).collect();
    let all: f64 = weights.iter().sum();
    let mut sum = 0.0;
    let of = |(route, part): (&crate::world::Route, f64)| {
        sum += part / all;
        (part / all, sum, if route.age.is_some() { 1.8 } else { 1.0 })
    };
    routes.iter().zip(weights).map(of).collect()
}

fn rates(world: &World, day: &Day, run: &Run, provider: usize, new: f64) -> Rates {
    let sender = &world.senders[run.sender];
    let of = &world.providers[provider];
    let (deferring, bouncing) = day.moods[provider];
    let manner = day.manners[run.sender];
    Rates {
        tried: sender.tried,
        held: (of.held * sender.held).min(0.5) * deferring * manner * new,
        bounced: (of.bounced * sender.bounced * run.list).min(0.4) * bouncing * manner,
    }
}

impl Rates {
    /// What becomes of so many that come in.
    pub fn fresh(self, words: &[f64; 8], keys: [u32; 6], n: u64, chance: &mut Chance) -> Cell {
        let tried = chance.binomial(n, self.tried);
        // Of those that are deferred, a third gets through in the same window.
        let deferred = chance.binomial(tried, (1.5 * self.held).min(0.9));
        let recovered = chance.binomial(deferred, 1.0 / 3.0);
        let bounced = chance.binomial(tried - deferred, self.bounced);
        let direct = tried - deferred - bounced;
        let refused = [recovered, bounced, deferred - recovered];
        self.cell(words, keys, (n, direct, refused), chance)
    }

    /// Those that were deferred before: deferred again much more often than others.
    fn older(self, words: &[f64; 8], keys: [u32; 6], n: u64, chance: &mut Chance) -> Cell {
        let tried = chance.binomial(n, 0.75);
        let held = chance.binomial(tried, 0.45);
        let bounced = chance.binomial(tried - held, 0.05);
        let refused = [0, bounced, held];
        let cell = self.cell(words, keys, (0, tried - held - bounced, refused), chance);
        Cell { is_older: true, ..cell }
    }

    fn cell(
        self,
        words: &[f64; 8],
        keys: [u32; 6],
        (injected, direct, refused): (u64, u64, [u64; 3]),
        chance: &mut Chance,
    ) -> Cell {
        let [recovered, bounced, held] = refused.map(|n| spread(chance, words, n));
        Cell {
            keys,
            is_older: false,
            injected: injected as u32,
            direct: direct as u32,
            recovered,
            bounced,
            held,
            again: held.map(|n| again(chance, n)),
            rates: self,
        }
    }
}

/// Deferrals beyond the first, of so many that are held.
pub fn again(chance: &mut Chance, held: u32) -> u32 {
    chance.binomial(u64::from(held), AGAIN) as u32
}

/// Shares `n` out to categories by their weights.
fn spread(chance: &mut Chance, words: &[f64; 8], n: u64) -> ByCategory {
    let (mut left, mut weight) = (n, words.iter().sum::<f64>());
    let mut out = [0; 8];
    for (part, word) in out.iter_mut().zip(words) {
        if left == 0 {
            break;
        }
        *part = chance.binomial(left, word / weight) as u32;
        left -= u64::from(*part);
        weight -= word;
    }
    out
}
