//! Hashes, most of which that are asked for are not there.

use pmtaq_schema::numbers::NumberSet;

/// Some hashes.
pub(crate) struct Hashes {
    of: NumberSet<u64>,
    /// A bit for each, and for others that share it: it stays near the processor, which the set does not.
    bits: Vec<u64>,
}

impl Hashes {
    pub(crate) fn contain(&self, hash: u64) -> bool {
        self.may_contain(hash) && self.of.contains(&hash)
    }

    /// Whether a hash may be there; of those that are not, few may.
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        let (at, bit) = self.place(hash);
        self.bits[at] & bit != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        ((hash >> 6) as usize & (self.bits.len() - 1), 1 << (hash & 63))
    }
}

impl FromIterator<u64> for Hashes {
    fn from_iter<I: IntoIterator<Item = u64>>(hashes: I) -> Hashes {
        let of: NumberSet<u64> = hashes.into_iter().collect();
        // Of eight bits one is set at most.
        let bits = vec![0; (of.len() / 8).next_power_of_two()];
        let mut hashes = Hashes { of, bits };
        let places: Vec<_> = hashes.of.iter().map(|hash| hashes.place(*hash)).collect();
        places.into_iter().for_each(|(at, bit)| hashes.bits[at] |= bit);
        hashes
    }
}

/// A number in which each bit depends on all bits of the given one: the last step of MurmurHash3.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ number >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}
