//! A small generator of numbers (SplitMix64): the same on every machine, for ever.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is above zero.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Whether something of probability `p`, in parts of 10,000, happens.
    pub(crate) fn chance(&mut self, p: u32) -> bool {
        (self.below(10_000) as u32) < p
    }

    /// One of some things with weights.
    pub(crate) fn pick<'a, T>(&mut self, things: &'a [(u32, T)]) -> &'a T {
        let total: u32 = things.iter().map(|(weight, _)| weight).sum();
        let mut at = self.below(total as usize) as u32;
        for (weight, thing) in things {
            if at < *weight {
                return thing;
            }
            at -= weight;
        }
        &things[0].1
    }

    /// A rank below `n`, small ones by far the most frequent (about 1/rank).
    pub(crate) fn zipf(&mut self, n: usize) -> usize {
        let u = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((n as f64).powf(u) as usize).saturating_sub(1).min(n - 1)
    }
}
