//! Installations, drawn by seed: who sends, by which addresses, to whom, and by which habit.
//! Heavy-tailed and correlated as in life. Knows no incident, and nothing of how causes are found.

use crate::chance::Chance;

/// Bounce categories that occur.
pub const CATEGORIES: [&str; 8] = [
    "bad-mailbox",
    "policy-related",
    "spam-related",
    "quota-issues",
    "bad-connection",
    "inactive-mailbox",
    "other",
    "no-answer-from-host",
];

/// The dimensions of a leaf.
pub const DIMS: [&str; 6] =
    ["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"];

/// The code of a leaf that has no value in a dimension.
pub const NONE: u32 = u32::MAX;

/// What kind of installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Everyone sends every day, a quarter more or less.
    Steady,
    /// Newsletters by weekday, campaigns, new senders, addresses being warmed up.
    Campaigns,
    /// 2,000 sender domains of an e-mail service provider, each with a habit of those above.
    Esp,
}

impl Shape {
    pub const ALL: [Shape; 3] = [Shape::Steady, Shape::Campaigns, Shape::Esp];

    pub fn name(self) -> &'static str {
        match self {
            Shape::Steady => "steady",
            Shape::Campaigns => "campaigns",
            Shape::Esp => "esp",
        }
    }
}

/// A receiver: how much it defers and bounces, and the weight of each category in its words.
pub struct Provider {
    pub held: f64,
    pub bounced: f64,
    pub words: [f64; 8],
}

/// A VirtualMTA.
pub struct Route {
    /// Codes of its name, and of its address; some have a second one for receivers with IPv6.
    pub vmta: u32,
    pub ips: [u32; 2],
    /// Its part of the pool.
    pub weight: f64,
    /// Days since its address is new; its part doubles every day until it is like the others.
    pub age: Option<usize>,
}

/// When a sender sends, and under which names.
pub enum Habit {
    /// Every day, in jobs of these weights: with names that last, that are new every day, or none.
    Daily { jobs: Vec<(f64, f64)>, naming: Naming },
    /// One new job on some days of the week.
    Newsletter { weekdays: [bool; 7] },
    /// Now and then a new and large job.
    Campaigns { chance: f64 },
    /// A new job every day since so many days.
    New { days: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    Without,
    Lasting,
    Daily,
}

pub struct Sender {
    pub pool: usize,
    /// Messages of a window in which it sends.
    pub volume: f64,
    /// By provider: the share of its messages, and the same summed up.
    pub shares: Vec<f64>,
    pub summed: Vec<f64>,
    /// What it does to the receivers' rates.
    pub held: f64,
    pub bounced: f64,
    /// The share that is tried in the window.
    pub tried: f64,
    pub habit: Habit,
}

pub struct World {
    pub shape: Shape,
    pub providers: Vec<Provider>,
    pub pools: Vec<Vec<Route>>,
    pub senders: Vec<Sender>,
    /// By dimension, of all but jobs: the text of each code.
    pub names: [Vec<String>; 5],
    /// Whether `r` records name the first VirtualMTA of the pool, or none.
    pub has_first_vmta: bool,
}

/// How many there are of what.
struct Size {
    volume: f64,
    n_senders: usize,
    n_providers: usize,
    pools: Vec<usize>,
}

impl Size {
    fn of(shape: Shape, chance: &mut Chance) -> Size {
        let mut pools = |from: usize, to: usize, most: usize| -> Vec<usize> {
            let n = chance.whole(from, to);
            (0..n).map(|_| chance.whole(1, most)).collect()
        };
        match shape {
            Shape::Steady => Size {
                pools: pools(2, 5, 5),
                volume: chance.scaled(8_000.0, 400_000.0),
                n_senders: chance.whole(4, 14),
                n_providers: chance.whole(10, 25),
            },
            Shape::Campaigns => Size {
                pools: pools(3, 7, 5),
                volume: chance.scaled(8_000.0, 120_000.0),
                n_senders: chance.whole(15, 40),
                n_providers: chance.whole(12, 25),
            },
            Shape::Esp => Size {
                pools: vec![5; 60],
                volume: chance.scaled(12_000.0, 30_000.0),
                n_senders: 2_000,
                n_providers: 50,
            },
        }
    }
}

/// Draws weights with a heavy tail, which add up to one.
fn zipf(chance: &mut Chance, n: usize, exponent: f64) -> Vec<f64> {
    let weights: Vec<f64> =
        (1..=n).map(|rank| chance.factor(0.3) / (rank as f64).powf(exponent)).collect();
    let all: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / all).collect()
}

