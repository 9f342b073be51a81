//! Keys of rows as numbers that sort as they do, compared at once. Knows places, not what they mean.

/// How keys become numbers in the order of their rows: some places first, then all from the first on, as
/// many as there is room for. Keys of one number are to be compared as they are.
pub(super) struct Packed {
    /// Places, and the bits that each takes.
    places: Vec<(usize, u32)>,
}

impl Packed {
    /// For such keys, of which the places in `first` come first.
    pub(super) fn of<'k, const N: usize>(
        keys: impl Iterator<Item = &'k [u32; N]>,
        first: &[usize],
    ) -> Packed {
        let mut all = [0; N];
        for key in keys {
            all.iter_mut().zip(key).for_each(|(all, place)| *all |= place);
        }
        let rest = (0..N).filter(|place| !first.contains(place));
        let places = first.iter().copied().chain(rest);
        let widths = places.map(|place| (place, u32::BITS - all[place].leading_zeros()));
        let mut left = u128::BITS;
        let fits = |&(_, width): &(usize, u32)| {
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        };
        Packed { places: widths.take_while(fits).collect() }
    }

    /// The number of a key.
    pub(super) fn number(&self, key: &[u32]) -> u128 {
        self.places.iter().fold(0, |number, &(i, width)| number << width | u128::from(key[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_sort_as_keys_do_as_far_as_there_is_room(
            keys in prop::collection::vec(
                [0_u32..3, 0..200, 0..u32::MAX, 0..u32::MAX, 0..u32::MAX, 0..u32::MAX, 0..2],
                2,
            )
        ) {
            let packed = Packed::of(keys.iter(), &[2, 0]);
            let sorted_by = |key: &[u32; 7]| ([key[2], key[0]], *key);
            let by_number = packed.number(&keys[0]).cmp(&packed.number(&keys[1]));
            let by_key = sorted_by(&keys[0]).cmp(&sorted_by(&keys[1]));
            prop_assert!(by_number == by_key || by_number.is_eq(), "{by_number:?} {by_key:?}");
        }
    }
}
