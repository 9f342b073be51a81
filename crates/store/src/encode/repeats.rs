//! The distinct numbers of a column of a row group, by key. Knows no page.

use hashbrown::HashTable;

/// Distinct numbers that may come before it is asked how many of all they are.
const SOME: usize = 1024;

/// Numbers page by page, each once, and those that are new in a page in order: times of records that stand
/// side by side lie near each other, and so do their keys, which come to a tenth fewer bytes.
#[derive(Default)]
pub(super) struct Repeats {
    numbers: Vec<i64>,
    table: HashTable<u32>,
    /// Memory: the new numbers of a page by where they came, and by that where they stand in order.
    order: Vec<u32>,
    ranks: Vec<u32>,
    /// Numbers that have a key.
    keyed: usize,
    /// Too many of those that came are distinct.
    given_up: bool,
}

impl Repeats {
    /// The distinct numbers, by key.
    pub(super) fn numbers(&self) -> &[i64] {
        &self.numbers
    }

    /// Puts the keys of more numbers into `keys`. Of no use from the moment on when more than half of
    /// all are distinct, or more than `most`: then it returns false.
    pub(super) fn keys(&mut self, numbers: &[i64], most: usize, keys: &mut Vec<u32>) -> bool {
        keys.clear();
        let known = self.numbers.len();
        let mut last = None;
        for (&number, before) in numbers.iter().zip(self.keyed..) {
            if self.given_up {
                return false;
            }
            let key = match last {
                Some((same, key)) if same == number => key,
                _ => self.key(number),
            };
            last = Some((number, key));
            keys.push(key);
            self.given_up = self.numbers.len() > most.min(SOME + before / 2);
        }
        self.keyed += numbers.len();
        self.given_up |= self.numbers.len() > self.keyed / 2;
        if !self.given_up {
            self.put_in_order(known, keys);
        }
        !self.given_up
    }

    /// Puts the numbers behind the first `known` in order, and gives `keys` that are theirs the new ones.
    fn put_in_order(&mut self, known: usize, keys: &mut [u32]) {
        let Repeats { numbers, table, order, ranks, .. } = self;
        let new = &mut numbers[known..];
        if new.is_sorted() {
            return;
        }
        let first = u32::try_from(known).expect("a dictionary is smaller than 4 GB");
        order.clear();
        order.extend((0..).take(new.len()));
        order.sort_unstable_by_key(|&at| new[at as usize]);
        ranks.clear();
        ranks.resize(new.len(), 0);
        (first..).zip(&*order).for_each(|(key, &at)| ranks[at as usize] = key);
        new.sort_unstable();
        for key in keys.iter_mut().chain(table.iter_mut()).filter(|key| **key >= first) {
            *key = ranks[(*key - first) as usize];
        }
    }

    fn key(&mut self, number: i64) -> u32 {
        let numbers = &mut self.numbers;
        let known = self.table.find(hash(number), |&key| numbers[key as usize] == number);
        known.copied().unwrap_or_else(|| {
            let key = u32::try_from(numbers.len()).expect("a dictionary is smaller than 4 GB");
            numbers.push(number);
            self.table.insert_unique(hash(number), key, |&key| hash(numbers[key as usize]));
            key
        })
    }

    /// Forgets all and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        self.table.clear();
        (self.keyed, self.given_up) = (0, false);
    }
}

/// The table reads the lowest and the highest bits; the lowest of times are zero.
fn hash(number: i64) -> u64 {
    let mixed = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_repeat_have_keys_over_several_pages() {
        let (mut repeats, mut keys) = (Repeats::default(), Vec::new());
        assert!(repeats.keys(&[7000, 7000, 5000, 7000], 100, &mut keys));
        assert_eq!(keys, [1, 1, 0, 1]);
        assert!(repeats.keys(&[5000, 9000, 1000, 9000, 7000], 100, &mut keys));
        assert_eq!(repeats.numbers(), [5000, 7000, 1000, 9000]);
        assert_eq!(keys, [0, 3, 2, 3, 1]);
        assert!(repeats.keys(&[9000, 1000], 100, &mut keys));
        assert_eq!(keys, [3, 2]);
    }

    #[test]
    fn numbers_that_hardly_repeat_are_given_up_soon_and_for_good() {
        let (mut repeats, mut keys) = (Repeats::default(), Vec::new());
        let numbers: Vec<i64> = (0..100_000).collect();
        assert!(!repeats.keys(&numbers, 100_000, &mut keys));
        assert!(keys.len() < 3 * SOME, "{}", keys.len());
        assert!(!repeats.keys(&[1, 1, 1], 100_000, &mut keys));
        repeats.clear();
        assert!(repeats.keys(&[1, 1, 1], 100_000, &mut keys));
        assert!(!repeats.keys(&[1, 2, 3], 2, &mut keys), "more than there may be");
    }
}
