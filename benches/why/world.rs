//! Senders, their pools, addresses and jobs, and receivers, drawn by seed: heavy-tailed and
//! correlated as in life. An address belongs to a VirtualMTA, that to a pool; a sender sends by
//! one pool and owns its jobs; receivers differ in how much they defer and bounce. Knows no
//! incident, and nothing of how causes are found.

use crate::chance::Chance;

/// Bounce categories that occur, and the weight of each in a receiver's words.
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

/// The dimensions of a leaf, in the order of [`Leaf::values`].
pub const DIMS: [&str; 6] =
    ["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"];

/// A combination of values with how many messages it gets and what becomes of them.
pub struct Leaf {
    /// By dimension.
    pub values: [Option<String>; 6],
    /// Messages in an ordinary window.
    pub mean: f64,
    /// Whether its job lives in one window only; then its name changes from day to day.
    pub is_one_time: bool,
    /// Numbers of its sender and its receiver.
    pub sender: usize,
    pub provider: usize,
    /// Usual shares: tried at all, held by deferrals, bounced.
    pub tried: f64,
    pub held: f64,
    pub bounced: f64,
}

/// All leaves of an installation.
pub struct World {
    pub leaves: Vec<Leaf>,
    /// By receiver: the weight of each category.
    pub words: Vec<[f64; 8]>,
    pub n_senders: usize,
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
    pub fn new(chance: &mut Chance) -> World {
        let volume = chance.scaled(8_000.0, 400_000.0);
        let (n_senders, n_providers) = (chance.whole(4, 14), chance.whole(10, 25));
        let n_pools = chance.whole(2, 5);
        let pools: Vec<usize> = (0..n_pools).map(|_| chance.whole(1, 5)).collect();
        let (senders, providers) = (zipf(chance, n_senders, 1.0), zipf(chance, n_providers, 1.1));
        let deferral: Vec<f64> = (0..n_providers).map(|_| 0.03 * chance.factor(0.7)).collect();
        let bounce: Vec<f64> = (0..n_providers).map(|_| 0.018 * chance.factor(0.5)).collect();
        let words = (0..n_providers)
            .map(|_| {
                let mut words = [0.0; 8];
                for (rank, word) in words.iter_mut().enumerate() {
                    *word = chance.factor(0.6) / (rank as f64 + 1.0);
                }
                words
            })
            .collect();
        let mut leaves = Vec::new();
        for (sender, weight) in senders.iter().enumerate() {
            let pool = if sender < n_pools { sender } else { chance.below(n_pools) };
            let vmtas = zipf(chance, pools[pool], 0.2);
            let is_one_time = chance.unit() < 0.3;
            let n_jobs = if chance.unit() < 0.25 { 0 } else { chance.whole(1, 5) };
            let jobs = zipf(chance, n_jobs.max(1), 0.9);
            let tastes: Vec<f64> = (0..n_providers).map(|_| chance.factor(0.4)).collect();
            let taste: f64 = tastes.iter().zip(&providers).map(|(t, p)| t * p).sum();
            let (hold_factor, bounce_factor) = (chance.factor(0.3), chance.factor(0.4));
            let tried = 1.0 - 0.02 * chance.factor(0.5);
            let by_job: Vec<f64> = jobs.iter().map(|_| chance.factor(0.4)).collect();
            for provider in 0..n_providers {
                for (vmta, by_vmta) in vmtas.iter().enumerate() {
                    // Some VirtualMTAs have a second address, for receivers that speak IPv6.
                    let is_second = (pool + vmta) % 3 == 0 && provider % 4 == 1;
                    let ip = match is_second {
                        true => format!("2001:db8:{pool}::{vmta}"),
                        false => format!("192.0.{pool}.{vmta}"),
                    };
                    for (job, by) in jobs.iter().enumerate() {
                        let name = (n_jobs > 0).then(|| format!("job-{sender}-{job}"));
                        leaves.push(Leaf {
                            values: [
                                Some(format!("provider-{provider}")),
                                Some(format!("sender-{sender}.example")),
                                Some(format!("pool-{pool}")),
                                Some(format!("vmta-{pool}-{vmta}")),
                                Some(ip.clone()),
                                name,
                            ],
                            mean: volume * weight * providers[provider] * tastes[provider] / taste
                                * by_vmta
                                * by,
                            is_one_time: is_one_time && n_jobs > 0,
                            sender,
                            provider,
                            tried,
                            held: (deferral[provider] * hold_factor).min(0.5),
                            bounced: (bounce[provider] * bounce_factor * by_job[job]).min(0.4),
                        });
                    }
                }
            }
        }
        World { leaves, words, n_senders }
    }

    /// Deliveries in an ordinary window.
    pub fn delivered(&self) -> f64 {
        self.leaves.iter().map(Leaf::delivered).sum()
    }

    /// The leaves that have these values, by number.
    pub fn under<'a>(&'a self, values: &'a [(usize, String)]) -> impl Iterator<Item = usize> + 'a {
        let has = |leaf: &Leaf, (dim, value): &(usize, String)| {
            leaf.values[*dim].as_deref() == Some(value.as_str())
        };
        (0..self.leaves.len())
            .filter(move |&leaf| values.iter().all(|value| has(&self.leaves[leaf], value)))
    }
}

impl Leaf {
    /// Its deliveries in an ordinary window.
    pub fn delivered(&self) -> f64 {
        self.mean * self.tried * (1.0 - self.held) * (1.0 - self.bounced)
    }
}
