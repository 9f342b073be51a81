//! A small generator of numbers (SplitMix64): the same on every machine, for ever.
//! Knows nothing of what the numbers are for.

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
}

/// A number that follows from two others and from nothing else.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    Rng::new(a ^ b.wrapping_mul(0xd6e8_feb8_6659_fd93)).next()
}

/// Things with weights, to draw from.
#[derive(Clone, Debug)]
pub(crate) struct Weighted<T> {
    /// Each thing with the sum of the weights up to and with its own.
    things: Vec<(u32, T)>,
}

impl<T> Default for Weighted<T> {
    fn default() -> Weighted<T> {
        Weighted { things: Vec::new() }
    }
}

impl<T: Copy> Weighted<T> {
    pub(crate) fn new() -> Weighted<T> {
        Weighted::default()
    }

    pub(crate) fn push(&mut self, weight: u32, thing: T) {
        self.things.push((self.total() + weight, thing));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// One of the things; none if there are none.
    pub(crate) fn draw(&self, rng: &mut Rng) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let at = rng.below(self.total() as usize) as u32;
        let i = self.things.partition_point(|(sum, _)| *sum <= at);
        Some(self.things[i].1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        self.things.iter().map(|(_, thing)| *thing)
    }

    fn total(&self) -> u32 {
        self.things.last().map_or(0, |(sum, _)| *sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        // The reference values of SplitMix64 for the seed 1234567.
        let mut rng = Rng::new(1_234_567);
        assert_eq!(
            [rng.next(), rng.next(), rng.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn things_are_drawn_by_their_weights() {
        let mut things = Weighted::new();
        things.push(1, 'a');
        things.push(0, 'b');
        things.push(3, 'c');
        let mut rng = Rng::new(1);
        let drawn: Vec<char> = (0..4000).filter_map(|_| things.draw(&mut rng)).collect();
        let share = |c| drawn.iter().filter(|d| **d == c).count();
        assert!((900..1100).contains(&share('a')), "{}", share('a'));
        assert_eq!(share('b'), 0);
        assert_eq!(Weighted::<char>::new().draw(&mut rng), None);
    }
}