impl World {
    /// Draws one.
    pub fn new(shape: Shape, chance: &mut Chance) -> World {
        let size = Size::of(shape, chance);
        let mut names: [Vec<String>; 5] = Default::default();
        let by_sender = zipf(chance, size.n_senders, if shape == Shape::Esp { 0.8 } else { 1.0 });
        let by_provider = zipf(chance, size.n_providers, 1.1);
        let providers = (0..size.n_providers).map(|_| Provider::new(chance)).collect();
        names[0] = (0..size.n_providers).map(|n| format!("provider-{n}")).collect();
        names[1] = (0..size.n_senders).map(|n| format!("sender-{n}.example")).collect();
        names[2] = (0..size.pools.len()).map(|n| format!("pool-{n}")).collect();
        let pools = size
            .pools
            .iter()
            .enumerate()
            .map(|(pool, &n)| Route::of_pool(shape, chance, pool, n, &mut names))
            .collect();
        let n_pools = size.pools.len();
        let senders = by_sender
            .iter()
            .enumerate()
            .map(|(sender, weight)| {
                let pool = if sender < n_pools { sender } else { chance.below(n_pools) };
                Sender::new(shape, chance, pool, weight * size.volume, &by_provider)
            })
            .collect();
        let has_first_vmta = chance.unit() < 0.5;
        World { shape, providers, pools, senders, names, has_first_vmta }
    }
}

impl Provider {
    fn new(chance: &mut Chance) -> Provider {
        let (held, bounced) = (0.03 * chance.factor(0.7), 0.018 * chance.factor(0.5));
        let mut words = [0.0; 8];
        for (rank, word) in words.iter_mut().enumerate() {
            *word = chance.factor(0.6) / (rank as f64 + 1.0);
        }
        Provider { held, bounced, words }
    }
}

impl Route {
    fn of_pool(
        shape: Shape,
        chance: &mut Chance,
        pool: usize,
        n: usize,
        names: &mut [Vec<String>; 5],
    ) -> Vec<Route> {
        let is_new = shape != Shape::Steady && n > 1 && chance.unit() < 0.25;
        let weights = zipf(chance, n, 0.2);
        let route = |(number, weight): (usize, f64)| {
            let mut name = |dim: usize, text: String| {
                names[dim].push(text);
                names[dim].len() as u32 - 1
            };
            let vmta = name(3, format!("vmta-{pool}-{number}"));
            let first = name(4, format!("192.0.{pool}.{number}"));
            let has_second = match shape {
                Shape::Esp => (pool + number) % 3 != 1,
                _ => (pool + number).is_multiple_of(3),
            };
            let second =
                if has_second { name(4, format!("2001:db8:{pool}::{number}")) } else { first };
            let age = (is_new && number + 1 == n).then(|| chance.whole(3, 9));
            Route { vmta, ips: [first, second], weight, age }
        };
        weights.into_iter().enumerate().map(route).collect()
    }
}

impl Sender {
    fn new(
        shape: Shape,
        chance: &mut Chance,
        pool: usize,
        volume: f64,
        by_provider: &[f64],
    ) -> Sender {
        let mut shares: Vec<f64> =
            by_provider.iter().map(|weight| weight * chance.factor(0.4)).collect();
        let all: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= all);
        let mut sum = 0.0;
        let add = |share: &f64| {
            sum += share;
            sum
        };
        let summed = shares.iter().map(add).collect();
        let (held, bounced) = (chance.factor(0.3), chance.factor(0.4));
        let tried = 1.0 - 0.02 * chance.factor(0.5);
        let habit = Habit::new(shape, chance);
        // So that a window of those that happen to send is as large as it should be.
        let volume = match habit {
            Habit::Daily { .. } => volume,
            _ => 2.0 * volume,
        };
        Sender { pool, volume, shares, summed, held, bounced, tried, habit }
    }
}

impl Habit {
    fn new(shape: Shape, chance: &mut Chance) -> Habit {
        let kind = chance.unit();
        match shape {
            Shape::Steady => Habit::daily(chance, 5, 0.4),
            // Four fifths of the newsletters of a day go out at other hours.
            Shape::Esp if (0.35..0.80).contains(&kind) && chance.unit() < 0.8 => {
                Habit::Campaigns { chance: 0.04 }
            }
            _ => match kind {
                ..0.35 => Habit::daily(chance, 2, 0.2),
                ..0.80 => {
                    let mut weekdays = [false; 7];
                    weekdays.iter_mut().for_each(|day| *day = chance.unit() < 0.55);
                    Habit::Newsletter { weekdays }
                }
                ..0.95 => Habit::Campaigns { chance: 0.2 },
                _ => Habit::New { days: chance.whole(0, 3) },
            },
        }
    }

    fn daily(chance: &mut Chance, most: usize, deviation: f64) -> Habit {
        let naming = match (chance.unit(), chance.unit()) {
            (..0.25, _) => Naming::Without,
            (_, ..0.3) => Naming::Daily,
            _ => Naming::Lasting,
        };
        let n_jobs = if naming == Naming::Without { 1 } else { chance.whole(1, most) };
        let weights = zipf(chance, n_jobs, 0.9);
        let jobs = weights.into_iter().map(|weight| (weight, chance.factor(deviation))).collect();
        Habit::Daily { jobs, naming }
    }
}
